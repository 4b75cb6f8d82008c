"""Compare a model with its data and with the linear model of it: a generator has to beat its own starting point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..data import PER_SAMPLE, TrainingData, as_float
from ..errors import InputError
from ..generation import inputs_of
from ..latents import latents
from ..model import Model, noise_axes, open_model
from ..networks import LinearModel, fit_linear
from ..plugins import run_plugin
from ..spec import GeneratorSpec, Output
from ..training.settings import read_settings
from .features import ImageFeatures, image_features, robust_range, scaled_pictures
from .measures import Features, frechet_distance, pairwise_distance, precision_recall, principal_axes

if TYPE_CHECKING:
    from rich.console import Console

IMAGE_AXES, OTHER_AXES = 64, 32
FIT_SAMPLES = 2048
BATCH = 16
FEWEST = 16  # samples of a set that say anything
# Outputs by name and (n, c) physical conditions, by the name of the set.
Sets = Mapping[str, tuple[dict[str, NDArray], NDArray]]
# Data of a comparison is drawn with seeds that no training run starts from by default.
SEED_SHIFT = 1_000_003


@dataclass(frozen=True)
class Measures:
    """One row of the comparison: a set of samples against real ones.

    Attributes:
        name: what was measured.
        distance: Frechet distance of each output to the real set, by output: of pictures on the features of
            EfficientNet-Lite0, FD-EffNetLite0. Of a plugin with features of its own it is one distance, by the kind of
            asset.
        precision, recall: on all outputs' features together.
        spread: mean distance between two samples as a share of the same among real ones (collapse: far below 1).
        sliders: correlation of what a regression (fitted on real samples) reads off a sample with the condition it
            was made with, by column; columns that don't vary in the data are left out.
    """

    name: str
    distance: dict[str, float]
    precision: float
    recall: float
    spread: float
    sliders: dict[str, float]


def evaluate(spec: GeneratorSpec, model_path: Path, samples: int, seed: int, console: Console) -> dict[str, Any]:
    """Measure a model, the linear model and fresh real samples against real samples; prints a table.

    A size-free generator is measured at the size of its training samples; it has no linear model. Where these are cut
    from larger ones, so are the model's. Samples of the data that lack one of the outputs are left out, so fewer than
    asked for may be compared.

    Args:
        spec: the generator.
        model_path: its model file; with the run's config.toml beside it the run's own data options are used.
        samples: of each set.
        seed: of data and latents.
        console: where progress and the table go.

    Returns:
        JSON-able dict: samples, rows (see Measures), beats_linear.
    """
    model = open_model(model_path)
    preset, options = spec.preset(model.manifest.training.preset), {}
    config = Path(model_path).parent / "config.toml"
    if config.is_file():
        settings = read_settings(config)
        preset, options = settings.preset, settings.data_options
    components = 0 if model.manifest.noise else max(preset.components, 1)
    extractor = ImageFeatures() if any(is_picture(spec, output) for output in spec.outputs) else None
    with console.status("drawing real samples"):
        # The linear model is fitted on samples that nothing is measured on.
        apart = FIT_SAMPLES if components else 0
        data = draw(spec, preset, options, 2 * samples + apart, seed)
        order = generator(seed).permutation(len(data))
        fitted, rest = order[:apart] if components else order, order[apart:]
        fit = fit_linear(part_of(data, np.sort(fitted)), preset.z_dim, components, generator(seed))
        domain = spec.domain(preset, fit)
    rest = rest[has_all_outputs(spec, domain, part_of(data, rest))]
    if len(rest) < 2 * samples:
        samples = len(rest) // 2
        console.print(f"Samples that lack a map are left out; sets of {samples} are compared.")
    if samples < FEWEST:
        raise InputError("too few samples of the data have all the maps to be compared; give data with more of them.")
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
        rows = compare(spec, extractor, sets)
    result = {"samples": samples, "rows": [asdict(row) for row in rows], "beats_linear": beats_linear(rows)}
    print_table(rows, console)
    return result


def generator(seed: int) -> np.random.Generator:
    """Random state of a comparison."""
    return np.random.default_rng([seed, SEED_SHIFT])


def draw(spec: GeneratorSpec, preset: Any, options: Mapping[str, Any], count: int, seed: int) -> TrainingData:
    """Fresh samples of the plugin's data."""
    return spec.dataset(replace(preset, samples=count), options, seed + SEED_SHIFT, lambda done, total: None)


def part_of(data: TrainingData, index: NDArray[np.int64]) -> TrainingData:
    """Some of the samples."""
    signals = {name: array[index] for name, array in data.signals.items()}
    vectors = {name: array[index] for name, array in data.vectors.items()}
    extras = {name: getattr(data, name) for name in PER_SAMPLE}
    some = {name: None if array is None else array[index] for name, array in extras.items()}
    return replace(data, signals=signals, vectors=vectors, conditions=data.conditions[index], **some)


def has_all_outputs(spec: GeneratorSpec, domain: Any, data: TrainingData) -> NDArray[np.bool_]:
    """(n,) whether a sample has all the outputs that the domain's masks name; what else masks name doesn't matter."""
    complete = np.ones(len(data), np.bool_)
    if data.masks is None:
        return complete
    raw = {name: torch.from_numpy(array) for name, array in (data.signals | {"mask": data.masks}).items()}
    masks = domain.mask(raw)
    for output in spec.outputs:
        if output.name in masks:
            complete &= masks[output.name].flatten().numpy() > 0
    return complete


def in_batches(make: Callable[[slice], Mapping[str, Any]], count: int) -> dict[str, NDArray[np.float32]]:
    """Outputs by name of `make` over slices of [0, count), joined."""
    parts: dict[str, list[NDArray[np.float32]]] = {}
    with torch.no_grad():
        for start in range(0, count, BATCH):
            for name, value in make(slice(start, min(start + BATCH, count))).items():
                parts.setdefault(name, []).append(np.asarray(value, np.float32))
    return {name: np.concatenate(values) for name, values in parts.items()}


def outputs_of(domain: Any, data: TrainingData, index: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
    """Real samples as the model would give them."""

    def make(part: slice) -> Mapping[str, Any]:
        signals, vectors, conditions = data.batch(index[part])
        raw = {name: torch.from_numpy(as_float(a)) for name, a in (signals | vectors).items()}
        return domain.finish(raw, torch.from_numpy(conditions))

    return in_batches(make, len(index))


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
        inputs = [
            inputs_of(model.manifest, spec, seed, row, size) for seed, row in zip(seeds, conditions[part], strict=True)
        ]
        maps = [one.noise for one in inputs if one.noise is not None]
        z, noise_maps = np.stack([one.z for one in inputs]), np.stack(maps) if maps else None
        if noise_maps is not None and around.structure is not None:
            noise_maps[:, -around.structure.shape[1] :] = around.structure[part]
        outputs = model.run(z, conditions[part], 1.0, noise=noise_maps)
        return {name: cropped(array, margin) for name, array in outputs.items()}

    return in_batches(make, len(conditions))


def cropped(array: NDArray[np.float32], margin: int) -> NDArray[np.float32]:
    """(n, channels, *size) without so many samples at both ends of each axis."""
    inner = slice(margin, -margin or None)
    return array[(slice(None), slice(None), *[inner] * (array.ndim - 2))]


def run_linear(domain: Any, linear: LinearModel, z: NDArray, conditions: NDArray) -> dict[str, NDArray[np.float32]]:
    """The linear model alone, with the same latents and conditions."""

    def make(part: slice) -> Mapping[str, Any]:
        given = torch.from_numpy(conditions[part])
        coefficients = linear.coefficients(torch.from_numpy(z[part]), domain.standardise(given))
        return domain.finish(linear(coefficients), given)

    return in_batches(make, len(z))


def is_picture(spec: GeneratorSpec, output: Output) -> bool:
    """Whether samples of an output are compared as pictures: colours, and maps of which nothing is aligned because the
    signals wrap along every axis."""
    shown = output.unit == "sRGB" or all(spec.wraps)
    return spec.features is None and output.axes == ("channel", "height", "width") and shown


def compared(
    spec: GeneratorSpec, extractor: ImageFeatures | None, sets: Sets
) -> Iterator[tuple[str, bool, dict[str, Features]]]:
    """What there is to compare: its name, whether its features are those of pictures, and (n, k) features by set.

    Where the plugin has no features of its own, outputs that are no pictures are compared as vectors.
    """
    reference = next(iter(sets.values()))[0]
    if spec.features is not None:
        task = f"{spec.name}'s features"
        yield spec.asset_kind, False, {name: run_plugin(task, spec.features, *of) for name, of in sets.items()}
        return
    for output in spec.outputs:
        if output.name not in reference:
            continue
        maps = {name: arrays[output.name] for name, (arrays, _) in sets.items()}
        if extractor is not None and is_picture(spec, output):
            low, high = (0.0, 1.0) if output.unit == "sRGB" else robust_range(reference[output.name])
            pictures = {name: scaled_pictures(values, low, high) for name, values in maps.items()}
            yield output.name, True, {name: image_features(extractor, shown) for name, shown in pictures.items()}
        else:
            flat = {name: values.reshape(len(values), -1).astype(np.float64) for name, values in maps.items()}
            yield output.name, False, flat


def compare(spec: GeneratorSpec, extractor: ImageFeatures | None, sets: Sets) -> list[Measures]:
    """Rows of all sets but the first, which they are measured against.

    Args:
        spec: the generator.
        extractor: features of pictures; None where nothing is compared as one.
        sets: outputs by name and (n, c) physical conditions of each set.
    """
    features: dict[str, list[Features]] = {name: [] for name in sets}
    outputs = []
    reference = next(iter(sets))
    for what, picture, raw in compared(spec, extractor, sets):
        outputs.append(what)
        mean, axes = principal_axes(raw[reference], IMAGE_AXES if picture else OTHER_AXES)
        # Features of EfficientNet keep their scale, so distances compare with others' figures; other outputs are
        # scaled to unit total variance, which makes their distance a share of it.
        scale = 1.0 if picture else np.sqrt((((raw[reference] - mean) @ axes) ** 2).sum(1).mean())
        for name in sets:
            features[name].append((raw[name] - mean) @ axes / scale)
    balanced = {name: np.concatenate([f / balance(r) for f, r in zip(parts, features[reference], strict=True)], 1)
                for name, parts in features.items()}  # fmt: skip
    read = regression(balanced[reference], sets[reference][1])
    columns = [column for condition in spec.conditions for column in condition.columns]
    varies = np.all([np.ptp(conditions, axis=0) > 0 for _, conditions in sets.values()], 0)
    real_spread = pairwise_distance(balanced[reference])
    rows = []
    for name in list(sets)[1:]:
        precision, recall = precision_recall(balanced[reference], balanced[name])
        distance = {
            o: frechet_distance(r, f) for o, r, f in zip(outputs, features[reference], features[name], strict=True)
        }
        found, asked = read(balanced[name]), sets[name][1]
        sliders = {c: float(np.corrcoef(found[:, i], asked[:, i])[0, 1]) for i, c in enumerate(columns) if varies[i]}
        rows.append(
            Measures(name, distance, precision, recall, pairwise_distance(balanced[name]) / real_spread, sliders)
        )
    return rows


def balance(features: Features) -> float:
    """Root of the total variance, so that each output weighs the same in joint measures."""
    return float(np.sqrt(features.var(0).sum()))


def regression(features: Features, conditions: NDArray, ridge: float = 1e-3) -> Callable[[Features], Features]:
    """Ridge regression of conditions on features: reads the conditions off other samples."""
    mean, centre = features.mean(0), conditions.mean(0)
    x = features - mean
    weights = np.linalg.solve(
        x.T @ x / len(x) + ridge * np.eye(x.shape[1]) / x.shape[1], x.T @ (conditions - centre) / len(x)
    )
    return lambda other: (other - mean) @ weights + centre


def beats_linear(rows: list[Measures]) -> dict[str, bool] | None:
    """By output, whether the model's distance is below the linear model's; None without a linear model."""
    by_name = {row.name: row for row in rows}
    if "linear" not in by_name:
        return None
    model = rows[1]
    return {name: value < by_name["linear"].distance[name] for name, value in model.distance.items()}


def print_table(rows: list[Measures], console: Console) -> None:
    """The comparison, and in a sentence whether the adversarial part earned its place."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=0, show_edge=False)  # fits 80 characters
    for title in ("", *(f"FD\n{name}" for name in rows[0].distance), "precision", "recall", "spread", "sliders"):
        table.add_column(title, min_width=max(map(len, title.split("\n"))))
    for row in rows:
        values = [f"{value:.3g}" for value in row.distance.values()]
        mean = float(np.mean(list(row.sliders.values())))
        table.add_row(
            row.name, *values, f"{row.precision:.2f}", f"{row.recall:.2f}", f"{row.spread:.2f}", f"{mean:.2f}"
        )
    console.print(table)
    won = beats_linear(rows)
    for name, better in (won or {}).items():
        console.print(
            f"{name}: the model is {'nearer to' if better else 'FARTHER from'} the data than the linear model."
        )
