"""Painted skin: determinism, effects of the attributes, and no seam at the borders of the texture."""

from __future__ import annotations

import numpy as np
import pytest

from ganassets_faces.basis import SKIN, load_basis
from ganassets_faces.eyes import iris_colour, patch_slices
from ganassets_faces.painter import paint_skins
from ganassets_faces.painter.canvas import make_canvas
from ganassets_faces.painter.regions import STRENGTHS
from ganassets_faces.painter.skin import pigment_to_srgb, skin_tones
from ganassets_faces.texels import texel_map

SIZE = 64


def people(n: int, **fixed: float) -> np.ndarray:
    """Return (n, 7) sampled attributes with some columns fixed."""
    columns = ("age", "sex", "weight", "african", "asian", "european", "tone")
    attributes = load_basis().sample_attributes[:n].copy()
    for name, value in fixed.items():
        attributes[:, columns.index(name)] = value
    return attributes


def luminance(albedo: np.ndarray) -> np.ndarray:
    """Return the (n, h, w) Rec. 709 luma of (n, 3, h, w) sRGB."""
    return np.tensordot(np.array([0.2126, 0.7152, 0.0722]), albedo.astype(float), (0, 1))


def face(size: int) -> np.ndarray:
    """Mask (size, size) texels of cheeks and forehead, without hair and lips."""
    canvas = make_canvas(size)
    return (canvas.layer("cheek") + canvas.layer("forehead") > 0.5).reshape(size, size)


@pytest.mark.parametrize("size", [32, 64, 96])
def test_shape_and_dtype(size: int) -> None:
    albedo = paint_skins(people(3), size, np.random.default_rng(0))
    assert albedo.shape == (3, 3, size, size) and albedo.dtype == np.uint8


def test_no_people() -> None:
    assert paint_skins(people(0), SIZE, np.random.default_rng(0)).shape == (0, 3, SIZE, SIZE)


def test_same_state_same_people() -> None:
    first, again = (paint_skins(people(20), SIZE, np.random.default_rng(5)) for _ in range(2))
    other = paint_skins(people(20), SIZE, np.random.default_rng(6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_same_people_at_every_size() -> None:
    small, large = (paint_skins(people(8), size, np.random.default_rng(1)).astype(float) for size in (64, 128))
    halved = large.reshape(8, 3, 64, 2, 64, 2).mean((3, 5))
    inside = texel_map(64).inside
    same = np.abs(halved - small)[:, :, inside].mean()
    others = np.abs(np.roll(halved, 1, 0) - small)[:, :, inside].mean()
    assert same < 6 < others / 3


def test_every_person_differs() -> None:
    albedo = paint_skins(np.repeat(people(1), 6, 0), SIZE, np.random.default_rng(2)).astype(float)
    gaps = [np.abs(a - b).mean() for i, a in enumerate(albedo) for b in albedo[:i]]
    assert min(gaps) > 1


def test_tone_darkens_monotonically() -> None:
    where = face(SIZE)
    levels = [
        luminance(paint_skins(people(16, tone=tone), SIZE, np.random.default_rng(3)))[:, where].mean()
        for tone in np.linspace(0, 1, 6)
    ]
    assert (np.diff(levels) < -10).all()
    assert levels[0] > 170 and levels[-1] < 70


def test_tone_table_falls() -> None:
    assert (np.diff(skin_tones(), axis=0) <= 0).all()


def test_men_grow_beards() -> None:
    chin = (make_canvas(SIZE).masks["goatee"] > 0.8).reshape(SIZE, SIZE)
    cheek = face(SIZE)

    def shade(sex: float) -> np.ndarray:
        light = luminance(paint_skins(people(32, sex=sex, age=35, tone=0.2), SIZE, np.random.default_rng(4)))
        return light[:, chin].mean(1) / light[:, cheek].mean(1)

    assert shade(1).mean() < shade(0).mean() - 0.08
    assert shade(0).min() > 0.85


def test_age_draws_wrinkles_and_greys_hair() -> None:
    canvas = make_canvas(128)
    line = (canvas.layer("nasolabial") > 0.5).reshape(128, 128)
    cheek = face(128)
    hair = (canvas.masks["scalp"] > 0.99).reshape(128, 128)

    def measure(age: float) -> tuple[float, float]:
        albedo = paint_skins(people(24, sex=0, age=age, tone=0.35), 128, np.random.default_rng(5))
        light = luminance(albedo)
        return float((light[:, line].mean(1) / light[:, cheek].mean(1)).mean()), float(light[:, hair].mean())

    (young_line, young_hair), (old_line, old_hair) = measure(22), measure(80)
    assert old_line < young_line - 0.04
    assert old_hair > young_hair + 30


def test_lips_are_redder_than_cheeks() -> None:
    lips = (make_canvas(SIZE).masks["lips"] > 0.95).reshape(SIZE, SIZE)
    albedo = paint_skins(people(24, sex=0, age=30), SIZE, np.random.default_rng(6)).astype(float)
    ratio = albedo[:, 0] / albedo[:, 1]
    assert (np.median(ratio[:, lips], 1) > np.median(ratio[:, face(SIZE)], 1)).mean() > 0.9


def test_ancestry_colours_eyes() -> None:
    def blueness(**attributes: float) -> float:
        albedo = paint_skins(people(32, **attributes), SIZE, np.random.default_rng(7))
        colours = np.array([iris_colour(a.transpose(1, 2, 0)) for a in albedo]).astype(float)
        return float((colours[:, 2] > colours[:, 0]).mean())

    assert blueness(european=1, asian=0, african=0, tone=0.15) > 0.25
    assert blueness(european=0, asian=0, african=1, tone=0.8) == 0


@pytest.mark.parametrize("size", [64, 128, 256])
def test_iris_patch_lies_outside_the_skin(size: int) -> None:
    rows, columns = patch_slices(size)
    assert not texel_map(size).inside[rows, columns].any()


def seam(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Texels (row * size + column) on both sides of the seams: each pair shows the same point of the head."""
    basis = load_basis()
    skin = basis.face_materials == SKIN
    pairs = np.unique(np.stack([basis.faces[skin].ravel(), basis.face_uvs[skin].ravel()], 1), axis=0)
    _, first, counts = np.unique(pairs[:, 0], return_index=True, return_counts=True)
    assert (counts <= 2).all() and (counts == 2).sum() > 20
    columns, rows = (basis.uvs[pairs[:, 1]] * size).astype(int).T
    texels = rows * size + columns
    return texels[first[counts == 2]], texels[first[counts == 2] + 1]


def test_patterns_continue_across_the_seam() -> None:
    """Noise much wider than a texel agrees on both sides, though the texels' centres lie a little apart."""
    here, there = seam(128)
    canvas = make_canvas(128)
    for name, field in canvas.draw_noise(64, np.random.default_rng(8), ["wide tone", "wide blood"]).items():
        assert np.corrcoef(field[:, here].ravel(), field[:, there].ravel())[0, 1] > 0.8, name
    assert np.abs(canvas.layers[:, here] - canvas.layers[:, there]).mean() < 0.01


@pytest.mark.parametrize("size", [64, 128])
def test_no_seam(size: int) -> None:
    """Painted colours differ across the seams no more than between texels at the same distance inside."""
    here, there = seam(size)
    albedo = paint_skins(people(16), size, np.random.default_rng(8)).astype(float).reshape(16, 3, -1)
    # A texel that holds a point of the seam lies up to a texel's width beside it, so does its twin.
    inwards = here + np.where(here % size < size // 2, 2, -2)
    across = np.abs(albedo[:, :, here] - albedo[:, :, there]).mean()
    inside = np.abs(albedo[:, :, here] - albedo[:, :, inwards]).mean()
    assert across < 1.4 * inside + 0.5


def test_noise_has_unit_variance_and_fades_where_texels_are_coarse() -> None:
    canvas = make_canvas(128)
    fields = canvas.draw_noise(64, np.random.default_rng(9))
    assert abs(fields["wide tone"].std() - 1) < 0.1
    fine = fields["fine"].std(0)
    coarse, dense = np.quantile(canvas.blur, (0.9, 0.1))
    assert fine[canvas.blur > coarse].mean() < 0.6 * fine[canvas.blur < dense].mean()


def test_pigments_absorb() -> None:
    tone = np.array([[0.3, 0.5, 0.3]], np.float32)
    blood = np.array([[0.0, 0.0, 0.5]], np.float32)
    plain, darker, redder = pigment_to_srgb(tone, blood)[0].T
    assert (darker < plain).all() and (redder < plain).all()
    assert redder[0] / redder[1] > plain[0] / plain[1]


def test_no_layer_is_empty() -> None:
    layers = make_canvas(128).layers
    assert layers.shape == (len(STRENGTHS), 128 * 128)
    assert (layers.max(1) > 0.3).all() and (layers >= 0).all()
