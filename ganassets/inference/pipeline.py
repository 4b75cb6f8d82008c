"""Make assets from recipes: latents, the network, the plugin's decoder."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..api.assets import Asset
from ..api.errors import InputError
from ..api.latents import latent, normal_noise_map
from ..api.manifest import Manifest
from ..api.options import check_value
from ..api.plugin_calls import choose_map_size, decode, make_noise
from ..api.provenance import Provenance
from .model import noise_axes
from .recipe import Recipe, SharedOptions, short_floats, unpack_floats
from .sizes import check_size, format_size, is_too_large
from .tiled import run_in_windows

if TYPE_CHECKING:
    from ..api.spec import GeneratorSpec
    from .model import Model, ModelFile

# For size-free models.
DEFAULT_SIZES = 4  # training sizes in the default size
TEXELS_AT_ONCE = 2**20  # more would take too much memory
DEFAULT_WINDOW = 1024


def condition_of(manifest: Manifest, row: NDArray[np.float32]) -> dict[str, float]:
    """Name the physical values of a row (c,) by their columns."""
    columns = [column for condition in manifest.conditions for column in condition.columns]
    return dict(zip(columns, short_floats(row), strict=True))


def check_recipe(file: ModelFile, spec: GeneratorSpec, recipe: Recipe) -> None:
    """Raise InputError unless a recipe is one of this model's."""
    manifest = file.manifest
    if recipe.model != file.digest:
        raise InputError(
            f"{recipe.name} was made with another model ({recipe.generator}, SHA-256 {recipe.model[:12]}...) than "
            f"{file.path}; name that one."
        )
    if list(recipe.condition) != [column for condition in manifest.conditions for column in condition.columns]:
        raise InputError(f"the recipe of {recipe.name} has other sliders than {file.path}.")
    if recipe.z is not None and len(unpack_floats(recipe.z)) != manifest.z_dim:
        raise InputError(f"the recipe of {recipe.name} has a latent of another length than {file.path} takes.")
    lengths = (manifest.w_dim, manifest.layers * manifest.w_dim)
    if recipe.w_offset is not None and len(unpack_floats(recipe.w_offset)) not in lengths:
        raise InputError(f"the recipe of {recipe.name} has an offset of another length than {file.path} takes.")
    settings = {option.name: option for option in spec.settings}
    if recipe.settings.keys() != settings.keys():
        raise InputError(f"the recipe of {recipe.name} has other settings than {spec.name} {spec.version}.")
    for name, value in recipe.settings.items():
        check_value(settings[name], value)
    map_size(manifest, spec, recipe)


def recipe_size(manifest: Manifest, spec: GeneratorSpec, options: SharedOptions) -> tuple[int, ...] | None:
    """Return the size that recipes of a request have: the one it names, or the model's default.

    The default is None for a model that has a size of its own, or whose plugin chooses the size of each asset.
    """
    if options.size or manifest.noise is None or spec.map_size:
        return options.size
    return (DEFAULT_SIZES * manifest.noise.size,) * noise_axes(manifest)


def map_size(manifest: Manifest, spec: GeneratorSpec, options: SharedOptions) -> tuple[int, ...] | None:
    """Return the size of the noise map for a request or a recipe.

    It is None for a model that has a size of its own, or whose plugin chooses the size of each asset.

    Raises:
        InputError: The model makes one size only, or the size is no multiple of its stride and may not be cropped.
    """
    noise, size = manifest.noise, options.size
    if noise is None or spec.map_size:
        if size is not None or options.crop or options.window is not None:
            why = "make one size only" if noise is None else "choose their size themselves"
            raise InputError(f"models of {manifest.generator} {why}; leave out --size, --crop and --window.")
        return None
    if size is None:
        return recipe_size(manifest, spec, options)
    check_size(size)
    if len(size) != noise_axes(manifest):
        raise InputError(f"a size of {format_size(size)} is not possible; this model has {noise_axes(manifest)} axes.")
    rounded = tuple(-(-side // noise.stride) * noise.stride for side in size)
    if rounded != tuple(size) and not options.crop:
        below = tuple(max(side // noise.stride, 1) * noise.stride for side in size)
        nearest_sizes = " or ".join(dict.fromkeys((format_size(below), format_size(rounded))))
        raise InputError(
            f"the size {format_size(size)} is no multiple of {noise.stride}; use {nearest_sizes}, "
            f"or --crop, which cuts it from {format_size(rounded)} but loses the tiling."
        )
    return rounded


def limit_batch(batch: int, size: Sequence[int] | None) -> int:
    """Return how many of `batch` samples fit in one pass of the network for a noise map of a size."""
    return batch if size is None else max(1, min(batch, TEXELS_AT_ONCE // math.prod(size)))


@dataclass(frozen=True, eq=False)
class Inputs:
    """The network's inputs for one sample.

    Attributes:
        z: (z_dim,) latent.
        condition: (c,) physical values.
        noise: (channels, *size) noise map; None unless the model is size-free.
        w_offset: (layers, w_dim) offset in w; None for zeros.
    """

    z: NDArray[np.float32]
    condition: NDArray[np.float32]
    noise: NDArray[np.float32] | None
    w_offset: NDArray[np.float32] | None = None


def latent_of(manifest: Manifest, recipe: Recipe) -> NDArray[np.float32]:
    """Return the latent of a recipe, (z_dim,)."""
    return latent(recipe.seed, manifest.z_dim) if recipe.z is None else unpack_floats(recipe.z)


def recipe_offset(manifest: Manifest, recipe: Recipe) -> NDArray[np.float32]:
    """Return the offset in w of a recipe, (layers, w_dim)."""
    shape = (manifest.layers, manifest.w_dim)
    if recipe.w_offset is None:
        return np.zeros(shape, np.float32)
    return np.broadcast_to(unpack_floats(recipe.w_offset).reshape(-1, manifest.w_dim), shape)


def inputs_of(manifest: Manifest, spec: GeneratorSpec, recipe: Recipe) -> Inputs:
    """Return the network's inputs for a recipe.

    A morphed noise map blends the maps of two seeds, both made for the recipe's own conditions.
    """
    row, z, offset = recipe.row, latent_of(manifest, recipe), recipe_offset(manifest, recipe)
    if manifest.noise is None:
        return Inputs(z, row, None, offset)
    size = map_size(manifest, spec, recipe)
    if size is None:
        size = choose_map_size(spec, recipe.settings, row, manifest.noise, noise_axes(manifest))
        if is_too_large(size):
            raise InputError(f"{recipe.name} would be too large to be made ({format_size(size)} samples).")
    noise = seed_noise(manifest, spec, recipe.seed, row, size)
    if recipe.morph:
        noise = blended_noise(noise, seed_noise(manifest, spec, recipe.morph[0], row, size), recipe.morph[1])
    return Inputs(z, row, noise, offset)


def seed_noise(
    manifest: Manifest, spec: GeneratorSpec, seed: int, row: NDArray[np.float32], size: Sequence[int]
) -> NDArray[np.float32]:
    """Return the noise map of a seed under physical conditions (c,), (channels, *size)."""
    assert manifest.noise is not None
    if spec.noise:
        return make_noise(spec, seed, row, manifest.noise.channels, size, manifest.arrays)
    return normal_noise_map(seed, manifest.noise.channels, size)


def blended_noise(a: NDArray[np.float32], b: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Blend two noise maps (channels, *size); share 0 is exactly a, share 1 exactly b.

    The standard deviation of each channel is interpolated, too: a plain sum of unrelated noise would be flatter.
    """
    if share in (0, 1):
        return b if share else a
    axes = tuple(range(1, a.ndim))
    blended = (1 - share) * a + share * b
    mean = blended.mean(axes, keepdims=True)
    spread = (1 - share) * a.std(axes, keepdims=True) + share * b.std(axes, keepdims=True)
    return (mean + (blended - mean) * (spread / np.maximum(blended.std(axes, keepdims=True), 1e-6))).astype(np.float32)


def make_assets(model: Model, spec: GeneratorSpec, recipes: Sequence[Recipe]) -> list[Asset]:
    """Make one asset for each recipe, in order.

    Recipes of the same size, truncation and settings go through the network together.

    Args:
        model: Opened and checked against spec.
        spec: The plugin that decodes.
        recipes: Recipes of this model; see check_recipe.
    """
    inputs = [inputs_of(model.manifest, spec, recipe) for recipe in recipes]
    assets: dict[int, Asset] = {}
    for group in _group_recipes(recipes, inputs):
        made = _make_group(model, spec, [recipes[i] for i in group], [inputs[i] for i in group])
        assets |= dict(zip(group, made, strict=True))
    return [assets[i] for i in range(len(recipes))]


def _group_recipes(recipes: Sequence[Recipe], inputs: Sequence[Inputs]) -> list[list[int]]:
    """Return groups of indices of recipes that can go through the network together."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for i, (recipe, part) in enumerate(zip(recipes, inputs, strict=True)):
        shape = () if part.noise is None else part.noise.shape
        key = (shape, recipe.size, recipe.truncation, recipe.window, tuple(sorted(recipe.settings.items())))
        groups.setdefault(key, []).append(i)
    return list(groups.values())


def run_inputs(
    model: Model, inputs: Sequence[Inputs], truncation: float, window: int | None = None
) -> dict[str, NDArray[np.float32]]:
    """Run the model for inputs of one size, in windows where the maps are large.

    Args:
        model: Opened.
        inputs: n samples.
        truncation: 0 to 1.
        window: Samples of an axis to compute at once; None chooses by the size.

    Returns:
        Arrays (n, ...) by output name.
    """
    manifest = model.manifest
    z, condition = (np.stack([getattr(part, name) for part in inputs]) for name in ("z", "condition"))
    none = np.zeros((manifest.layers, manifest.w_dim), np.float32)
    offset = np.stack([none if part.w_offset is None else part.w_offset for part in inputs])
    info = manifest.noise
    if info is None:
        return model.run(z, condition, truncation, offset)
    noise = np.stack([part.noise for part in inputs if part.noise is not None])
    side = window or (max(noise.shape[2:]) if noise[0, 0].size <= TEXELS_AT_ONCE else DEFAULT_WINDOW)

    def run(part: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        return model.run(z, condition, truncation, offset, noise=part)

    return run_in_windows(run, noise, side, info.stride, info.reach)


def check_finite(model: Model, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Raise InputError where an output has numbers that are not finite."""
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise InputError(f"{model.path} makes {name} with numbers that are not finite; train it again.")


def _make_group(model: Model, spec: GeneratorSpec, recipes: Sequence[Recipe], inputs: Sequence[Inputs]) -> list[Asset]:
    """Make the assets of one group."""
    first = recipes[0]
    arrays = run_inputs(model, inputs, first.truncation, first.window)
    check_finite(model, arrays)
    names = [recipe.name for recipe in recipes]
    provenances = [provenance_of(recipe) for recipe in recipes]
    made: list[Any] = decode(spec, arrays, model.manifest, names, provenances, first.settings)
    size = None if inputs[0].noise is None else inputs[0].noise.shape[1:]
    if first.size in (None, size) or not first.crop:
        return made
    if not all(hasattr(asset, "cropped") for asset in made):
        raise InputError(f"assets of {spec.name} can't be cropped; leave out --crop.")
    return [asset.cropped(recipe.size) for recipe, asset in zip(recipes, made, strict=True)]


def provenance_of(recipe: Recipe) -> Provenance:
    """Return what files say about the origin of a recipe's asset."""
    return Provenance(
        generator=f"{recipe.generator} {recipe.generator_version}",
        model_digest=recipe.model,
        seed=recipe.seed,
        morph=recipe.morph,
        truncation=recipe.truncation,
        sliders=recipe.condition,
        licence=recipe.licence,
        software=recipe.software,
        recipe=recipe.to_json(),
    )
