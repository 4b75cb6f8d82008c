"""Compare a model with its data, with the linear model that its training started from, and with other methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...api.data import TrainingData
from ...api.data.records import summarize_left_out
from ...api.errors import GanassetsError
from ...api.latents import latents
from ...api.manifest import Manifest
from ...api.options import option_values
from ...api.plugin_calls import decode, make_baselines, measure_assets
from ...api.provenance import Provenance
from ...api.spec import GeneratorSpec, NoiseMap, Preset
from ...inference.model import Model, noise_axes, open_model
from ...inference.pipeline import check_finite
from ...inference.request import GenerationRequest
from ...inference.resolve import generate_assets
from ..networks import Domain, LinearModel
from ..plugin_domain import make_noise_map
from ..run_folder import CONFIG
from ..settings import read_settings
from .comparison_data import MIN_SAMPLES, SEED_SHIFT, SMALL_SAMPLE, ComparisonData, draw_comparison_data, print_data
from .comparison_table import print_table
from .feature_space import is_compared_as_image
from .features import ImageFeatures
from .samples import compute_real_outputs, crop_margin, find_present_outputs, run_in_batches
from .set_measures import beats_linear, measure_sets

if TYPE_CHECKING:
    from rich.console import Console

# Most assets that a plugin's own measures are computed from.
MAX_ASSETS = 64


def evaluate(
    spec: GeneratorSpec,
    model_path: Path,
    samples: int,
    seed: int,
    console: Console,
    data_options: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Measure a model, the linear model, other methods and fresh real samples against real samples, and print a table.

    The other methods are those of the plugin, such as image quilting of the data. A size-free generator is measured at
    the size of its training samples, and has no linear model. If its training samples are crops, so are the model's
    samples. Outputs that many samples of the data lack are left out; then the samples that lack one of the rest are
    left out, so fewer than requested may be compared. The same arguments give the same numbers.

    Args:
        spec: Generator of the model.
        model_path: Model file. The run's own data options are used if its config.toml lies beside the file.
        samples: Number of samples in each set.
        seed: Random seed of data and latents.
        console: Where progress and the table are printed.
        data_options: Options of the plugin's dataset, which override the run's.

    Returns:
        JSON-able dict: data (name, source and options), samples, few (whether the sample is small), rows (see
        SetMeasures), beats_linear.

    Raises:
        InputError: The data can't be read, or hold too few samples.
    """
    model = open_model(model_path)
    preset, options = read_run_options(spec, model, model_path)
    options = {**options, **(data_options or {})}
    needs_network = any(is_compared_as_image(spec, output) for output in spec.outputs)
    image_network = ImageFeatures() if needs_network else None
    check_network = load_check_network(console) if needs_network else None
    with console.status("drawing real samples"):
        found = draw_comparison_data(spec, preset, options, model, samples, seed)
    left_out = summarize_left_out(found.data.files, spec.name, options.get(spec.folder_option or ""))
    print_data(found.data, len(found.others), samples, console, left_out)
    first_seed = seed + SEED_SHIFT
    with console.status("running the model"):
        sets = make_sets(found, model, first_seed)
    if found.spec.baselines is not None:
        with console.status("making samples by other methods"):
            sets |= make_baseline_sets(found, preset, options, first_seed)
    with console.status("measuring"):
        rows = measure_sets(found.spec, image_network, sets, found.names, check_network)
        if found.spec.measures is not None:
            assets = measure_finished_assets(found, model, sets["real"], first_seed)
            rows = [replace(row, assets=assets.get(row.name, {})) for row in rows]
    print_table(rows, console)
    return {
        "data": {"name": found.data.name, "source": found.data.source, "options": options},
        "samples": len(found.others),
        "few": len(found.others) < SMALL_SAMPLE,
        "rows": [asdict(row) for row in rows],
        "beats_linear": beats_linear(rows),
    }


def read_run_options(spec: GeneratorSpec, model: Model, model_path: Path) -> tuple[Preset, Mapping[str, str]]:
    """Return preset and data options of the run whose config.toml lies beside a model file, else the model's preset."""
    config = Path(model_path).parent / CONFIG
    if config.is_file():
        settings = read_settings(config)
        return settings.preset, settings.data_options
    return spec.preset(model.manifest.training.preset), {}


def load_check_network(console: Console) -> ImageFeatures | None:
    """Return the network that checks the measures by the first one; None, with a line, when it is not installed."""
    try:
        return ImageFeatures(2)
    except GanassetsError:
        line = 'Not checked by the features of another network; install it: pip install "ganassets[evaluate]".'
        console.print(line, soft_wrap=True, markup=False)
        return None


def make_sets(found: ComparisonData, model: Model, first_seed: int) -> dict[str, tuple[Mapping[str, NDArray], NDArray]]:
    """Return the reference set, other real samples, the model's samples and, if there is one, the linear model's."""
    data, domain = found.data, found.domain
    conditions = data.conditions[found.others]
    sets: dict[str, tuple[Mapping[str, NDArray], NDArray]] = {
        "reference": (compute_real_outputs(domain, data, found.reference), data.conditions[found.reference]),
        "real": (compute_real_outputs(domain, data, found.others), conditions),
    }
    context = find_crop_context(domain, data, found.others)
    noise_map = make_noise_map(found.spec, domain)
    sets[model.manifest.generator] = run_model(model, noise_map, first_seed, conditions, context), conditions
    if domain.linear is not None:
        z = latents(range(first_seed, first_seed + len(conditions)), model.manifest.z_dim)
        sets["linear"] = run_linear(domain, domain.linear, z, conditions), conditions
    return sets


def make_baseline_sets(
    found: ComparisonData, preset: Preset, options: Mapping[str, Any], seed: int
) -> dict[str, tuple[Mapping[str, NDArray], NDArray]]:
    """Return the plugin's samples by other methods than a model: as many as there are real ones, with all outputs."""
    sets: dict[str, tuple[Mapping[str, NDArray], NDArray]] = {}
    wanted = replace(preset, samples=len(found.others))
    for name, data in make_baselines(found.spec, wanted, options, seed).items():
        complete = np.ones(len(data), np.bool_)
        for output, present in find_present_outputs(found.domain, data).items():
            if output in found.names:
                complete &= present
        index = np.flatnonzero(complete)
        if len(index) >= MIN_SAMPLES:
            sets[name] = compute_real_outputs(found.domain, data, index), data.conditions[index]
    return sets


@dataclass(frozen=True, eq=False)
class CropContext:
    """Surroundings of samples that were cropped from larger ones.

    Attributes:
        margin: Samples on both sides of each axis that are made and cropped.
        structure: (n, k, *size) last channels of their noise maps, with margins; None when the seed determines them.
    """

    margin: int = 0
    structure: NDArray[np.float32] | None = None


def find_crop_context(domain: Domain, data: TrainingData, index: NDArray[np.int64]) -> CropContext:
    """Return the surroundings of real samples; none if some of the data tile or have a fixed size."""
    if domain.size is not None or data.tiles is None or data.tiles.any():
        return CropContext()
    # A domain that takes windows of larger maps makes their structure from the seed as well.
    structure = None if data.structure is None or domain.window_of else data.structure[index]
    return CropContext(domain.margin, structure)


def run_model(
    model: Model, noise_map: NoiseMap, first_seed: int, conditions: NDArray[np.float32], context: CropContext
) -> dict[str, NDArray[np.float32]]:
    """Run a model at truncation 1 on consecutive seeds; a size-free model at its training size.

    Args:
        model: The model.
        noise_map: Makes the noise maps of a size-free model.
        first_seed: First seed.
        conditions: (n, c) physical condition values.
        context: Surroundings to make and crop.
    """
    noise, margin = model.manifest.noise, context.margin
    size = (noise.size + 2 * margin,) * noise_axes(model.manifest) if noise else None

    def run_rows(rows: slice) -> Mapping[str, NDArray]:
        seeds = range(first_seed + rows.start, first_seed + rows.stop)
        maps = None
        if size is not None:
            given = zip(seeds, conditions[rows], strict=True)
            maps = np.stack([noise_map(seed, row, size) for seed, row in given])
            if context.structure is not None:
                maps[:, -context.structure.shape[1] :] = context.structure[rows]
        outputs = model.run(latents(seeds, model.manifest.z_dim), conditions[rows], 1.0, noise=maps)
        check_finite(model, outputs)
        return {name: crop_margin(array, margin) for name, array in outputs.items()}

    return run_in_batches(run_rows, len(conditions))


def run_linear(
    domain: Domain, linear: LinearModel, z: NDArray[np.float32], conditions: NDArray[np.float32]
) -> dict[str, NDArray[np.float32]]:
    """Run the linear model alone on (n, z_dim) latents and (n, c) physical condition values."""

    def run_rows(rows: slice) -> Mapping[str, Tensor]:
        condition = torch.from_numpy(conditions[rows])
        coefficients = linear.coefficients(torch.from_numpy(z[rows]), domain.standardise(condition))
        return domain.finish(linear(coefficients), condition)

    return run_in_batches(run_rows, len(z))


def measure_finished_assets(
    found: ComparisonData, model: Model, real: tuple[Mapping[str, NDArray], NDArray[np.float32]], first_seed: int
) -> dict[str, dict[str, float]]:
    """Compute the plugin's measures of finished assets: the model's, and real ones if assets can be made of them.

    The model's assets are at truncation 1 and of the size of training samples.

    Args:
        found: Real samples.
        model: The model.
        real: Outputs by name, and (n, c) physical condition values, of the set "real".
        first_seed: First seed of the model's assets.

    Returns:
        Measures by name, by the name of the set.
    """
    spec, manifest = found.spec, model.manifest
    settings = option_values(spec.settings, {})
    size = (manifest.noise.size,) * noise_axes(manifest) if manifest.noise and spec.map_size is None else None
    count = len(found.others)
    seeds = range(first_seed, first_seed + min(MAX_ASSETS, count))
    request = GenerationRequest(model=str(model.path), seeds=seeds, truncation=1.0, size=size)
    assets = {manifest.generator: [asset for batch in generate_assets(model, spec, request) for asset in batch]}
    # A crop makes no asset.
    tiles = np.ones(count, np.bool_) if found.data.tiles is None else found.data.tiles[found.others]
    index = np.flatnonzero(tiles)[:MAX_ASSETS]
    if len(index):
        outputs = {name: array[index] for name, array in real[0].items()}
        names = [f"real-{i}" for i in index]
        provenances = make_provenances(manifest, real[1][index])
        assets["real"] = decode(spec, outputs, manifest, names, provenances, settings)
    return {name: measure_assets(spec, found_assets) for name, found_assets in assets.items()}


def make_provenances(manifest: Manifest, conditions: NDArray[np.float32]) -> list[Provenance]:
    """Return the provenances of assets under (n, c) physical condition values."""
    columns = [column for condition in manifest.conditions for column in condition.columns]
    return [Provenance(sliders=dict(zip(columns, map(float, row), strict=True))) for row in conditions]
