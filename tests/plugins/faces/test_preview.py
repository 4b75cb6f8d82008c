"""The contact sheet."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from ganassets.api.assets import Material, Mesh, Provenance
from ganassets.api.errors import InputError
from ganassets_faces import preview
from ganassets_faces.basis import load_basis
from ganassets_faces.decode import head_topology, vertex_normals

CELL = 96
PLAIN = (Material("skin", base_colour=(0.5, 0.3, 0.2), roughness=0.6), Material("mouth"), Material("eyes"))


def make_head(seed: int, materials: Sequence[Material] = PLAIN) -> Mesh:
    """Sampled head of the basis."""
    basis = load_basis()
    points = basis.points(basis.sample_shapes[seed : seed + 1])[0].astype(np.float32)
    positions, joints = points[: basis.vertex_count], points[basis.vertex_count :]
    normals = vertex_normals(positions[None])[0]
    name, provenance = f"head-{seed:08}", Provenance(seed=seed)
    return Mesh(name, head_topology(), positions, normals, joints, tuple(materials), provenance)


def with_skin(**changes: object) -> tuple[Material, ...]:
    """The materials with another skin."""
    return (dataclasses.replace(PLAIN[0], **changes), *PLAIN[1:])


def renderer() -> ModuleType:
    """Mitsuba; the test is skipped where it can't be had."""
    try:
        return preview.load_renderer()
    except ImportError as error:
        pytest.skip(f"Mitsuba doesn't load: {error}")


def views_of(head: Mesh) -> list[np.ndarray]:
    return [view.astype(int) for view in preview.views(renderer(), head, CELL)]


def is_head(view: np.ndarray) -> np.ndarray:
    """(h, w) bool: pixels that are not background."""
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
    """But for the last bit, where sums of several threads are rounded."""
    for again, view in zip(views_of(make_head(3)), plain_views, strict=True):
        assert np.abs(again - view).max() <= 1


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


@pytest.mark.parametrize(("count", "columns", "lines"), [(1, 1, 1), (2, 2, 1), (5, 2, 3)])
def test_sheet_has_two_heads_a_row(count: int, columns: int, lines: int):
    renderer()
    sheet = preview.contact_sheet([make_head(i) for i in range(count)], cell=32)
    assert sheet.mode == "RGB"
    assert sheet.size == (columns * 3 * 32, lines * 32)
    assert "hint" not in sheet.info


def test_sheet_shows_seeds():
    cell = 128
    pictures = [[np.full((cell, cell, 3), 220, np.uint8)]] * 2
    sheets = [
        np.asarray(preview.arrange(pictures, [make_head(a), make_head(b)], cell, "")).astype(int)
        for a, b in ((1, 2), (1, 7))
    ]
    label = np.abs(sheets[0] - 220).max(-1) > 60
    assert label[: cell // 5, : cell // 5].any()
    assert not label[cell // 5 :].any()
    changed = np.flatnonzero(np.abs(sheets[0] - sheets[1]).max((0, 2)))
    assert changed.size and changed.min() >= cell


def test_sheet_holds_sixteen_heads_at_most(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "mitsuba", None)
    head = make_head(0)
    full = preview.contact_sheet([head] * 16, cell=64)
    more = preview.contact_sheet([head] * 40, cell=64)
    assert full.size == more.size
    assert preview.caption(40) != preview.caption(16) == ""


def test_without_the_renderer_heads_are_drawn_and_a_hint_is_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "mitsuba", None)
    green = np.broadcast_to(np.array([20, 200, 20], np.uint8), (8, 8, 3)).copy()
    heads = [make_head(0, with_skin(albedo=green)), make_head(1)]
    sheet = preview.contact_sheet(heads, cell=64)
    assert "pip install" in sheet.info["hint"]
    assert sheet.width == 2 * 3 * 64 and sheet.height > 64
    views = np.asarray(sheet)[:64].reshape(64, 6, 64, 3).swapaxes(0, 1).astype(int)
    for view in views[:3]:
        red, green, blue = view[30, 32]
        assert green > 2 * red and green > 2 * blue, "the skin's colour"
        assert tuple(view[2, -3]) == preview.PAPER, "nothing around the head"
    assert np.abs(views[0] - views[2]).mean() > 5, "from several sides"


def test_a_renderer_that_does_not_load_is_named_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "mitsuba.py").write_text(
        "try:\n    raise ImportError('libatomic.so.1: cannot open shared object file')\n"
        "except ImportError:\n    unknown_name\n"
    )
    monkeypatch.delitem(sys.modules, "mitsuba", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    hint = preview.contact_sheet([make_head(0)], cell=32).info["hint"]
    assert "doesn't load here: libatomic.so.1: cannot open shared object file" in hint


def test_captions_are_not_cut():
    picture = np.full((64, 64, 3), 220, np.uint8)
    short, long = (
        np.asarray(preview.arrange([[picture]], [make_head(0)], 64, t)).astype(int) for t in ("i", "i " * 90)
    )
    assert len(long) > len(short) > 64
    assert (np.abs(long[64:, -1] - 220) < 8).all()


def test_no_heads_is_told():
    with pytest.raises(InputError, match="at least one"):
        preview.contact_sheet([])
