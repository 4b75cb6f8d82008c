"""From looks to new looks: on the way between two, parts of two, near one. What comes out is a recipe each time.

All that a seed can't say travels as a latent or as an offset in w, the model file's inputs, so whatever takes a recipe
takes these.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..api.errors import InputError
from ..api.latents import normals, rows_with, uniforms
from ..api.manifest import Manifest
from .pipeline import condition_of, latent_of, offset_of
from .recipe import Recipe, pack_floats

if TYPE_CHECKING:
    from .model import Model

FloatArray = NDArray[np.float32]

Z, W = "z", "w"
SPACES = (Z, W)
VARIATION_STREAM, ROW_STREAM = 8, 9  # of the latents and of the sliders that variations lean to
MOST_STEPS = 10_000


def pack_offset(offset: FloatArray) -> str | None:
    """An offset (layers, w_dim) as a recipe keeps it: once where all layers have the same, not at all where it is 0."""
    if not offset.any():
        return None
    return pack_floats(offset[0] if (offset == offset[0]).all() else offset)


def add_offset(manifest: Manifest, recipe: Recipe, offset: FloatArray) -> Recipe:
    """A recipe with (layers, w_dim) more added to its offset."""
    return recipe.changed(w_offset=pack_offset(offset_of(manifest, recipe) + offset))


def layered_w(model: Model, recipe: Recipe) -> FloatArray:
    """(layers, w_dim) what each layer of the network reads, offset included."""
    z, row = latent_of(model.manifest, recipe), recipe.row
    return model.w(z[None], row[None], recipe.truncation)[0] + offset_of(model.manifest, recipe)


def with_w(model: Model, recipe: Recipe, w: FloatArray, **changes: object) -> Recipe:
    """A changed recipe whose layers read w (layers, w_dim)."""
    changed = recipe.changed(w_offset=None, **changes)
    return changed.changed(w_offset=pack_offset(w - layered_w(model, changed)))


def named(recipe: Recipe) -> str:
    """A recipe in words: its seed, or its name where it is more than that."""
    plain = recipe.z is None and recipe.w_offset is None and recipe.morph is None
    return str(recipe.seed) if plain else recipe.name


def check_pair(a: Recipe, b: Recipe) -> None:
    """InputError where two recipes aren't of one model."""
    if a.model != b.model:
        raise InputError(f"{a.name} and {b.name} were made with two models; both must be of the same.")


def morph(model: Model, a: Recipe, b: Recipe, steps: int, space: str = Z) -> list[Recipe]:
    """Recipes on the way from a to b, both included.

    Sliders and truncation go evenly, switches over in the middle, choices by their shares. The noise maps of both seeds
    are blended.

    Args:
        model: of both.
        a, b: where it starts and ends.
        steps: at least 2.
        space: "z", along the sphere (Shoemake 1985), or "w", straight in what the layers read.

    Raises:
        InputError: there are too few or too many steps, or the recipes are of two models or both morphed.
    """
    check_pair(a, b)
    if not 2 <= steps <= MOST_STEPS:
        raise InputError(f"a morph has 2 to {MOST_STEPS:,} steps, not {steps}.")
    if a.morph or b.morph:
        raise InputError("a morph can't start or end in the middle of another one; take its ends.")
    stem = f"{a.name}-{b.name.removeprefix(f'{b.generator}-')}"
    shares = np.linspace(0, 1, steps).tolist()
    return [_between(model, a, b, share, space).changed(name=f"{stem}-{i:03d}") for i, share in enumerate(shares)]


def _between(model: Model, a: Recipe, b: Recipe, share: float, space: str) -> Recipe:
    """The recipe a share of the way from a to b."""
    manifest = model.manifest
    mixed = {
        "condition": condition_of(manifest, row_between(manifest, a.row, b.row, share)),
        "truncation": (1 - share) * a.truncation + share * b.truncation,
        "morph": None if a.seed == b.seed else (b.seed, share),
        "note": f"morph of {named(a)} and {named(b)} in {space}, {share:.3g} of the way",
    }
    if space == W:
        w = _lerp(layered_w(model, a), layered_w(model, b), share)
        return with_w(model, a, w, **mixed)
    z = slerp(latent_of(manifest, a), latent_of(manifest, b), share)
    offset = _lerp(offset_of(manifest, a), offset_of(manifest, b), share)
    return a.changed(z=pack_floats(z), w_offset=pack_offset(offset), **mixed)


def _lerp(a: FloatArray, b: FloatArray, share: float) -> FloatArray:
    """To the last bit a at share 0 and b at 1."""
    return (np.float32(1 - share) * a + np.float32(share) * b).astype(np.float32)


def slerp(a: FloatArray, b: FloatArray, share: float) -> FloatArray:
    """Spherical interpolation of two vectors (Shoemake 1985, "Animating rotation with quaternion curves"), to the last
    bit a at share 0 and b at 1.
    """
    if share in (0, 1):
        return b if share else a
    cosine = float(np.clip(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12), -1, 1))
    angle = np.arccos(cosine)
    if np.sin(angle) < 1e-4:  # one direction, or opposite ones
        return (a + np.float32(share) * (b - a)).astype(np.float32)
    weights = np.sin((1 - share) * angle) / np.sin(angle), np.sin(share * angle) / np.sin(angle)
    return (weights[0] * a + weights[1] * b).astype(np.float32)


def row_between(manifest: Manifest, first: FloatArray, last: FloatArray, share: float) -> FloatArray:
    """Conditions on the way from one row to another; switches go over in the middle."""
    row = last if share == 1 else (first + np.float32(share) * (last - first)).astype(np.float32)
    switches = [column for c in manifest.conditions for column in [c.switch] * c.width]
    return np.where(switches, last if share > 0.5 else first, row)


def mix(model: Model, a: Recipe, b: Recipe, layers: Collection[int]) -> Recipe:
    """The recipe a whose layers named read what b's read (style mixing): early layers hold shapes, late ones colours.

    Args:
        model: of both.
        a: whose seed, sliders and noise map are kept.
        b: whose layers are taken.
        layers: which, from 0.
    """
    check_pair(a, b)
    w = layered_w(model, a).copy()
    chosen = sorted(layers)
    w[chosen] = layered_w(model, b)[chosen]
    told = layers_text(chosen, model.manifest.layers)
    name = f"{a.name}-mix-{b.name.removeprefix(f'{b.generator}-')}"
    return with_w(model, a, w, name=name, note=f"mix of {named(a)} with layers {told} of {named(b)}")


def parse_layers(text: str, count: int) -> list[int]:
    """Layers of "3-", "-2", "1-3" or "0,4"; InputError where the model hasn't so many."""
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"(?=.*[0-9])([0-9]{0,4})(-?)([0-9]{0,4})", part.strip())
        if not match:
            raise InputError(f"layers {text[:40]!r} make no sense; write 3-, -2, 1-3 or 0,4.")
        first, dash, last = match.groups()
        low = int(first or 0)
        high = (int(last) if last else count - 1) if dash else low
        if low > high or high >= count:
            raise InputError(f"layers {part.strip()} are not there; this model has 0 to {count - 1}.")
        found |= set(range(low, high + 1))
    return sorted(found)


def layers_text(layers: Sequence[int], count: int) -> str:
    """ "3-" where they are the last ones, else a list."""
    if list(layers) == list(range(layers[0], count)):
        return f"{layers[0]}-"
    return ",".join(map(str, layers))


def variation_seed(base: Recipe) -> int:
    """Whose numbers a recipe's variations lean to: its seed's, or its latent's own, so that variations of a variation
    are new ones.
    """
    if base.z is None:
        return base.seed
    return int.from_bytes(hashlib.sha256(base.z.encode()).digest()[:8]) >> 1


def vary(manifest: Manifest, base: Recipe, strength: float, count: int, kept: Collection[str] = ()) -> list[Recipe]:
    """Recipes near one: its latent turned on its sphere towards others, its sliders on the way to those of others, the
    same for the same base and strength.

    Args:
        manifest: of the model.
        base: what is varied; its choices, switches, offset and noise map stay.
        strength: above 0 (none) to 1 (a quarter turn and all the way: another one altogether).
        count: how many; fewer are the first ones of more.
        kept: names of sliders that stay.
    """
    if not 0 < strength <= 1:
        raise InputError(f"a strength of {strength:g} is not above 0 and at most 1.")
    z = latent_of(manifest, base)
    made = []
    seed = variation_seed(base)
    others = normals(seed, manifest.z_dim * count, VARIATION_STREAM).reshape(count, -1)
    rows = likely_rows(manifest, base)
    chosen = (uniforms(seed, count, ROW_STREAM) * len(rows)).astype(int)
    free = [not c.choices and not c.switch and c.name not in kept for c in manifest.conditions for _ in c.columns]
    for i, (towards, k) in enumerate(zip(others, chosen, strict=True), start=1):
        square = towards - (towards @ z) / max(float(z @ z), 1e-12) * z
        square *= np.linalg.norm(z) / max(float(np.linalg.norm(square)), 1e-12)
        angle = strength * np.pi / 2
        turned = (np.cos(angle) * z + np.sin(angle) * square).astype(np.float32)
        row = np.where(free, base.row + np.float32(strength) * (rows[k] - base.row), base.row).astype(np.float32)
        note = f"variation {i} of {named(base)}, strength {strength:g}"
        name, condition = f"{base.name}-v{i:03d}", condition_of(manifest, row)
        made.append(base.changed(name=name, z=pack_floats(turned), condition=condition, note=note))
    return made


def likely_rows(manifest: Manifest, base: Recipe) -> FloatArray:
    """(r, c) the likely rows of conditions that hold most of a recipe's choices and switches."""
    return rows_with(manifest.rows, base.row, manifest.choice_columns)
