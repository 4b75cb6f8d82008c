"""Assets are checked when they are made."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from ganassets.api.assets import Material, Mesh, Topology
from ganassets.api.errors import InputError
from ganassets.api.provenance import Provenance
from support.texture_sets import make_bricks, plain


def topology(**changes: Any) -> Topology:
    """A quad with two joints and one morph target."""
    quad = np.array([[0, 1, 2, 3]], np.int32)
    facts: dict[str, Any] = {
        "faces": quad,
        "face_uvs": quad,
        "face_materials": np.zeros(1, np.int32),
        "uvs": np.zeros((4, 2), np.float32),
        "vertex_count": 4,
        "joint_names": ("root", "tip"),
        "joint_parents": (-1, 0),
        "skin_joints": np.zeros((4, 4), np.int32),
        "skin_weights": np.tile(np.array([1, 0, 0, 0], np.float32), (4, 1)),
        "morph_names": ("smile",),
        "morph_offsets": np.zeros((1, 4, 3), np.float32),
    }
    return Topology(**{**facts, **changes})


def mesh(**changes: Any) -> Mesh:
    """A mesh of that quad."""
    facts: dict[str, Any] = {
        "name": "quad",
        "topology": topology(),
        "positions": np.zeros((4, 3), np.float32),
        "normals": np.tile(np.array([0, 0, 1], np.float32), (4, 1)),
        "joints": np.zeros((2, 3), np.float32),
        "materials": (Material("skin"),),
    }
    return Mesh(**{**facts, **changes})


def test_a_sound_mesh():
    assert mesh().kind == "mesh"
    assert mesh().provenance == Provenance()


HALF = np.full((4, 4), 0.3, np.float32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"faces": np.zeros((1, 3), np.int32)}, "faces must have shape anyx4"),
        ({"faces": np.zeros((1, 4), np.int64)}, "faces must be a int32 array, not int64"),
        ({"faces": [[0, 1, 2, 3]]}, "faces must be a int32 array, not list"),
        ({"faces": np.full((1, 4), 4, np.int32)}, "faces holds indices outside 0..3"),
        ({"faces": np.full((1, 4), -1, np.int32)}, "faces holds indices"),
        ({"face_uvs": np.zeros((2, 4), np.int32)}, "face_uvs must have shape 1x4"),
        ({"face_uvs": np.full((1, 4), 9, np.int32)}, "face_uvs holds indices outside"),
        ({"face_materials": np.zeros(2, np.int32)}, "face_materials must have shape"),
        ({"uvs": np.full((4, 2), np.nan, np.float32)}, "uvs holds numbers that are not finite"),
        ({"joint_parents": (-1,)}, "every joint needs a parent"),
        ({"joint_parents": (1, -1)}, "a joint's parent must come before it"),
        ({"skin_joints": None}, "needs skin_joints"),
        ({"skin_joints": np.full((4, 4), 2, np.int32)}, "skin_joints holds indices outside 0..1"),
        ({"skin_weights": HALF}, "sum to 1"),
        ({"skin_weights": np.tile(np.array([2, -1, 0, 0], np.float32), (4, 1))}, "positive"),
        ({"morph_offsets": np.zeros((2, 4, 3), np.float32)}, "morph_offsets must have shape 1x4x3"),
        ({"morph_offsets": None}, "morph_offsets must be a float32 array"),
    ],
)
def test_topologies_that_do_not_hold(change, message):
    with pytest.raises(InputError) as caught:
        topology(**change)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"positions": np.zeros((3, 3), np.float32)}, "positions must have shape 4x3"),
        ({"positions": np.full((4, 3), np.inf, np.float32)}, "positions holds numbers that are not finite"),
        ({"positions": np.zeros((4, 3))}, "positions must be a float32 array, not float64"),
        ({"normals": np.zeros((4, 3), np.float32)}, "normals must be unit vectors"),
        ({"joints": np.zeros((0, 3), np.float32)}, "joints must have shape 2x3"),
        ({"materials": ()}, "face_materials holds indices"),
    ],
)
def test_meshes_that_do_not_hold(change, message):
    with pytest.raises(InputError) as caught:
        mesh(**change)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"albedo": np.zeros((4, 4, 4), np.uint8)},
        {"albedo": np.zeros((4, 4, 3), np.float32)},
        {"roughness_map": np.zeros((4, 4, 1), np.uint8)},
        {"roughness": 1.5},
        {"metallic": -0.1},
        {"base_colour": (0.0, 2.0, 0.0)},
        {"roughness": float("nan")},
    ],
)
def test_materials_that_do_not_hold(change):
    with pytest.raises(InputError, match="material skin"):
        Material("skin", **change)


def unit_normals(x: float = 0.0, z: float = 1.0) -> np.ndarray:
    """Return (8, 8, 3) normals; one of them is (x, 0, z)."""
    normals = np.tile(np.array([0, 0, 1], np.float32), (8, 8, 1))
    normals[3, 5] = (x, 0, z)
    return normals


PLANE = np.full((8, 8), 0.5, np.float32)


def test_a_sound_texture_set():
    made = plain((8, 12))
    assert made.kind == "textures" and made.tiles
    assert made.size == pytest.approx((0.12, 0.08)), "width, then height"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"albedo": np.zeros((8, 8, 4), np.float32)}, "albedo must have shape anyxanyx3"),
        ({"albedo": np.zeros((8, 8, 3), np.uint8)}, "albedo must be a float32 array, not uint8"),
        ({"albedo": np.zeros((8, 7, 3), np.float32)}, "height must have shape 8x7"),
        ({"albedo": np.full((8, 8, 3), 1.01, np.float32)}, "albedo holds values outside 0..1"),
        ({"height": np.full((8, 8), np.nan, np.float32)}, "height holds numbers that are not finite"),
        ({"normal": np.zeros((8, 8, 3), np.float32)}, "normals must be unit vectors"),
        ({"normal": unit_normals(0.1)}, "normals must be unit vectors"),
        ({"normal": unit_normals(z=0.99)}, "normals must be unit vectors"),
        ({"normal": unit_normals()[:7]}, "normal must have shape 8x8x3"),
        ({"roughness": PLANE[:7]}, "roughness must have shape 8x8"),
        ({"roughness": -PLANE}, "roughness holds values outside 0..1"),
        ({"metallic": PLANE * 4}, "metallic holds values outside 0..1"),
        ({"occlusion": PLANE.astype(np.float64)}, "occlusion must be a float32 array"),
        ({"texel_size": 0.0}, "larger than 0 metres"),
        ({"texel_size": float("nan")}, "larger than 0 metres"),
        ({"texel_size": float("inf")}, "larger than 0 metres"),
    ],
)
def test_texture_sets_that_do_not_hold(change, message):
    with pytest.raises(InputError) as caught:
        replace(plain(), **change)
    assert message in str(caught.value)


@pytest.mark.parametrize("size", [(0, 4), (4, 0), (0, 0)])
def test_a_texture_set_needs_texels(size):
    with pytest.raises(InputError, match="plain has no texels"):
        plain(size)


def test_normals_may_be_rounded():
    assert replace(plain(), normal=unit_normals(1e-3)).normal[3, 5, 0] == np.float32(1e-3)


def test_a_cropped_texture_set():
    whole = make_bricks(32)
    part = whole.cropped((10, 20))
    for name in ("albedo", "height", "normal", "roughness", "metallic", "occlusion"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[:10, :20])
    assert not part.tiles and whole.tiles
    assert (part.name, part.texel_size, part.provenance) == (whole.name, whole.texel_size, whole.provenance)
    assert part.size == pytest.approx((20 * whole.texel_size, 10 * whole.texel_size))


def test_assets_are_frozen():
    with pytest.raises(AttributeError):
        mesh().name = "other"  # pyright: ignore[reportAttributeAccessIssue]
    assert replace(mesh(), name="other").name == "other"
    assert {field.name for field in fields(Provenance)} >= {"model_digest", "seed", "sliders", "licence"}


def test_reduced_materials_keep_their_look_and_their_size():
    from support.texture_sets import make_bricks

    bricks = make_bricks(128)
    small = bricks.reduced(32)
    assert small.height.shape == (32, 32) and small.size == pytest.approx(bricks.size) and small.tiles
    np.testing.assert_allclose(small.albedo.mean((0, 1)), bricks.albedo.mean((0, 1)), atol=1e-4)
    np.testing.assert_allclose((small.normal**2).sum(-1), 1, atol=1e-5)
    assert bricks.reduced(128) is bricks and bricks.reduced(100) is bricks
