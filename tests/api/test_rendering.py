"""Pictures of meshes: visibility, view direction and colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api import rasterizer
from ganassets.api.assets import Material, Mesh, Topology
from ganassets.api.errors import InputError
from ganassets.api.lighting import KEY, LEVELS, NORMALS, light_table
from ganassets.api.rasterizer import find_visible, planes
from ganassets.api.rendering import camera_frame, render, render_views
from support.heads import make_head
from support.random_meshes import random_meshes


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
    """Return the cross product of (..., 2) vectors."""
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


@pytest.mark.parametrize("order", [(0.0, 0.3), (0.3, 0.0)])
def test_front_surfaces_hide_those_behind(order: tuple[float, float]) -> None:
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
    whole = find_visible(corners, depths, 20, 20)
    monkeypatch.setattr(rasterizer, "CHUNK_SAMPLES", 100)
    pieces = find_visible(corners, depths, 20, 20)
    assert np.array_equal(whole.triangles, pieces.triangles) and np.array_equal(whole.places, pieces.places)

    a, b, c = corners.astype(float).transpose(1, 0, 2)
    for pixel in range(400):
        middle = np.array([pixel % 20, pixel // 20]) + 0.5
        areas = [cross(q - p, middle - p) for p, q in ((b, c), (c, a), (a, b))]
        weights = np.stack(areas, -1) / cross(b - a, c - a)[:, None]
        inside = (cross(b - a, c - a) < 0) & (weights > 1e-5).all(1)
        if (np.abs(weights) < 1e-4).any():
            continue  # an edge
        found = whole.triangles[whole.places == pixel]
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


def ball(color: tuple[float, float, float] = (0.7, 0.7, 0.7), roughness: float = 0.6) -> Mesh:
    """A sphere of 1 m of 48 x 24 quads."""
    around, down = 48, 24
    angles = np.arange(around) * (2 * np.pi / around)
    heights = np.pi * (np.arange(down + 1) / down - 0.5)
    rings = [
        np.stack([np.sin(angles) * np.cos(t), np.full(around, np.sin(t)), np.cos(angles) * np.cos(t)], -1)
        for t in heights
    ]
    normals = np.concatenate(rings).astype(np.float32)
    i, j = np.meshgrid(np.arange(down), np.arange(around), indexing="ij")
    k = (j + 1) % around
    corners = [i * around + j, i * around + k, (i + 1) * around + k, (i + 1) * around + j]
    faces = np.stack([corner.ravel() for corner in corners], -1).astype(np.int32)
    zeros = np.zeros(len(faces), np.int32)
    topology = Topology(faces, np.zeros_like(faces), zeros, np.zeros((1, 2), np.float32), len(normals))
    material = Material("m", base_colour=color, roughness=roughness)
    return Mesh("ball", topology, (normals / 2).astype(np.float32), normals, np.zeros((0, 3), np.float32), (material,))


def test_light_comes_from_the_upper_left() -> None:
    picture = render(ball(), 96, azimuth=70, pitch=20).astype(float)
    rows, columns = np.nonzero(picture[..., 3] == 255)
    light = picture[rows, columns, :3].mean(1)
    brightest = light > np.percentile(light, 90)
    assert columns[brightest].mean() < 40 and rows[brightest].mean() < 40
    assert light.min() > 40, "no part is black"
    assert light.max() < 254, "no part is burnt out"


def test_shading_has_no_facets_no_noise_and_no_lattice() -> None:
    picture = render(ball(), 128, azimuth=0, pitch=0).astype(float)
    middle = picture[40:88, 40:88, :3].mean(-1)
    for axis in (0, 1):
        assert np.abs(np.diff(middle, 2, axis=axis)).max() <= 2.5


def test_edges_are_smooth_and_a_ball_is_round() -> None:
    alpha = render(ball(), 64, azimuth=0, pitch=0)[..., 3].astype(float) / 255
    partly = (alpha > 0) & (alpha < 1)
    assert 60 < partly.sum() < 260, "a ring of half covered pixels"
    radius = 0.96 * 32
    assert alpha.sum() == pytest.approx(np.pi * radius**2, rel=0.02)
    rows, columns = np.indices(alpha.shape) + 0.5
    away = np.hypot(rows - 32, columns - 32)
    assert (alpha[away < radius - 1.6] == 1).all(), "no holes and no cracks"
    assert not alpha[away > radius + 1.2].any()


def test_edges_keep_the_colors_of_the_mesh() -> None:
    picture = render(ball((0.9, 0.9, 0.9)), 64, azimuth=0, pitch=0)
    partly = (picture[..., 3] > 60) & (picture[..., 3] < 200)
    assert picture[partly][:, :3].min() > 60


def test_the_ground_between_two_triangles_has_no_crack() -> None:
    random = np.random.default_rng(8)
    grid = np.stack(np.meshgrid(np.arange(9.0), np.arange(9.0)), -1) * 6 + 4
    grid[1:-1, 1:-1] += random.uniform(-2.5, 2.5, (7, 7, 2))
    a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]
    triangles = np.concatenate([np.stack(t, -2).reshape(-1, 3, 2) for t in ((a, d, c), (a, c, b))]).astype(np.float32)
    found = find_visible(triangles, np.zeros(triangles.shape[:2], np.float32), 56, 56)
    covered = np.zeros(56 * 56, bool)
    covered[found.places] = True
    assert covered.reshape(56, 56)[4:52, 4:52].all()
    assert covered.sum() == 48 * 48


def test_values_are_linear_over_a_triangle() -> None:
    corners = np.array([[[1, 1], [2, 30], [28, 4]]], np.float32)
    found = find_visible(corners, np.zeros((1, 3), np.float32), 32, 32)
    across, along = planes(corners, corners.transpose(2, 0, 1)).at(found)
    assert across == pytest.approx(found.places % 32 + 0.5, abs=1e-3)
    assert along == pytest.approx(found.places // 32 + 0.5, abs=1e-3)


def test_a_shelf_throws_a_soft_shadow_to_the_lower_right() -> None:
    both = boards(0.0, 0.12, colours=((0.3, 0.3, 0.3),) * 2)
    shelf = both.positions[4:] * (0.5, 0.12, 1) + np.array([0, 0.2, 0])
    mesh = replace(both, positions=np.concatenate([both.positions[:4], shelf]).astype(np.float32))
    picture = render(mesh, 96, 0, 0).astype(float)[..., :3].mean(-1)
    below, above, far = picture[37:42, 36:70].mean(), picture[8:16, 36:60].mean(), picture[75:90, 30:66].mean()
    assert below < 0.9 * far
    assert abs(above - far) < 12
    right, left = picture[26:38, 76:80].mean(), picture[26:38, 16:20].mean()
    assert right < left - 3
    assert np.abs(np.diff(picture[39:90, 48])).max() < 15, "the shadow has no hard edge"


def test_rough_surfaces_have_wider_and_dimmer_highlights() -> None:
    half = KEY.unit + np.array([0, 0, 1])
    half /= np.linalg.norm(half)
    x, y = (round(value * (NORMALS / 2 - 1) + NORMALS / 2) for value in half[:2])
    added = [light_table(round(level * (LEVELS - 1)), 0.0)[:, 3:].reshape(NORMALS, NORMALS, 3) for level in (0.1, 0.9)]
    assert added[0][y, x].min() > 3 * added[1][y, x].max()
    assert np.isfinite(added).all() and min(table.min() for table in added) >= 0


def test_a_metal_has_the_color_of_its_highlight_and_a_roughness_map_counts() -> None:
    plastic = ball((0.8, 0.2, 0.1), 0.4)
    (material,) = plastic.materials
    metal = replace(plastic, materials=(replace(material, metallic=1.0),))
    mapped = replace(
        plastic, materials=(replace(material, roughness=1.0, roughness_map=np.full((8, 8), 102, np.uint8)),)
    )
    pictures = [render(mesh, 48, 0, 0).astype(int) for mesh in (plastic, metal, mapped)]
    assert np.abs(pictures[0] - pictures[1]).mean() > 4
    assert np.abs(pictures[0] - pictures[2]).max() <= 2


def test_views_of_one_mesh_are_of_one_scale() -> None:
    head = make_head(3)
    front, side = (np.asarray(picture)[..., 3] > 127 for picture in render_views(head, 96, (0, 90)))
    heights = [np.ptp(np.flatnonzero(view.any(1))) for view in (front, side)]
    assert abs(heights[0] - heights[1]) < 6
    assert np.ptp(np.flatnonzero(side.any(0))) > np.ptp(np.flatnonzero(front.any(0)))


@given(random_meshes(), st.integers(1, 24), st.floats(-360, 360), st.floats(-90, 90))
def test_every_mesh_gives_pictures(mesh: Mesh, size: int, azimuth: float, pitch: float) -> None:
    for picture in render_views(mesh, size, [azimuth, azimuth + 90], pitch):
        assert picture.size == (size, size) and picture.mode == "RGBA"


def test_a_render_takes_any_size() -> None:
    for size in (1, 2, 3, 5):
        picture = render(make_head(3), size)
        assert picture.shape == (size, size, 4) and picture[..., 3].any()


def test_no_size_and_no_faces_are_refused() -> None:
    with pytest.raises(InputError):
        render(make_head(3), 0)
    none = np.zeros((0, 4), np.int32)
    topology = Topology(none, none, none[:, 0], np.zeros((0, 2), np.float32), 4)
    with pytest.raises(InputError):
        render(replace(boards(0.0), topology=topology), 8)
