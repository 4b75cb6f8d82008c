"""Compare a model with its data and with the linear model of it: a generator has to beat its own starting point."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...api.assets import Provenance
from ...api.data import TrainingData
from ...api.data.records import summarize_left_out
from ...api.errors import GanassetsError, InputError
from ...api.latents import latents
from ...api.manifest import Manifest
from ...api.options import option_values
from ...api.plugin_calls import decode, make_dataset, measure_assets
from ...api.spec import GeneratorSpec
from ...inference.model import Model, noise_axes, open_model
from ...inference.pipeline import check_finite, seed_noise
from ...inference.request import GenerationRequest
from ...inference.resolve import generate
from ..checks import make_domain
from ..networks import LinearModel, fit_linear
from ..settings import read_settings
from .feature_space import IMAGE_AXES, SAMPLES_PER_AXIS, Coordinates, Sight, Space, distances, is_picture, ranges_of
from .features import ImageFeatures
from .measures import Features, neighbourhoods, pairwise_distance
from .samples import cropped, in_batches, outputs_of, part_of, present

if TYPE_CHECKING:
    from rich.console import Console

FIT_SAMPLES = 2048
MOST_ASSETS = 64  # that a plugin's own measures are made of
FEWEST = 2  # samples of a set
LEAST_SHARE = 0.6  # of the samples that have an output, or it is left out rather than the samples without it
# Below, distances are on fewer axes than usual, and real samples differ much among each other.
FEW = IMAGE_AXES * SAMPLES_PER_AXIS
# Outputs by name and (n, c) physical conditions, by the name of the set.
Sets = Mapping[str, tuple[dict[str, NDArray], NDArray]]
# Data of a comparison is drawn with seeds that no training run starts from by default.
SEED_SHIFT = 1_000_003


@dataclass(frozen=True)
class Measures:
    """A set of samples against the reference, which are real ones.

    Attributes:
        name: of the set: "real" are other real samples, whose measures are the floor.
        distance: Frechet distance by output. Of pictures it is FD-EffNetLite0, on the first 64 principal axes of the
            reference's features of EfficientNet-Lite0, which keeps it meaningful for some hundred samples; it doesn't
            compare with FID. Of other outputs it is on 32 axes, as a share of the reference's variance. Sets of fewer
            than four samples an axis are compared on fewer axes. Of a plugin with features of its own it is one
            distance, by the kind of asset.
        kernel: kernel distance (KID) of pictures by output, of torchmetrics: the squared maximum mean discrepancy with
            the kernel (x y / 1280 + 1)^3 of all of their 1280 features, without bias (Binkowski et al. 2018), so real
            samples get about 0 however few they are.
        precision, recall, density, coverage: see Neighbourhoods; on all outputs' coordinates together.
        spread: mean distance between two samples as a share of the same among reference ones (collapse: far below 1).
        sliders: correlation of what a regression (fitted on real samples) reads off a sample with the condition it
            was made with, by column; columns that don't vary in the data are left out.
        assets: the plugin's own measures of finished assets, by name; empty where there are none.
    """

    name: str
    distance: dict[str, float]
    kernel: dict[str, float]
    precision: float
    recall: float
    density: float
    coverage: float
    spread: float
    sliders: dict[str, float]
    assets: dict[str, float] = field(default_factory=dict)


def evaluate(
    spec: GeneratorSpec,
    model_path: Path,
    samples: int,
    seed: int,
    console: Console,
    data_options: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Measure a model, the linear model and fresh real samples against real samples; prints a table.

    A size-free generator is measured at the size of its training samples; it has no linear model. Where these are cut
    from larger ones, so are the model's. Outputs that many samples of the data lack are left out, and then the samples
    that lack one of the rest, so fewer than asked for may be compared. The same arguments give the same numbers.

    Args:
        spec: the generator.
        model_path: its model file; with the run's config.toml beside it the run's own data options are used.
        samples: of each set.
        seed: of data and latents.
        console: where progress and the table go.
        data_options: of the plugin's dataset, which go before the run's.

    Returns:
        JSON-able dict: data (name and options), samples, few (whether that is little), rows (see Measures),
        beats_linear.

    Raises:
        InputError: the data can't be read, or hold too few samples.
    """
    model = open_model(model_path)
    preset, options = spec.preset(model.manifest.training.preset), {}
    config = Path(model_path).parent / "config.toml"
    if config.is_file():
        settings = read_settings(config)
        preset, options = settings.preset, settings.data_options
    options = {**options, **(data_options or {})}
    components = 0 if model.manifest.noise else max(preset.components, 1)
    extractor = ImageFeatures() if any(is_picture(spec, output) for output in spec.outputs) else None
    with console.status("drawing real samples"):
        # The linear model is fitted on samples that nothing is measured on.
        apart = FIT_SAMPLES if components else 0
        data = draw(spec, preset, options, 2 * samples + apart, seed)
        spec = with_labels(spec, data, model)
        apart = min(apart, max(len(data) - 2 * samples, len(data) // 3)) if components else 0
        order = generator(seed).permutation(len(data))
        fitted, rest = order[:apart] if components else order, order[apart:]
        fit = fit_linear(part_of(data, np.sort(fitted)), preset.z_dim, components, generator(seed))
        domain = make_domain(spec, preset, fit)
    names, complete = comparable(spec, domain, part_of(data, rest))
    rest = rest[complete]
    asked, samples = samples, min(samples, len(rest) // 2)
    tell_data(
        data, samples, asked, console, summarize_left_out(data.files, spec.name, options.get(spec.folder_option or ""))
    )
    first, second = rest[:samples], rest[samples : 2 * samples]
    conditions = data.conditions[second]
    sets: dict[str, tuple[dict[str, NDArray], NDArray]] = {}
    sets["reference"] = outputs_of(domain, data, first), data.conditions[first]
    sets["real"] = outputs_of(domain, data, second), conditions
    with console.status("running the model"):
        made = run_model(model, spec, seed + SEED_SHIFT, conditions, surroundings(domain, data, second))
        sets[model.manifest.generator] = made, conditions
        if domain.linear is not None:
            z = latents(range(seed + SEED_SHIFT, seed + SEED_SHIFT + samples), model.manifest.z_dim)
            sets["linear"] = run_linear(domain, domain.linear, z, conditions), conditions
    with console.status("measuring"):
        rows = compare(spec, extractor, sets, names)
        if spec.measures is not None:
            tiling = np.ones(samples, np.bool_) if data.tiles is None else data.tiles[second]
            found = asset_measures(spec, model, sets["real"], tiling, seed + SEED_SHIFT)
            rows = [replace(row, assets=found.get(row.name, {})) for row in rows]
    print_table(rows, console)
    return {
        "data": {"name": data.name, "source": data.source, "options": options},
        "samples": samples,
        "few": samples < FEW,
        "rows": [asdict(row) for row in rows],
        "beats_linear": beats_linear(rows),
    }


def with_labels(spec: GeneratorSpec, data: TrainingData, model: Model) -> GeneratorSpec:
    """The spec with the labels of the data, where these alone know them; InputError where the model has others."""
    spec = spec if data.conditions_of is None else replace(spec, conditions=data.conditions_of)
    names = [
        [column for c in conditions for column in c.columns]
        for conditions in (spec.conditions, model.manifest.conditions)
    ]
    if names[0] != names[1]:
        raise InputError(f"{model.path} was trained with other labels than these data have.")
    return spec


def tell_data(data: TrainingData, samples: int, asked: int, console: Console, left_out: Sequence[str] = ()) -> None:
    """Say what is compared with, and which files are left out; InputError where it is too little."""
    for note in (*data.notes, *left_out):
        console.print(note, soft_wrap=True, markup=False)
    if samples < FEWEST:
        raise InputError("too few samples of the data have all the maps to be compared; give data with more of them.")
    fewer = ", because the data have no more with all the maps" if samples < asked else ""
    few = " That is few: see how far apart real ones are before reading anything into the rest." * (samples < FEW)
    text = f"Compared with {data.name} ({data.source}), {samples} samples in each set{fewer}.{few}"
    console.print(text, soft_wrap=True, markup=False)


def generator(seed: int) -> np.random.Generator:
    """Random state of a comparison."""
    return np.random.default_rng([seed, SEED_SHIFT])


def draw(spec: GeneratorSpec, preset: Any, options: Mapping[str, Any], count: int, seed: int) -> TrainingData:
    """Fresh samples of the plugin's data."""
    return make_dataset(spec, replace(preset, samples=count), options, seed + SEED_SHIFT, lambda done, total: None)


def comparable(spec: GeneratorSpec, domain: Any, data: TrainingData) -> tuple[list[str], NDArray[np.bool_]]:
    """Outputs that LEAST_SHARE of the samples have, and (n,) which samples have all of these."""
    has = present(domain, data)
    names = [o.name for o in spec.outputs if o.name not in has or has[o.name].mean() >= LEAST_SHARE]
    complete = np.ones(len(data), np.bool_)
    for name in has.keys() & set(names):
        complete &= has[name]
    return names, complete


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What lies around samples that were cut from something larger.

    Attributes:
        margin: samples on both sides of each axis that are made and cut off.
        structure: (n, k, *size) what the last channels of their noise maps hold, margins included; None where the seed
            says it.
    """

    margin: int = 0
    structure: NDArray[np.float32] | None = None


def surroundings(domain: Any, data: TrainingData, index: NDArray[np.int64]) -> Surroundings:
    """Of real samples that a model's are compared with: none where samples of the data tile, or have a fixed size."""
    if domain.size is not None or data.tiles is None or data.tiles.any():
        return Surroundings()
    return Surroundings(domain.margin, None if data.structure is None else data.structure[index])


def run_model(
    model: Model, spec: GeneratorSpec, first_seed: int, conditions: NDArray[np.float32], around: Surroundings
) -> dict[str, NDArray[np.float32]]:
    """The model's outputs at truncation 1 for one seed after the other; of a size-free model at its training size.

    Args:
        model, spec: what makes them.
        first_seed: of the first.
        conditions: (n, c) physical.
        around: what is made around them and cut off.
    """
    noise, margin = model.manifest.noise, around.margin
    size = (noise.size + 2 * margin,) * noise_axes(model.manifest) if noise else None

    def make(part: slice) -> Mapping[str, Any]:
        seeds = range(first_seed + part.start, first_seed + part.stop)
        maps = None
        if size is not None:
            rows = zip(seeds, conditions[part], strict=True)
            maps = np.stack([seed_noise(model.manifest, spec, seed, row, size) for seed, row in rows])
            if around.structure is not None:
                maps[:, -around.structure.shape[1] :] = around.structure[part]
        outputs = model.run(latents(seeds, model.manifest.z_dim), conditions[part], 1.0, noise=maps)
        check_finite(model, outputs)
        return {name: cropped(array, margin) for name, array in outputs.items()}

    return in_batches(make, len(conditions))


def run_linear(domain: Any, linear: LinearModel, z: NDArray, conditions: NDArray) -> dict[str, NDArray[np.float32]]:
    """The linear model alone, with the same latents and conditions."""

    def make(part: slice) -> Mapping[str, Any]:
        given = torch.from_numpy(conditions[part])
        coefficients = linear.coefficients(torch.from_numpy(z[part]), domain.standardise(given))
        return domain.finish(linear(coefficients), given)

    return in_batches(make, len(z))


def compare(spec: GeneratorSpec, extractor: ImageFeatures | None, sets: Sets, names: Sequence[str]) -> list[Measures]:
    """Measures of all sets but the first, which they are measured against.

    Args:
        spec: the generator.
        extractor: features of pictures; None where nothing is compared as one.
        sets: outputs by name and (n, c) physical conditions of each set.
        names: outputs that are compared.
    """
    reference, *others = sets
    sight = Sight(spec, extractor, names, ranges_of(spec, sets[reference][0]))
    raw = {name: sight(*of) for name, of in sets.items()}
    space = Space(raw[reference], sight.pictures())
    places = {name: space(features) for name, features in raw.items()}
    real = places[reference]
    read = regression(real.joint, sets[reference][1])
    columns = [column for condition in spec.conditions for column in condition.columns]
    varies = np.all([np.ptp(conditions, axis=0) > 0 for _, conditions in sets.values()], 0)

    def measured(name: str) -> Measures:
        found, asked = read(places[name].joint), sets[name][1]
        return Measures(
            name=name,
            distance=dict(distances(real, places[name])),
            kernel={o: kernel_distance(raw[reference][o], raw[name][o]) for o in sight.pictures()},
            **asdict(neighbourhoods(real.joint, places[name].joint)),
            spread=relative_spread(real, places[name]),
            sliders={c: correlation(found[:, i], asked[:, i]) for i, c in enumerate(columns) if varies[i]},
        )

    return [measured(name) for name in others]


def kernel_distance(real: Features, fake: Features) -> float:
    """KID of (n, d) and (m, d) features, all at once: the mean over random subsets is for sets that are too large."""
    try:
        from torchmetrics.image.kid import KernelInceptionDistance
    except ImportError as error:
        raise GanassetsError('Measuring needs more packages: pip install "ganassets[evaluate]".') from error
    count = min(len(real), len(fake))
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore", UserWarning)  # that it keeps the features
        torch.manual_seed(0)  # it shuffles
        metric = KernelInceptionDistance(torch.nn.Identity(), subsets=1, subset_size=count).set_dtype(torch.float64)
        metric.update(torch.from_numpy(real[:count]), real=True)
        metric.update(torch.from_numpy(fake[:count]), real=False)
        return float(metric.compute()[0])


def relative_spread(real: Coordinates, other: Coordinates) -> float:
    """Mean distance between two samples by that between two reference ones."""
    return pairwise_distance(other.joint) / max(pairwise_distance(real.joint), np.finfo(float).tiny)


def correlation(found: NDArray, asked: NDArray) -> float:
    """Of (n,) and (n,); 0 where one is constant."""
    return float(np.corrcoef(found, asked)[0, 1]) if np.ptp(found) > 0 else 0.0


def asset_measures(
    spec: GeneratorSpec,
    model: Model,
    real: tuple[Mapping[str, NDArray], NDArray[np.float32]],
    tiling: NDArray[np.bool_],
    first_seed: int,
) -> dict[str, dict[str, float]]:
    """The plugin's measures of finished assets, by set: of the model's, and of real ones where these can be finished.

    Args:
        spec, model: the generator.
        real: outputs by name, and (n, c) physical conditions.
        tiling: (n,) which of these are whole: an asset can't be made of a crop.
        first_seed: of the model's assets, at truncation 1 and of the size of training samples.
    """
    manifest, settings = model.manifest, option_values(spec.settings, {})
    size = (manifest.noise.size,) * noise_axes(manifest) if manifest.noise and spec.map_size is None else None
    seeds = range(first_seed, first_seed + min(MOST_ASSETS, len(tiling)))
    request = GenerationRequest(model=str(model.path), seeds=seeds, truncation=1.0, size=size)
    found = {manifest.generator: [asset for batch in generate(model, spec, request) for asset in batch]}
    whole = np.flatnonzero(tiling)[:MOST_ASSETS]
    if len(whole):
        outputs = {name: array[whole] for name, array in real[0].items()}
        given = provenances(manifest, real[1][whole])
        names = [f"real-{i}" for i in whole]
        found["real"] = decode(spec, outputs, manifest, names, given, settings)
    return {name: measure_assets(spec, assets) for name, assets in found.items()}


def provenances(manifest: Manifest, conditions: NDArray[np.float32]) -> list[Provenance]:
    """Of assets that were made under (n, c) physical conditions."""
    columns = [column for condition in manifest.conditions for column in condition.columns]
    return [Provenance(sliders=dict(zip(columns, map(float, row), strict=True))) for row in conditions]


def regression(features: Features, conditions: NDArray, ridge: float = 1e-3) -> Callable[[Features], Features]:
    """Ridge regression of conditions on features: reads the conditions off other samples."""
    mean, centre = features.mean(0), conditions.mean(0)
    x = features - mean
    weights = np.linalg.solve(
        x.T @ x / len(x) + ridge * np.eye(x.shape[1]) / x.shape[1], x.T @ (conditions - centre) / len(x)
    )
    return lambda other: (other - mean) @ weights + centre


def beats_linear(rows: Sequence[Measures]) -> dict[str, bool] | None:
    """By output, whether the model's distance is below the linear model's; None without a linear model."""
    by_name = {row.name: row for row in rows}
    if "linear" not in by_name:
        return None
    model = rows[1]
    return {name: value < by_name["linear"].distance[name] for name, value in model.distance.items()}


def table_lines(row: Measures) -> dict[str, str]:
    """Texts of a set's measures, by name."""
    lines = {f"FD {name}": f"{value:.3g}" for name, value in row.distance.items()}
    lines |= {f"KID {name}": f"{value:.3g}" for name, value in row.kernel.items()}
    lines |= {name: f"{getattr(row, name):.2f}" for name in ("precision", "recall", "density", "coverage", "spread")}
    if row.sliders:
        lines["sliders"] = f"{np.mean(list(row.sliders.values())):.2f}"
    return lines | {name: f"{value:.3g}" for name, value in row.assets.items()}


def print_table(rows: Sequence[Measures], console: Console) -> None:
    """The comparison, a column for each set, and in a sentence whether the adversarial part earned its place."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, show_edge=False)
    columns = [table_lines(row) for row in rows]
    for title in ("", *(row.name for row in rows)):
        table.add_column(title)
    for line in dict.fromkeys(name for column in columns for name in column):
        table.add_row(line, *(column.get(line, "-") for column in columns))
    console.print(table)
    console.print("real: other real samples, the floor that as many samples allow.")
    for name, better in (beats_linear(rows) or {}).items():
        console.print(
            f"{name}: the model is {'nearer to' if better else 'FARTHER from'} the data than the linear model."
        )
