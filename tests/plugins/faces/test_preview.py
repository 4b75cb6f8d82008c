"""The contact sheet."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ganassets.api.assets import Material, Mesh
from ganassets.api.errors import InputError
from ganassets.api.provenance import Provenance
from ganassets.api.rendering import render_views
from ganassets_faces import preview
from ganassets_faces.basis import load_basis
from ganassets_faces.decode import head_normals, head_topology

CELL = 96
PLAIN = (Material("skin", base_colour=(0.5, 0.3, 0.2), roughness=0.6), Material("mouth"), Material("eyes"))


def make_head(seed: int, materials: Sequence[Material] = PLAIN) -> Mesh:
    """Sampled head of the basis."""
    basis = load_basis()
    points = basis.points(basis.sample_shapes[seed : seed + 1])[0].astype(np.float32)
    positions, joints = points[: basis.vertex_count], points[basis.vertex_count :]
    normals = head_normals(positions[None])[0]
    name, provenance = f"head-{seed:08}", Provenance(seed=seed)
    return Mesh(name, head_topology(), positions, normals, joints, tuple(materials), provenance)


def with_skin(**changes: object) -> tuple[Material, ...]:
    """The materials with another skin."""
    return (dataclasses.replace(PLAIN[0], **changes), *PLAIN[1:])


def views_of(head: Mesh) -> list[np.ndarray]:
    """Return (CELL, CELL, 3) pictures of a head from the front, in three-quarter view and in profile."""
    sheet = preview.contact_sheet([head], preview.Layout((0.0, 40.0, 90.0), CELL, 1))
    paper = np.broadcast_to(np.array(preview.PAPER), (CELL // 5, CELL // 5, 3))
    views = np.asarray(sheet).astype(int).reshape(CELL, 3, CELL, 3).swapaxes(0, 1).copy()
    views[0, : CELL // 5, : CELL // 5] = paper  # the seed
    return list(views)


def is_head(view: np.ndarray) -> np.ndarray:
    """Mask (h, w) pixels that are not background."""
    return np.abs(view - view[0, 0]).max(-1) > 8


@pytest.fixture(scope="module")
def plain_views() -> list[np.ndarray]:
    return views_of(make_head(3))


def test_background_is_neutral_light_grey(plain_views: list[np.ndarray]):
    for view in plain_views:
        corners = view[[0, 0, -1], [0, -1, 0]]
        assert np.ptp(corners) <= 2
        assert 200 < corners.mean() < 235


def test_head_fills_the_cell_and_is_not_cut(plain_views: list[np.ndarray]):
    for view in plain_views:
        mask = is_head(view)
        rows = np.flatnonzero(mask.any(1))
        assert not mask[:, [0, -1]].any() and not mask[0].any()
        assert 0.75 * CELL < np.ptp(rows) + 1 < CELL


def test_front_is_symmetric_and_profile_looks_left(plain_views: list[np.ndarray]):
    front, _, profile = map(is_head, plain_views)
    assert (front != front[:, ::-1]).mean() < 0.03
    # The nose's tip is the leftmost point of the profile's middle rows; the back of the head bulges less abruptly.
    middle = profile[CELL // 2 : 3 * CELL // 4]
    left = middle.argmax(1)
    right = middle[:, ::-1].argmax(1)
    assert np.abs(np.diff(left)).max() > np.abs(np.diff(right)).max()


def test_views_and_heads_differ(plain_views: list[np.ndarray]):
    other = views_of(make_head(11))
    pictures = [*plain_views, *other]
    for i, a in enumerate(pictures):
        for b in pictures[i + 1 :]:
            assert (is_head(a) != is_head(b)).mean() > 0.01


def test_same_head_gives_same_picture(plain_views: list[np.ndarray]):
    for again, view in zip(views_of(make_head(3)), plain_views, strict=True):
        assert np.array_equal(again, view)


def test_shading_is_smooth_on_the_forehead(plain_views: list[np.ndarray]):
    """Facets would show as steps of brightness from one pixel to the next."""
    front = plain_views[0].mean(-1)
    forehead = front[CELL // 5 : CELL // 3, 2 * CELL // 5 : 3 * CELL // 5]
    blurred = np.asarray(Image.fromarray(forehead.astype(np.uint8)).resize((4, 4)).resize(forehead.shape[::-1]))
    assert np.abs(forehead - blurred).mean() < 8


def test_texture_lies_where_its_coordinates_say():
    """Lips of the basis in red, everything else grey: the red is below the middle of the front view."""
    basis = load_basis()
    vertex_of_uv = np.zeros(len(basis.uvs), int)
    vertex_of_uv[basis.face_uvs] = basis.faces
    skin_uvs = np.unique(basis.face_uvs[basis.face_materials == 0])
    x, y, z = basis.mean[vertex_of_uv[skin_uvs]].T
    mouth = np.flatnonzero((np.abs(x) < 0.02) & (np.abs(y - 0.073) < 0.008) & (z > 0.1))
    texture = np.full((256, 256, 3), 120, np.uint8)
    for u, v in basis.uvs[skin_uvs][mouth]:
        column, row = int(u * 256), int(v * 256)
        texture[row - 3 : row + 4, column - 3 : column + 4] = (220, 20, 20)
    front = views_of(make_head(3, with_skin(albedo=texture, base_colour=(1.0, 1.0, 1.0))))[0]
    rows, columns = np.nonzero(front[..., 0] - front[..., 1] > 60)
    assert len(rows) > 10
    assert 0.58 * CELL < rows.mean() < 0.85 * CELL
    assert 0.45 * CELL < columns.mean() < 0.55 * CELL


def test_base_colour_multiplies_the_texture(plain_views: list[np.ndarray]):
    white = np.full((4, 4, 3), 255, np.uint8)
    tinted = views_of(make_head(3, with_skin(albedo=white)))
    for a, b in zip(tinted, plain_views, strict=True):
        assert np.abs(a - b).mean() < 1


def test_roughness_map_is_used(plain_views: list[np.ndarray]):
    halves = np.repeat(np.array([[10], [255]], np.uint8), 4, 1)
    shiny = views_of(make_head(3, with_skin(roughness_map=halves)))
    assert max(np.abs(a - b).mean() for a, b in zip(shiny, plain_views, strict=True)) > 0.5


@pytest.mark.parametrize(
    ("count", "size"),
    [(1, (768, 256)), (4, (768, 1024)), (5, (1056, 528)), (9, (1280, 480)), (17, (1024, 384)), (64, (1024, 1024))],
)
def test_more_heads_are_shown_smaller_and_from_fewer_sides(count: int, size: tuple[int, int]):
    layout = preview.layout_for(count)
    sheet = preview.contact_sheet([make_head(0)] * count, layout._replace(cell=16))
    assert sheet.mode == "RGB"
    assert (sheet.width * layout.cell // 16, sheet.height * layout.cell // 16) == size


def test_every_cell_of_a_sheet_shows_a_head():
    layout = preview.Layout((0.0, 90.0), 32, 2)
    sheet = np.asarray(preview.contact_sheet([make_head(i) for i in range(3)], layout)).astype(int)
    cells = sheet.reshape(2, 32, 4, 32, 3).swapaxes(1, 2).reshape(8, 32, 32, 3)
    shown = [bool(is_head(cell[:, ::-1]).mean() > 0.25) for cell in cells]
    assert shown == [True] * 6 + [False] * 2


def test_sheet_shows_seeds():
    layout = preview.Layout((0.0,), 128, 2)
    sheets = [
        np.asarray(preview.contact_sheet([numbered(a), numbered(b)], layout)).astype(int) for a, b in ((1, 2), (1, 7))
    ]
    corner = sheets[0][:24, :24]
    assert (np.abs(corner - preview.PAPER).max(-1) > 60).any()
    changed = np.flatnonzero(np.abs(sheets[0] - sheets[1]).max((0, 2)))
    assert changed.size and changed.min() >= 128


def numbered(seed: int) -> Mesh:
    """The same head under any seed."""
    return dataclasses.replace(make_head(0), provenance=Provenance(seed=seed))


def test_sheet_holds_64_heads_at_most(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(preview, "render_views", lambda head, cell, azimuths: [Image.new("RGBA", (cell, cell))])
    head = make_head(0)
    assert preview.contact_sheet([head] * 64).size == preview.contact_sheet([head] * 80).size


@pytest.mark.parametrize("azimuth", [0.0, 30.0, 40.0, 90.0])
def test_a_head_has_no_holes(azimuth: float):
    """Eyes, mouth and ears are closed: all background is outside of the outline."""
    (picture,) = render_views(make_head(5), 192, [azimuth])
    covered = picture.getchannel("A").point([0] * 128 + [255] * 128)
    ImageDraw.floodfill(covered, (0, 0), 255)
    assert covered.getextrema() == (255, 255)


def test_eyes_are_bright_and_reflect_the_key_lamp():
    white = np.full((64, 64, 3), 235, np.uint8)
    dark = (*PLAIN[:2], Material("eyes", albedo=white, roughness=0.12))
    (front,) = render_views(make_head(3, dark), 256, [0.0])
    (without,) = render_views(make_head(3), 256, [0.0])
    pixels = np.asarray(front).astype(int)
    eyes = np.abs(pixels - np.asarray(without)).max(-1) > 6
    assert 40 < eyes.sum() < 1200
    rows, columns = np.nonzero(eyes)
    assert 0.3 * 256 < rows.mean() < 0.55 * 256
    assert (columns < 128).sum() > 15 and (columns > 128).sum() > 15
    assert pixels[eyes].mean() > 120


def test_an_empty_list_of_heads_is_reported():
    with pytest.raises(InputError, match="at least one"):
        preview.contact_sheet([])
