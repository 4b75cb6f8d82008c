"""Pictures of meshes: what is in front is seen, from the right side, in the right colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ganassets.api import rendering
from ganassets.api.assets import Material, Mesh, Topology
from ganassets.api.errors import InputError
from ganassets.api.rendering import camera_frame, render, visible
from support.heads import make_head


def boards(*depths: float, colours: tuple[tuple[float, float, float], ...] = (), turned: bool = False) -> Mesh:
    """Squares of 1 m that face +Z, each of its own colour and as far ahead as is said."""
    square = np.array([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0.5, 0.5, 0], [-0.5, 0.5, 0]], np.float32)
    positions = np.concatenate([square + np.array([0, 0, depth], np.float32) for depth in depths])
    faces = np.arange(len(positions), dtype=np.int32).reshape(-1, 4)
    if turned:
        faces = faces[:, ::-1].copy()
    uvs = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float32)
    topology = Topology(faces, faces % 4, np.arange(len(depths), dtype=np.int32), uvs, len(positions))
    normals = np.tile(np.array([0, 0, 1], np.float32), (len(positions), 1))
    materials = tuple(Material(f"m{k}", base_colour=colour) for k, colour in enumerate(colours or ((1, 1, 1),) * 9))
    return Mesh("boards", topology, positions, normals, np.zeros((0, 3), np.float32), materials)


RED, GREEN = (0.8, 0.05, 0.05), (0.05, 0.8, 0.05)


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of vectors (..., 2)."""
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


@pytest.mark.parametrize("order", [(0.0, 0.3), (0.3, 0.0)])
def test_what_is_in_front_is_seen(order: tuple[float, float]) -> None:
    picture = render(boards(*order, colours=(RED, GREEN)), 33, azimuth=0, pitch=0)
    ahead = 0 if order[0] > order[1] else 1
    assert picture[16, 16].argmax() in (ahead, 3) and picture[16, 16, ahead] > 2 * picture[16, 16, 1 - ahead]


def test_back_faces_are_not_seen() -> None:
    assert not render(boards(0.0, turned=True), 16, azimuth=0, pitch=0).any()
    assert render(boards(0.0), 16, azimuth=0, pitch=0)[..., 3].max() == 255


def test_a_texture_lies_the_right_way_round() -> None:
    texture = np.zeros((2, 2, 3), np.uint8)
    texture[0, 0], texture[1, 1] = 255, (255, 0, 0)  # upper left white, lower right red
    board = replace(boards(0.0), materials=(Material("m", albedo=texture),) * 9)
    picture = render(board, 32, azimuth=0, pitch=0)[..., :3].astype(int)
    assert picture[8, 8].min() > 150 and picture[8, 24].max() < 90
    assert picture[24, 24, 0] > 150 and picture[24, 24, 1] < 90 and picture[24, 8].max() < 90


def test_every_pixel_has_the_nearest_of_all_triangles(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    corners = random.uniform(-5, 25, (60, 3, 2)).astype(np.float32)
    depths = random.uniform(-1, 1, (60, 3)).astype(np.float32)
    whole = visible(corners, depths, 20)
    monkeypatch.setattr(rendering, "AT_ONCE", 100)
    pieces = visible(corners, depths, 20)
    assert np.array_equal(whole.triangles, pieces.triangles) and np.array_equal(whole.pixels, pieces.pixels)

    a, b, c = corners.astype(float).transpose(1, 0, 2)
    for pixel in range(400):
        middle = np.array([pixel % 20, pixel // 20]) + 0.5
        areas = [cross(q - p, middle - p) for p, q in ((b, c), (c, a), (a, b))]
        weights = np.stack(areas, -1) / cross(b - a, c - a)[:, None]
        inside = (cross(b - a, c - a) < 0) & (weights > 1e-5).all(1)
        if (np.abs(weights) < 1e-4).any():
            continue  # an edge
        found = whole.triangles[whole.pixels == pixel]
        if not inside.any():
            assert not len(found)
            continue
        deep = np.where(inside, (weights * depths).sum(1), -np.inf)
        assert found == [deep.argmax()]


def test_cameras_stand_where_they_should() -> None:
    assert camera_frame(0, 0) == pytest.approx(np.eye(3))
    assert camera_frame(90, 0)[2] == pytest.approx([1, 0, 0], abs=1e-6)  # at the left side of who faces +Z
    up = camera_frame(30, 20)
    assert up @ up.T == pytest.approx(np.eye(3), abs=1e-6) and up[2, 1] > 0 and up[1, 1] > 0


def test_a_head_looks_at_us_from_the_front() -> None:
    head = make_head(3)
    front, back = (render(head, 64, azimuth=azimuth, pitch=0) for azimuth in (0, 180))
    mirrored = front[:, ::-1]
    assert np.abs(front[..., 3].astype(int) - mirrored[..., 3]).mean() < 12, "a head is about symmetric"
    assert np.abs(front[..., :3].astype(int) - back[..., :3]).mean() > 5


def test_no_size_and_no_faces_are_refused() -> None:
    with pytest.raises(InputError):
        render(make_head(3), 0)
    none = np.zeros((0, 4), np.int32)
    topology = Topology(none, none, none[:, 0], np.zeros((0, 2), np.float32), 4)
    with pytest.raises(InputError):
        render(replace(boards(0.0), topology=topology), 8)
