"""The eyes' texture."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from ganassets_faces.eyes import IRIS_RADIUS, eye_texture, iris_colour, patch_slices

BROWN, BLUE = (96, 60, 34), (92, 124, 152)


def radii(size: int) -> np.ndarray:
    """Return the (size, size) distances of texels from the centre, relative to the size."""
    y, x = (np.mgrid[0:size, 0:size] - (size - 1) / 2) / size
    return np.hypot(x, y)


@pytest.mark.parametrize("size", [32, 128, 200])
def test_parts_lie_where_the_mesh_expects_them(size: int) -> None:
    texture, radius = eye_texture(np.array(BLUE, np.uint8), size).astype(float), radii(size)
    assert texture.shape == (size, size, 3)
    pupil, sclera = texture[radius < 0.06], texture[(radius > IRIS_RADIUS + 0.04) & (radius < 0.36)]
    iris = texture[(radius > 0.13) & (radius < 0.21)]
    assert pupil.max() < 40
    assert sclera.mean() > 190
    assert pupil.mean() < iris.mean() < sclera.mean()


@pytest.mark.parametrize("colour", [BROWN, BLUE, (106, 116, 76)])
def test_iris_shows_its_colour(colour: tuple[int, int, int]) -> None:
    texture, radius = eye_texture(np.array(colour, np.uint8)).astype(float), radii(128)
    mean = texture[(radius > 0.16) & (radius < 0.22)].mean(0)
    assert np.abs(mean - colour).max() < 25


def test_colour_changes_the_iris_alone() -> None:
    radius = radii(128)
    changed = (eye_texture(np.array(BROWN)) != eye_texture(np.array(BLUE))).any(-1)
    assert changed[(radius > 0.13) & (radius < 0.22)].mean() > 0.99
    assert not changed[(radius > IRIS_RADIUS + 0.02) | (radius < 0.085)].any()


def test_symmetric_about_the_gaze() -> None:
    """Sectors of the iris and the white above and below are equal on average, so neither eye squints."""
    texture = eye_texture(np.array(BROWN)).astype(float)
    iris = (radii(128) > 0.12) & (radii(128) < 0.24)
    for flipped in (texture[::-1], texture[:, ::-1], texture.transpose(1, 0, 2)):
        assert np.abs(texture[iris].mean(0) - flipped[iris].mean(0)).max() < 1e-9
    left, right = texture[:, :64][iris[:, :64]].mean(), texture[:, 64:][iris[:, 64:]].mean()
    upper, lower = texture[:64][iris[:64]].mean(), texture[64:][iris[64:]].mean()
    assert abs(left - right) < 6 and abs(upper - lower) < 6


def test_deterministic_and_returns_a_copy() -> None:
    first = eye_texture(np.array(BROWN))
    expected = first.copy()
    first[:] = 0
    assert np.array_equal(eye_texture(np.array(BROWN)), expected)


@pytest.mark.parametrize("size", [32, 64, 128, 512])
def test_iris_colour_reads_the_patch(size: int) -> None:
    albedo = np.random.default_rng(0).integers(0, 255, (size, size, 3), np.uint8)
    rows, columns = patch_slices(size)
    albedo[rows, columns] = BLUE
    assert tuple(iris_colour(albedo)) == BLUE


def test_patch_survives_a_blurred_border() -> None:
    """A generator blurs the patch into its surroundings; the median still finds the colour."""
    albedo = np.full((128, 128, 3), 200, np.uint8)
    rows, columns = patch_slices(128)
    albedo[rows, columns] = BROWN
    albedo[rows, columns.start] = albedo[rows, columns.stop - 1] = albedo[rows.start, columns] = 150
    assert tuple(iris_colour(albedo)) == BROWN


def test_needs_neither_scipy_nor_torch() -> None:
    code = (
        "import sys, ganassets_faces.eyes as e; e.eye_texture((9, 9, 9)); print({'scipy', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
