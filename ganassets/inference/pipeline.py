"""From requests to recipes, and from recipes to assets: latents, the network, the plugin's decoder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..api.assets import Asset, Provenance
from ..api.errors import InputError
from ..api.latents import condition_row, latent, noise_map
from ..api.manifest import Manifest
from ..api.options import check_value
from ..api.plugin_calls import choose_map_size, decode, make_noise
from .conditions import Wish, check_learnt, wanted_row
from .model import noise_axes
from .recipe import MOST_SIDE, Recipe, recipe_of, short_floats, unpack_floats
from .tiled import run_in_windows

if TYPE_CHECKING:
    from ..api.spec import GeneratorSpec
    from .model import Model, ModelFile

DEFAULT_TRUNCATION = 0.85
# Of size-free models.
DEFAULT_SIZES = 4  # training sizes that the default size has
MOST_TEXELS = 16 * 2**20
TEXELS_AT_ONCE = 2**20  # more take too much memory
WINDOW = 1024


@dataclass(frozen=True)
class Request:
    """What to generate.

    Attributes:
        seeds: one asset each.
        truncation: 0 (all alike) to 1 (the data's whole variety).
        wishes: by condition name: a slider's value, or shares of a category's choices (scaled to a sum of 1).
            Conditions without a wish are drawn from likely combinations by the seed.
        batch: assets that run through the network at once. How many may change the last bits of an asset.
        size: of size-free models whose plugin doesn't choose it: samples along each axis (rows, columns); None for four
            times that of training.
        crop: a size that is no multiple of the model's stride is cut from the next larger one.
        window: of size-free models: samples of an axis to compute at once; None chooses by the size.
        settings: of the plugin, all of them, by name.
    """

    seeds: Sequence[int]
    truncation: float = DEFAULT_TRUNCATION
    wishes: Mapping[str, Wish] = field(default_factory=dict)
    batch: int = 8
    size: tuple[int, ...] | None = None
    crop: bool = False
    window: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.window is not None and self.window < 1:
            raise InputError(f"a window of {self.window} samples is not possible.")
        if not 0.0 <= self.truncation <= 1.0:
            raise InputError(f"truncation {self.truncation:g} is outside 0..1.")
        if self.batch < 1:
            raise InputError(f"a batch of {self.batch} is not possible; use 1 or more.")


def asset_name(generator: str, seed: int) -> str:
    """Name of a seed's asset and the stem of its files, "faces-00000007"."""
    return f"{generator}-{seed:08d}"


def generate(model: Model, spec: GeneratorSpec, request: Request) -> Iterator[list[Asset]]:
    """Assets batch by batch, in the order of the request; wishes and size are checked before the first.

    Args:
        model: opened and checked against spec.
        spec: the plugin that decodes.
        request: what to make.
    """
    check_request(model.manifest, spec, request)
    recipes = (seed_recipe(model, spec, request, seed) for seed in request.seeds)
    size = map_size(model.manifest, spec, request)
    batch = request.batch if size is None else max(1, min(request.batch, TEXELS_AT_ONCE // int(np.prod(size))))
    return (make_assets(model, spec, part) for part in _batches(recipes, batch))


def check_request(manifest: Manifest, spec: GeneratorSpec, request: Request) -> None:
    """InputError where a model can't make what is asked for: unknown or unlearnt wishes, impossible sizes."""
    wanted_row(manifest.conditions, request.wishes)
    check_learnt(manifest, request.wishes)
    map_size(manifest, spec, request)


def seed_recipe(
    file: ModelFile,
    spec: GeneratorSpec,
    request: Request,
    seed: int,
    name: str = "",
    wishes: Mapping[str, Wish] | None = None,
) -> Recipe:
    """The recipe of one of a request's seeds.

    Args:
        file: the model.
        spec: its plugin.
        request: what is wanted; its seeds and batch don't matter.
        seed: of the asset.
        name: of the asset; the generator's and the seed by default.
        wishes: in place of the request's.

    Raises:
        InputError: a wish doesn't fit, or something of it is too long for a recipe.
    """
    manifest = file.manifest
    wanted = wanted_row(manifest.conditions, request.wishes if wishes is None else wishes)
    size = request.size
    if manifest.noise and not spec.map_size and size is None:
        size = (DEFAULT_SIZES * manifest.noise.size,) * noise_axes(manifest)
    name = name or asset_name(manifest.generator, seed)
    fields = {
        "generator": manifest.generator,
        "generator_version": manifest.generator_version,
        "software": f"ganassets {__version__}",
        "licence": manifest.licence,
        "model": file.digest,
        "name": name,
        "seed": seed,
        "truncation": request.truncation,
        "condition": condition_of(manifest, condition_row(seed, manifest.rows, wanted, manifest.choice_columns)),
        "size": size,
        "crop": request.crop,
        "window": request.window,
        "settings": dict(request.settings),
    }
    return recipe_of(fields, f"the recipe of {name}")


def condition_of(manifest: Manifest, row: NDArray[np.float32]) -> dict[str, float]:
    """(c,) physical values by column."""
    columns = [column for condition in manifest.conditions for column in condition.columns]
    return dict(zip(columns, short_floats(row), strict=True))


def check_recipe(file: ModelFile, spec: GeneratorSpec, recipe: Recipe) -> None:
    """InputError unless a recipe is one of this model's."""
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


def map_size(manifest: Manifest, spec: GeneratorSpec, request: Request | Recipe) -> tuple[int, ...] | None:
    """Size of the noise maps; None for a model that has a size of its own, or whose plugin chooses one each.

    Raises:
        InputError: the model makes one size only, or the size is no multiple of its stride and may not be cropped.
    """
    noise, size = manifest.noise, request.size
    if noise is None or spec.map_size:
        if size is not None or request.crop or request.window is not None:
            why = "make one size only" if noise is None else "choose their size themselves"
            raise InputError(f"models of {manifest.generator} {why}; leave out --size, --crop and --window.")
        return None
    if size is None:
        return (DEFAULT_SIZES * noise.size,) * noise_axes(manifest)
    if len(size) != noise_axes(manifest) or min(size) < 1 or is_too_large(size):
        raise InputError(
            f"a size of {size_text(size)} is not possible; at most {MOST_TEXELS:,} texels are, {MOST_SIDE:,} a side."
        )
    rounded = tuple(-(-side // noise.stride) * noise.stride for side in size)
    if rounded != tuple(size) and not request.crop:
        below = tuple(max(side // noise.stride, 1) * noise.stride for side in size)
        nearest_sizes = " or ".join(dict.fromkeys((size_text(below), size_text(rounded))))
        raise InputError(
            f"the size {size_text(size)} is no multiple of {noise.stride}; take {nearest_sizes}, "
            f"or --crop, which cuts {size_text(rounded)} and so loses the tiling."
        )
    return rounded


def is_too_large(size: Sequence[int]) -> bool:
    """Whether a map of that size is more than can be made."""
    return max(size) > MOST_SIDE or np.prod(size, dtype=float) > MOST_TEXELS


def size_text(size: Sequence[int]) -> str:
    """ "1024x512", the width first, of a size along rows and columns."""
    return "x".join(str(side) for side in reversed(size))


def _batches(recipes: Iterator[Recipe], size: int) -> Iterator[list[Recipe]]:
    rest = recipes
    while part := list(islice(rest, size)):
        yield part


@dataclass(frozen=True, eq=False)
class Inputs:
    """What one sample goes into the network with: latent, physical conditions, a noise map where the model is
    size-free, (layers, w_dim) offsets where there are any.
    """

    z: NDArray[np.float32]
    condition: NDArray[np.float32]
    noise: NDArray[np.float32] | None
    w_offset: NDArray[np.float32] | None = None


def latent_of(manifest: Manifest, recipe: Recipe) -> NDArray[np.float32]:
    """(z_dim,) the latent of a recipe."""
    return latent(recipe.seed, manifest.z_dim) if recipe.z is None else unpack_floats(recipe.z)


def offset_of(manifest: Manifest, recipe: Recipe) -> NDArray[np.float32]:
    """(layers, w_dim) the offset of a recipe."""
    shape = (manifest.layers, manifest.w_dim)
    if recipe.w_offset is None:
        return np.zeros(shape, np.float32)
    return np.broadcast_to(unpack_floats(recipe.w_offset).reshape(-1, manifest.w_dim), shape)


def inputs_of(manifest: Manifest, spec: GeneratorSpec, recipe: Recipe) -> Inputs:
    """The inputs of a recipe. A morphed noise map is made of two for the conditions on the way, so that it fits."""
    row, z, offset = recipe.row, latent_of(manifest, recipe), offset_of(manifest, recipe)
    if manifest.noise is None:
        return Inputs(z, row, None, offset)
    size = map_size(manifest, spec, recipe)
    if size is None:
        size = choose_map_size(spec, recipe.settings, row, manifest.noise, noise_axes(manifest))
        if is_too_large(size):
            raise InputError(f"{recipe.name} would be too large to be made ({size_text(size)} samples).")
    noise = seed_noise(manifest, spec, recipe.seed, row, size)
    if recipe.morph:
        noise = blended_noise(noise, seed_noise(manifest, spec, recipe.morph[0], row, size), recipe.morph[1])
    return Inputs(z, row, noise, offset)


def seed_noise(
    manifest: Manifest, spec: GeneratorSpec, seed: int, row: NDArray[np.float32], size: Sequence[int]
) -> NDArray[np.float32]:
    """(channels, *size) the noise map of a seed under physical conditions (c,)."""
    assert manifest.noise is not None
    if spec.noise:
        return make_noise(spec, seed, row, manifest.noise.channels, size)
    return noise_map(seed, manifest.noise.channels, size)


def blended_noise(a: NDArray[np.float32], b: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Maps (channels, *size) mixed, to the last bit a at share 0 and b at 1; each channel's spread goes evenly from the
    one's to the other's, or sums of unrelated noise would be flatter in between.
    """
    if share in (0, 1):
        return b if share else a
    axes = tuple(range(1, a.ndim))
    mixed = (1 - share) * a + share * b
    mean = mixed.mean(axes, keepdims=True)
    spread = (1 - share) * a.std(axes, keepdims=True) + share * b.std(axes, keepdims=True)
    return (mean + (mixed - mean) * (spread / np.maximum(mixed.std(axes, keepdims=True), 1e-6))).astype(np.float32)


def make_assets(model: Model, spec: GeneratorSpec, recipes: Sequence[Recipe]) -> list[Asset]:
    """One asset for each recipe, in order; those of one size and truncation go through the network together.

    Args:
        model: opened and checked against spec.
        spec: the plugin that decodes.
        recipes: of this model, see check_recipe.
    """
    inputs = [inputs_of(model.manifest, spec, recipe) for recipe in recipes]
    assets: dict[int, Asset] = {}
    for alike in _alike(recipes, inputs):
        made = _make(model, spec, [recipes[i] for i in alike], [inputs[i] for i in alike])
        assets |= dict(zip(alike, made, strict=True))
    return [assets[i] for i in range(len(recipes))]


def _alike(recipes: Sequence[Recipe], inputs: Sequence[Inputs]) -> list[list[int]]:
    """Indices of recipes that can go through the network together."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for i, (recipe, part) in enumerate(zip(recipes, inputs, strict=True)):
        shape = () if part.noise is None else part.noise.shape
        key = (shape, recipe.size, recipe.truncation, recipe.window, tuple(sorted(recipe.settings.items())))
        groups.setdefault(key, []).append(i)
    return list(groups.values())


def run_inputs(
    model: Model, inputs: Sequence[Inputs], truncation: float, window: int | None = None
) -> dict[str, NDArray[np.float32]]:
    """Outputs of the model for inputs of one size, in windows where the maps are large."""
    manifest = model.manifest
    z, condition = (np.stack([getattr(part, name) for part in inputs]) for name in ("z", "condition"))
    none = np.zeros((manifest.layers, manifest.w_dim), np.float32)
    offset = np.stack([none if part.w_offset is None else part.w_offset for part in inputs])
    info = manifest.noise
    if info is None:
        return model.run(z, condition, truncation, offset)
    noise = np.stack([part.noise for part in inputs if part.noise is not None])
    side = window or (max(noise.shape[2:]) if noise[0, 0].size <= TEXELS_AT_ONCE else WINDOW)
    run = lambda part: model.run(z, condition, truncation, offset, noise=part)  # noqa: E731
    return run_in_windows(run, noise, side, info.stride, info.reach)


def check_finite(model: Model, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """InputError where a model makes outputs with numbers that are not finite."""
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise InputError(f"{model.path} makes {name} with numbers that are not finite; train it again.")


def _make(model: Model, spec: GeneratorSpec, recipes: Sequence[Recipe], inputs: Sequence[Inputs]) -> list[Asset]:
    """Assets of inputs that go together."""
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
    """What files say of a recipe's asset."""
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
