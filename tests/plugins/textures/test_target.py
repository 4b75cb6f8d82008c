"""Material sets and pictures as targets of an inversion."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganassets.api.errors import InputError
from ganassets.api.options import option_values
from ganassets.api.registry import load_exporter
from ganassets.api.writer import write_files
from ganassets_textures import SPEC
from ganassets_textures.target import SIZE, detail_strengths, material_target
from ganassets_textures.target_structure import describe_structure
from support.material_files import save
from support.pattern_images import clouds, tint
from support.texture_sets import make_bricks, plain

SPEC_SIZE = 64


def write_set(folder: Path, asset) -> Path:
    """Write the maps of a material to a folder."""
    exporter = load_exporter("images")
    write_files(folder, exporter.export(asset, option_values(exporter.options, {})))
    return folder


@pytest.fixture
def bricks():
    """A material of the target's size."""
    return make_bricks(SIZE)


def rms_distance(target, asset) -> float:
    """Root mean square distance."""
    return float(np.sqrt(((target.features([asset])[0] - target.reference) ** 2).mean()))


def test_a_picture_gives_colours_alone(tmp_path, bricks):
    path = save(tmp_path / "wall.png", np.rint(bricks.albedo * 255).astype(np.uint8))
    target = material_target(path)
    assert (target.size, target.exact, target.conditions) == ((SIZE, SIZE), False, {})
    assert rms_distance(target, bricks) < 0.2, "percent"
    flat = replace(bricks, height=np.zeros_like(bricks.height))
    assert rms_distance(target, flat) < 0.2, "heights are not included"
    assert rms_distance(target, plain((SIZE, SIZE))) > 5


def test_place_does_not_matter(tmp_path, bricks):
    """A shifted or mirrored surface is the same."""
    target = material_target(save(tmp_path / "wall.png", np.rint(bricks.albedo * 255).astype(np.uint8)))
    moved = replace(bricks, albedo=np.roll(bricks.albedo, (16, 48), (0, 1)))
    assert rms_distance(target, moved) < 0.3
    turned = replace(bricks, albedo=bricks.albedo.transpose(1, 0, 2).copy())
    assert rms_distance(target, turned) > 2 * rms_distance(target, moved), "rows are no columns"


@pytest.mark.parametrize("size", [(256, 256), (512, 256), (100, 300)])
def test_pictures_of_any_size(tmp_path, size):
    colours = np.full((*size, 3), (200, 100, 50), np.uint8)
    target = material_target(save(tmp_path / "a.png", colours))
    asset = plain((SIZE, SIZE), (200 / 255, 100 / 255, 50 / 255))
    assert rms_distance(target, asset) < 1e-3


def test_a_set_gives_all_its_maps(tmp_path, bricks):
    target = material_target(write_set(tmp_path / "set", bricks))
    assert rms_distance(target, bricks) < 1.5
    for change in (
        {"roughness": np.zeros_like(bricks.roughness)},
        {"metallic": np.ones_like(bricks.metallic)},
        {"albedo": 1 - bricks.albedo},
        {"height": 5 * bricks.height},
    ):
        assert rms_distance(target, replace(bricks, **change)) > rms_distance(target, bricks) + 3, change.keys()
    zipped = tmp_path / "set.zip"
    with zipfile.ZipFile(zipped, "w") as file:
        for path in sorted((tmp_path / "set").iterdir()):
            file.write(path, path.name)
    np.testing.assert_allclose(material_target(zipped).reference, target.reference, atol=1e-4)


def test_the_name_gives_the_material(tmp_path, bricks):
    folder = write_set(tmp_path / "red_brick_04", replace(bricks, name="red_brick_04"))
    assert material_target(folder).conditions == {"material": {"brick": 1.0}}


def test_detail_strengths_separate_sizes():
    """Stripes of each width are strongest at their own size, along their axis."""
    for level in range(4):
        stripes = np.broadcast_to((np.arange(SIZE) >> level & 1).astype(np.float32), (SIZE, SIZE))
        rows, columns = np.array(detail_strengths(stripes)).reshape(-1, 2).T
        assert columns.argmax() == level and rows.max() == 0
        assert detail_strengths(stripes.T.copy())[2 * level] == columns[level]
    assert len(detail_strengths(np.zeros((SIZE, SIZE), np.float32))) == 10


@pytest.mark.parametrize("content", [b"", b"nothing"])
def test_files_that_are_not_materials(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.png can't be used: "):
        material_target(tmp_path / "a.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").write_bytes(content)
    for path in (tmp_path / "empty", tmp_path / "a.txt", tmp_path / "gone"):
        with pytest.raises(InputError):
            material_target(path)


def test_spec_has_the_target(tmp_path):
    Image.new("RGB", (300, 300), (9, 9, 9)).save(tmp_path / "a.png")
    assert SPEC.target
    np.testing.assert_array_equal(
        SPEC.target(tmp_path / "a.png").reference, material_target(tmp_path / "a.png").reference
    )


def test_structure_is_a_share_of_its_own(tmp_path, bricks):
    """Noise in the wall's colours may have its colours and contrasts, but none of its structure."""
    target = material_target(save(tmp_path / "wall.png", np.rint(bricks.albedo * 255).astype(np.uint8)))
    assert target.shares is not None
    moved = replace(bricks, albedo=np.roll(bricks.albedo, (16, 48), (0, 1)))
    noise = tint(clouds(1, SIZE), (0.5, 0.25, 0.2), (0.75, 0.7, 0.65))[0].transpose(1, 2, 0)
    shares = [target.shares(asset)["structure"] for asset in (bricks, moved, replace(bricks, albedo=noise))]
    assert shares[0] > 0.95 and shares[1] > 0.7 and shares[2] < 0.2
    assert target.shares(plain((SIZE, SIZE))) == {"structure": 0.0}


def test_a_surface_without_structure_has_no_share(tmp_path):
    target = material_target(save(tmp_path / "flat.png", np.full((SIZE, SIZE, 3), 90, np.uint8)))
    assert target.shares is not None and target.shares(plain((SIZE, SIZE))) == {}


def test_structure_statistics_do_not_depend_on_place():
    wall = make_bricks(SPEC_SIZE).albedo.mean(2)
    moved = np.roll(wall, (8, 24), (0, 1))
    np.testing.assert_allclose(describe_structure(moved), describe_structure(wall), atol=1e-3)
    assert np.isfinite(describe_structure(np.zeros((SPEC_SIZE, SPEC_SIZE)))).all()
