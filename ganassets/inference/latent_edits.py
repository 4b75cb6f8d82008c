"""Edit latents: interpolate between two recipes, mix their styles, vary one.

Each result is a recipe. What a seed can't express is kept in it as a latent or an offset in w, inputs of the model.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..api.errors import InputError
from ..api.latents import rows_with, standard_normals, uniforms
from ..api.manifest import Manifest
from .pipeline import condition_of, latent_of, recipe_offset
from .recipe import Recipe, pack_floats

if TYPE_CHECKING:
    from .model import Model

FloatArray = NDArray[np.float32]

Z, W = "z", "w"
SPACES = (Z, W)
VARIATION_STREAM, ROW_STREAM = 8, 9  # random streams of the latents and the sliders that variations move towards
MAX_STEPS = 10_000


def pack_offset(offset: FloatArray) -> str | None:
    """Pack an offset (layers, w_dim) for a recipe: one row if all layers are equal, None if it is 0."""
    if not offset.any():
        return None
    return pack_floats(offset[0] if (offset == offset[0]).all() else offset)


def add_offset(manifest: Manifest, recipe: Recipe, offset: FloatArray) -> Recipe:
    """Add an offset in w, (layers, w_dim), to that of a recipe."""
    return recipe.changed(w_offset=pack_offset(recipe_offset(manifest, recipe) + offset))


def layered_w(model: Model, recipe: Recipe) -> FloatArray:
    """Compute the w that each layer of the network reads, offset included: (layers, w_dim)."""
    z, row = latent_of(model.manifest, recipe), recipe.row
    return model.w(z[None], row[None], recipe.truncation)[0] + recipe_offset(model.manifest, recipe)


def with_w(model: Model, recipe: Recipe, w: FloatArray, **changes: object) -> Recipe:
    """Change a recipe so that its layers read w (layers, w_dim)."""
    changed = recipe.changed(w_offset=None, **changes)
    return changed.changed(w_offset=pack_offset(w - layered_w(model, changed)))


def describe_recipe(recipe: Recipe) -> str:
    """Return the seed of a recipe as text, or its name if it was edited."""
    unedited = recipe.z is None and recipe.w_offset is None and recipe.morph is None
    return str(recipe.seed) if unedited else recipe.name


def check_pair(a: Recipe, b: Recipe) -> None:
    """Raise InputError where two recipes are of different models."""
    if a.model != b.model:
        raise InputError(f"{a.name} and {b.name} were made with two models; both must be of the same.")


def morph(model: Model, a: Recipe, b: Recipe, steps: int, space: str = Z) -> list[Recipe]:
    """Interpolate between two recipes.

    Sliders, shares of choices and truncation are interpolated linearly, switches change in the middle, and the noise
    maps of both seeds are blended.

    Args:
        model: Model of both recipes.
        a: First recipe.
        b: Last recipe.
        steps: Number of recipes, a and b included; at least 2.
        space: "z" interpolates along the sphere of latents (Shoemake 1985), "w" linearly in the w of each layer.

    Returns:
        `steps` recipes.

    Raises:
        InputError: The number of steps is out of range, the recipes are of two models, or one is itself a morph.
    """
    check_pair(a, b)
    if not 2 <= steps <= MAX_STEPS:
        raise InputError(f"a morph has 2 to {MAX_STEPS:,} steps, not {steps}.")
    if a.morph or b.morph:
        raise InputError("a morph can't start or end in the middle of another one; take its ends.")
    stem = f"{a.name}-{b.name.removeprefix(f'{b.generator}-')}"
    shares = np.linspace(0, 1, steps).tolist()
    return [_between(model, a, b, share, space).changed(name=f"{stem}-{i:03d}") for i, share in enumerate(shares)]


def _between(model: Model, a: Recipe, b: Recipe, share: float, space: str) -> Recipe:
    """Interpolate between a (share 0) and b (share 1)."""
    manifest = model.manifest
    changes = {
        "condition": condition_of(manifest, row_between(manifest, a.row, b.row, share)),
        "truncation": (1 - share) * a.truncation + share * b.truncation,
        "morph": None if a.seed == b.seed else (b.seed, share),
        "note": f"morph of {describe_recipe(a)} and {describe_recipe(b)} in {space}, {share:.3g} of the way",
    }
    if space == W:
        w = _lerp(layered_w(model, a), layered_w(model, b), share)
        return with_w(model, a, w, **changes)
    z = interpolate_latents(latent_of(manifest, a), latent_of(manifest, b), share)
    offset = _lerp(recipe_offset(manifest, a), recipe_offset(manifest, b), share)
    return a.changed(z=pack_floats(z), w_offset=pack_offset(offset), **changes)


def _lerp(a: FloatArray, b: FloatArray, share: float) -> FloatArray:
    """Interpolate linearly; share 0 is exactly a, share 1 exactly b."""
    return (np.float32(1 - share) * a + np.float32(share) * b).astype(np.float32)


def interpolate_latents(a: FloatArray, b: FloatArray, share: float) -> FloatArray:
    """Interpolate two vectors along the sphere; share 0 is exactly a, share 1 exactly b.

    Shoemake 1985, "Animating rotation with quaternion curves".
    """
    if share in (0, 1):
        return b if share else a
    cosine = float(np.clip(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12), -1, 1))
    angle = np.arccos(cosine)
    if np.sin(angle) < 1e-4:  # same or opposite directions
        return (a + np.float32(share) * (b - a)).astype(np.float32)
    weights = np.sin((1 - share) * angle) / np.sin(angle), np.sin(share * angle) / np.sin(angle)
    return (weights[0] * a + weights[1] * b).astype(np.float32)


def row_between(manifest: Manifest, first: FloatArray, last: FloatArray, share: float) -> FloatArray:
    """Interpolate between two rows of conditions (c,); switches change in the middle."""
    row = last if share == 1 else (first + np.float32(share) * (last - first)).astype(np.float32)
    switches = [column for c in manifest.conditions for column in [c.switch] * c.width]
    return np.where(switches, last if share > 0.5 else first, row)


def mix_styles(model: Model, a: Recipe, b: Recipe, layers: Collection[int]) -> Recipe:
    """Mix the styles of two recipes: some layers of a read the w of b.

    Early layers hold shapes, late layers colours.

    Args:
        model: Model of both recipes.
        a: The recipe whose seed, sliders and noise map are kept.
        b: The recipe whose layers are taken.
        layers: Numbers of the layers, from 0.
    """
    check_pair(a, b)
    w = layered_w(model, a).copy()
    chosen = sorted(layers)
    w[chosen] = layered_w(model, b)[chosen]
    numbers = layers_text(chosen, model.manifest.layers)
    name = f"{a.name}-mix-{b.name.removeprefix(f'{b.generator}-')}"
    return with_w(
        model, a, w, name=name, note=f"mix of {describe_recipe(a)} with layers {numbers} of {describe_recipe(b)}"
    )


def parse_layers(text: str, count: int) -> list[int]:
    """Parse layers such as "3-", "-2", "1-3" or "0,4".

    Args:
        text: Numbers and ranges, separated by commas.
        count: Number of the model's layers.

    Raises:
        InputError: The text can't be read, or names a layer that the model doesn't have.
    """
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"(?=.*[0-9])([0-9]{0,4})(-?)([0-9]{0,4})", part.strip())
        if not match:
            raise InputError(f"layers {text[:40]!r} can't be read; write 3-, -2, 1-3 or 0,4.")
        first, dash, last = match.groups()
        low = int(first or 0)
        high = (int(last) if last else count - 1) if dash else low
        if low > high or high >= count:
            raise InputError(f"there are no layers {part.strip()}; this model has 0 to {count - 1}.")
        found |= set(range(low, high + 1))
    return sorted(found)


def layers_text(layers: Sequence[int], count: int) -> str:
    """Write layers as "3-" if they are the last ones, else as a list."""
    if list(layers) == list(range(layers[0], count)):
        return f"{layers[0]}-"
    return ",".join(map(str, layers))


def variation_seed(base: Recipe) -> int:
    """Return the seed of the random numbers for a recipe's variations.

    It is the recipe's seed, or one derived from its latent, so that variations of a variation are new ones.
    """
    if base.z is None:
        return base.seed
    return int.from_bytes(hashlib.sha256(base.z.encode()).digest()[:8]) >> 1


def vary(manifest: Manifest, base: Recipe, strength: float, count: int, kept: Collection[str] = ()) -> list[Recipe]:
    """Make variations of a recipe: turn its latent on its sphere and move its sliders towards those of other samples.

    Args:
        manifest: Manifest of the model.
        base: The recipe to vary; its choices, switches, offset and noise map stay.
        strength: Above 0 (no change) to 1 (the latent turns by 90 degrees, the sliders take other values).
        count: Number of variations; the first ones are the same for any count.
        kept: Names of sliders that stay.

    Returns:
        `count` recipes, always the same for the same base and strength.

    Raises:
        InputError: The strength is out of range.
    """
    if not 0 < strength <= 1:
        raise InputError(f"the strength must be above 0 and at most 1, not {strength:g}.")
    z = latent_of(manifest, base)
    made = []
    seed = variation_seed(base)
    others = standard_normals(seed, manifest.z_dim * count, VARIATION_STREAM).reshape(count, -1)
    rows = likely_rows(manifest, base)
    chosen = (uniforms(seed, count, ROW_STREAM) * len(rows)).astype(int)
    free = [not c.choices and not c.switch and c.name not in kept for c in manifest.conditions for _ in c.columns]
    for i, (towards, k) in enumerate(zip(others, chosen, strict=True), start=1):
        square = towards - (towards @ z) / max(float(z @ z), 1e-12) * z
        square *= np.linalg.norm(z) / max(float(np.linalg.norm(square)), 1e-12)
        angle = strength * np.pi / 2
        turned = (np.cos(angle) * z + np.sin(angle) * square).astype(np.float32)
        row = np.where(free, base.row + np.float32(strength) * (rows[k] - base.row), base.row).astype(np.float32)
        note = f"variation {i} of {describe_recipe(base)}, strength {strength:g}"
        name, condition = f"{base.name}-v{i:03d}", condition_of(manifest, row)
        made.append(base.changed(name=name, z=pack_floats(turned), condition=condition, note=note))
    return made


def likely_rows(manifest: Manifest, base: Recipe) -> FloatArray:
    """Return the rows of likely conditions (r, c) that match a recipe's choices and switches best."""
    return rows_with(manifest.rows, base.row, manifest.choice_columns)
