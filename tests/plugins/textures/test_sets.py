"""Reading folders and zips of material sets."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from ganassets.api.data.records import NOT_READ, PREVIEW, UNREADABLE
from ganassets.api.errors import InputError
from ganassets_textures.sets import MaterialSet, SetReport, read_sets
from ganassets_textures.sets.heights import slopes_of_height
from ganassets_textures.sets.material_set import NORMALS, NOT_LEARNT, UNKNOWN_MAP
from support.material_files import SIZE, colours, grey, hills, normals, save, to_full_range
from support.zip_files import write_zip

REAL = Path(__file__).parents[4] / "shared" / "data" / "textures"


def read_one(path: Path, longest: int = 512) -> tuple[MaterialSet, SetReport]:
    """Read the only set in a folder, and check that no file is unreadable."""
    (made,), report = read_sets(path, longest)
    assert not any(record.category == UNREADABLE for record in report.records)
    return made, report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir()
    return path


def left_out(report: SetReport) -> dict[str, str]:
    """Reasons by left out file."""
    return {record.file: record.reason for record in report.records if not record.use}


def test_a_set_with_all_maps(folder: Path) -> None:
    stem = folder / "Bricks059_1K-JPG" / "Bricks059_1K-JPG"
    save(Path(f"{stem}_Color.jpg"), colours(), quality=95)
    save(Path(f"{stem}_NormalDX.png"), normals(hills(), directx=True))
    save(Path(f"{stem}_NormalGL.png"), normals(hills()))
    save(Path(f"{stem}_Displacement.png"), to_full_range(hills(), np.uint16))
    save(Path(f"{stem}_Roughness.png"), grey(200))
    save(Path(f"{stem}_AmbientOcclusion.png"), grey(255))
    save(folder / "Bricks059_1K-JPG" / "Bricks059.png", colours(seed=3))
    for name in ("Bricks059.usda", "Bricks059.blend", "licence.txt"):
        (folder / "Bricks059_1K-JPG" / name).write_text("beside")
    made, report = read_one(folder)
    assert (made.name, made.material, made.tiles) == ("Bricks059_1K-JPG/Bricks059", "brick", True)
    assert made.albedo.dtype == np.uint8 and np.abs(made.albedo.astype(int) - colours()).mean() < 4
    assert made.height is not None and made.height.dtype == np.float32
    np.testing.assert_allclose(made.height, hills(), atol=0.03)
    assert made.roughness is not None and (made.roughness == 200).all()
    assert made.metallic is not None and not made.metallic.any(), "bricks are no metal"
    assert report.found == ("Bricks059_1K-JPG/Bricks059: albedo, normal, height, roughness; 96 x 96; brick; tiles",)


@pytest.mark.parametrize("name", ["wall_normal", "wall_NormalDX", "wall_bump"])
@pytest.mark.parametrize("with_height", [False, True])
def test_directx_normals_are_turned(folder: Path, name: str, with_height: bool) -> None:
    save(folder / "wall_diff.png", colours())
    save(folder / f"{name}.png", normals(hills(), directx=True))
    if with_height:
        save(folder / "wall_disp.png", to_full_range(hills()))
    made, report = read_one(folder)
    assert made.height is not None and "normal (DirectX)" in report.found[0]
    np.testing.assert_allclose(made.height, hills(), atol=0.2)


def test_names_decide_the_convention_before_pixels(folder: Path) -> None:
    save(folder / "wall_diff.png", colours())
    save(folder / "wall_nor_gl.png", normals(hills()[::-1], directx=True))  # which is a surface in OpenGL too
    made, report = read_one(folder)
    assert made.height is not None and "DirectX" not in report.found[0]


def test_grey_normal_is_a_height(folder: Path) -> None:
    save(folder / "wall_diff.png", colours())
    save(folder / "wall_normal.png", to_full_range(hills()))
    made, report = read_one(folder)
    assert made.height is not None and "wall: albedo, height; 96" in report.found[0]
    assert np.corrcoef(made.height.ravel(), hills().ravel())[0, 1] > 0.999
    assert np.sqrt((slopes_of_height(made.height) ** 2).sum(0).mean()) == pytest.approx(0.25, rel=1e-3)


def test_a_height_map_that_contradicts_the_normals_is_ignored(folder: Path) -> None:
    save(folder / "wall_diff.png", colours())
    save(folder / "wall_normal.png", normals(hills()))
    save(folder / "wall_height.png", np.random.default_rng(0).integers(0, 256, (SIZE, SIZE), dtype=np.uint8))
    made, report = read_one(folder)
    assert "height (from normal)" in report.found[0]
    np.testing.assert_allclose(np.asarray(made.height), hills(), atol=0.15)


def test_heights_shrink_with_the_size(folder: Path) -> None:
    save(folder / "a" / "wall_diff.png", colours((256, 256)))
    save(folder / "a" / "wall_nm.png", normals(hills(256)))
    save(folder / "b" / "wall_diff.png", colours((256, 256)))
    save(folder / "b" / "wall_nm.png", normals(hills(256)))
    save(folder / "b" / "wall_h.png", to_full_range(hills(256), np.uint16))
    for longest in (256, 128, 64):
        sets, _ = read_sets(folder, longest)
        expected = hills(256).reshape(longest, 256 // longest, longest, -1).mean((1, 3)) * longest / 256
        for made in sets:
            assert np.abs(np.asarray(made.height) - expected).max() < 0.03 * np.ptp(expected), (made.name, longest)


def test_heights_are_clipped(folder: Path) -> None:
    save(folder / "rock_diff.png", colours())
    save(folder / "rock_nm.png", normals(hills() * 5))
    made, _ = read_one(folder)
    assert made.height is not None and made.height.min() == -16 and made.height.max() == 16


ROUGH = np.linspace(20, 220, SIZE).astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "pixels", "roughness", "metallic"),
    [
        ("x_rough", grey(ROUGH), ROUGH, None),
        ("x_gloss", grey(ROUGH), 255 - ROUGH, None),
        ("x_Smoothness", grey(ROUGH), 255 - ROUGH, None),
        ("x_spec", grey(ROUGH), 255 - ROUGH, None),
        ("x_spec", colours(), None, None),
        ("x_ORM", np.dstack([grey(255), grey(ROUGH), grey(90)]), ROUGH, 90),
        ("x_arm_1k", np.dstack([grey(255), grey(ROUGH), grey(90)]), ROUGH, 90),
        ("x_metallicRoughness", np.dstack([grey(0), grey(ROUGH), grey(90)]), ROUGH, 90),
        ("x_MaskMap", np.dstack([grey(90), grey(255), grey(0), grey(ROUGH)]), 255 - ROUGH, 90),
        ("x_MaskMap", np.dstack([grey(90), grey(255), grey(0)]), None, None),
        ("x_metalness", grey(90), None, 90),
    ],
)
def test_roughness_and_metallic(
    folder: Path, name: str, pixels: np.ndarray, roughness: np.ndarray | None, metallic: int | None
) -> None:
    save(folder / "x_color.png", colours())
    save(folder / f"{name}.png", pixels)
    made, report = read_one(folder)
    if roughness is None:
        assert made.roughness is None
    else:
        assert made.roughness is not None
        np.testing.assert_array_equal(made.roughness, np.broadcast_to(roughness, (SIZE, SIZE)))
    assert (made.metallic is None) == (metallic is None)
    assert made.metallic is None or (made.metallic == metallic).all()
    if roughness is None and metallic is None:
        assert "ignored" in report.found[0]


def test_better_sources_come_first(folder: Path) -> None:
    save(folder / "x_color_1k.png", colours(seed=1))
    save(folder / "x_color_2k.png", colours((192, 192), seed=2))
    save(folder / "x_spec.png", grey(1))
    save(folder / "x_gloss.png", grey(2))
    save(folder / "x_orm.png", np.dstack([grey(255), grey(50), grey(60)]))
    save(folder / "x_roughness.png", grey(100))
    made, report = read_one(folder)
    assert made.albedo.shape == (192, 192, 3)
    assert made.roughness is not None and (made.roughness == 100).all()
    assert made.metallic is not None and (made.metallic == 60).all()
    assert "metallic (from orm)" in report.found[0]


@pytest.mark.parametrize(("name", "known"), [("rusty_metal", False), ("oak_planks", True), ("qbDvr", False)])
def test_metallic_where_there_is_no_map(folder: Path, name: str, known: bool) -> None:
    save(folder / f"{name}_diff.png", colours())
    made, _ = read_one(folder)
    assert (made.metallic is not None) == known


def test_sizes(folder: Path) -> None:
    save(folder / "x_color.png", colours((128, 256)))
    save(folder / "x_roughness.png", np.repeat(np.arange(0, 256, 2, dtype=np.uint8)[None], 64, 0))
    made, _ = read_one(folder, longest=128)
    assert made.albedo.shape == (64, 128, 3) and made.roughness is not None
    np.testing.assert_array_equal(made.roughness, np.broadcast_to(np.arange(0, 256, 2), (64, 128)))


def test_maps_are_turned_upright_as_a_viewer_shows_them(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = colours((96, 64), tiling=False)
    save(folder / "x_color.png", np.rot90(upright), exif=exif)
    save(folder / "x_roughness.png", upright[..., 0])
    made, _ = read_one(folder)
    np.testing.assert_array_equal(made.albedo, upright)
    np.testing.assert_array_equal(np.asarray(made.roughness), upright[..., 0])


def test_colour_profiles_are_for_colours_alone(folder: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    save(folder / "x_color.png", colours(), icc_profile=profile)
    save(folder / "x_roughness.png", np.dstack([grey(90)] * 3), icc_profile=profile)
    made, report = read_one(folder)
    np.testing.assert_array_equal(made.albedo, colours())
    assert made.roughness is not None and (made.roughness == 90).all()
    reasons = {record.use: record.reason for record in report.records}
    assert "its colour profile can't be used" in reasons["albedo"] and reasons["roughness"] == "its name says so"


def test_a_float_map_with_an_outlier_keeps_its_range_and_says_so(folder: Path) -> None:
    height = hills().astype(np.float32)
    height[5, 5] = 65504
    save(folder / "x_color.png", colours())
    save(folder / "x_height.tif", height)
    made, report = read_one(folder)
    assert np.corrcoef(np.asarray(made.height)[20:, 20:].ravel(), hills()[20:, 20:].ravel())[0, 1] > 0.999
    assert any("are cut off" in record.reason for record in report.records if record.use == "height map")


def test_tiling(folder: Path) -> None:
    save(folder / "a_color.png", colours())
    save(folder / "b_color.png", colours(tiling=False))
    save(folder / "c_color.png", colours())
    save(folder / "c_height.png", to_full_range(hills() + np.linspace(-9, 9, SIZE)))
    assert [made.tiles for made in read_sets(folder)[0]] == [True, False, False]


def test_bad_files_are_left_out(folder: Path) -> None:
    good = save(folder / "good_color.png", colours()).read_bytes()
    (folder / "good_normal.png").write_text("not a picture")
    (folder / "good_roughness.png").write_bytes(save(folder / "t.png", colours(seed=5)).read_bytes()[:3000])
    (folder / "t.png").unlink()
    (folder / "good_height.exr").write_bytes(b"v/1\x01")
    (folder / "empty_color.png").write_bytes(b"")
    save(folder / "tiny_color.png", colours((32, 32)))
    save(folder / "slim_color.png", colours((64, 1024)))
    save(folder / "lone_normal.png", normals(hills()))
    save(folder / "lone_roughness.png", grey(9))
    save(folder / "good_metallic.png", grey(9)[:50])
    (folder / "second_color_1k.png").write_bytes(good[:2000])
    save(folder / "second_color_2k.jpg", colours())
    seen = []
    sets, report = read_sets(folder, 256, lambda *progress: seen.append(progress))
    assert [made.name for made in sets] == ["good", "second"]
    reasons = left_out(report)
    expected = {
        "good_normal.png": "not a picture",
        "good_roughness.png": "truncated",
        "good_metallic.png": "96 x 50 pixels, another shape",
        "good_height.exr": ".exr is not read",
        "empty_color.png": "not a picture",
        "tiny_color.png": "only 32 x 32 pixels; 64",
        "slim_color.png": "only 1024 x 64 pixels, 256 x 16 when reduced; 64",
        "lone_normal.png": "no colour map",
        "lone_roughness.png": "no colour map",
    }
    for name, reason in expected.items():
        assert reason in reasons.pop(name), name
    assert set(reasons) <= {"second_color_1k.png"}
    assert seen == [(i + 1, 6) for i in range(6)]


def test_records_describe_the_use_of_every_file(folder: Path) -> None:
    save(folder / "oak_color.png", colours())
    save(folder / "oak_normal.png", normals(hills()))
    save(folder / "oak_orm.png", np.dstack([grey(255), grey(50), grey(60)]))
    save(folder / "oak_glossy.png", grey(3))
    save(folder / "oak_ao.png", grey(3))
    save(folder / "previews" / "oak.png", colours())
    save(folder / "lone.png", normals(hills()))
    (folder / "oak.blend").write_bytes(b"")
    sets, report = read_sets(folder)
    assert [made.name for made in sets] == ["oak"]
    uses = {record.file: record.use or record.category for record in report.records}
    assert uses == {
        "oak_color.png": "albedo", "oak_normal.png": "normal map", "oak_orm.png": "roughness and metallic",
        "oak_glossy.png": UNKNOWN_MAP, "oak_ao.png": NOT_LEARNT, "previews/oak.png": PREVIEW, "lone.png": NORMALS,
        "oak.blend": NOT_READ,
    }  # fmt: skip
    (record,) = [record for record in report.records if record.file == "oak_normal.png"]
    assert record.facts == {"set": "oak", "map": "normal", "size": "96 x 96", "material": "unknown"}
    assert record.reason == "its name says so"


NAMES = [
    "oak_color.png",
    "oak_n.png",
    "oak_ao.png",
    "oak_odd.png",
    "albedo",
    "normal",
    "x.png",
    ".y",
    "previews",
    "z.txt",
]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3), max_size=8), st.booleans())
def test_every_file_on_disk_has_a_record(paths: list[list[str]], damaged: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        picture = save(root / "good_color.png", colours((64, 64))).read_bytes()
        for path in paths:
            file = root.joinpath(*path)
            if not file.exists() and not any(parent.is_file() for parent in file.parents):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(picture[:99] if damaged else picture)
        files = {file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()}
        _, report = read_sets(root)
    assert sorted(record.file for record in report.records) == sorted(files)
    assert all(record.reason and bool(record.use) != bool(record.category) for record in report.records)


def test_a_normal_map_is_not_a_colour_map(folder: Path) -> None:
    save(folder / "a_color.png", normals(hills()))
    with pytest.raises(InputError, match=r"a_color.png: its pixels look like a normal map"):
        read_sets(folder)


def test_bedrock_has_roughness_in_blue(folder: Path) -> None:
    save(folder / "stone_color.png", colours())
    save(folder / "stone_mer.png", np.dstack([grey(60), grey(0), grey(90)]))
    (made,), _ = read_sets(folder)
    assert made.roughness is not None and (made.roughness == 90).all()
    assert made.metallic is not None and (made.metallic == 60).all()


def test_folders_of_maps(folder: Path) -> None:
    for name in ("brick_01", "rock_02"):
        save(folder / "albedo" / f"{name}.png", colours())
        save(folder / "normal" / f"{name}.png", normals(hills()))
    sets, report = read_sets(folder)
    assert [(made.name, made.material, made.height is not None) for made in sets] == [
        ("brick_01", "brick", True), ("rock_02", "rock", True),
    ]  # fmt: skip
    assert {record.reason for record in report.records if record.use == "normal map"} == {"its folder is named normal"}


def test_files_that_are_not_maps_are_ignored(folder: Path) -> None:
    save(folder / "oak_color.png", colours())
    save(folder / "oak_preview.png", colours())
    save(folder / "previews" / "oak.png", colours())
    save(folder / ".hidden" / "wall_color.png", colours())
    (folder / "manifest.jsonl").write_text("{}")
    assert read_one(folder)[0].name == "oak"


def test_zips(folder: Path, tmp_path: Path) -> None:
    picture = save(tmp_path / "p.png", colours()).read_bytes()
    normal = save(tmp_path / "n.png", normals(hills())).read_bytes()
    packed = write_zip(
        folder / "Rock035.zip",
        {"Rock035_Color.png": picture, "Rock035_NormalGL.png": normal, "../up_color.png": picture,
         "/top_color.png": picture, "C:\\x_color.png": picture, "..\\y_color.png": picture,
         "__MACOSX/Rock035_Color.png": b"", "more.zip": b"PK", "deep\\moss_color.png": picture,
         "broken_color.png": picture[:900]},
    )  # fmt: skip
    save(folder / "oak_color.png", colours())
    sets, report = read_sets(folder)
    assert [(made.name, made.material) for made in sets] == [
        ("oak", None), ("Rock035/Rock035", "rock"), ("Rock035/deep/moss", "grass"),
    ]  # fmt: skip
    reasons = left_out(report)
    leading = ("../up_color.png", "../y_color.png", "/top_color.png", "C:/x_color.png")
    assert {name for name, why in reasons.items() if "leads out" in why} == {f"Rock035.zip/{name}" for name in leading}
    assert "zip within" in reasons["Rock035.zip/more.zip"] and "damaged" in reasons["Rock035.zip/broken_color.png"]
    alone, _ = read_sets(packed)
    assert [made.name for made in alone] == ["Rock035", "deep/moss"]
    assert alone[0].material == "rock" and alone[0].height is not None


def test_nothing_to_read(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="doesn't exist; give a folder or a zip"):
        read_sets(tmp_path / "nowhere")
    with pytest.raises(InputError, match="give a folder or a zip"):
        read_sets(save(tmp_path / "one.png", colours()))
    with pytest.raises(InputError, match="holds no usable material set; a set is a colour map"):
        read_sets(folder)
    save(folder / "a_normal.png", normals(hills()))
    with pytest.raises(InputError, match=r"set \(a_normal.png: no colour map belongs to it\); a set is"):
        read_sets(folder)


def test_reading_twice_gives_the_same(folder: Path) -> None:
    for name in ("b", "a/x", "c/d/e", "a/w"):
        save(folder / f"{name}_color.png", colours(seed=len(name)))
        save(folder / f"{name}_normal.png", normals(hills()))
    first, second = read_sets(folder), read_sets(folder)
    assert [made.name for made in first[0]] == ["b", "a/w", "a/x", "c/d/e"]
    assert first[1] == second[1]
    for one, other in zip(first[0], second[0], strict=True):
        assert np.array_equal(one.albedo, other.albedo)
        assert np.array_equal(np.asarray(one.height), np.asarray(other.height))


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real material sets, which are not part of the project")
def test_real_sets() -> None:
    rows = {row["name"]: row for row in map(json.loads, (REAL / "manifest.jsonl").read_text().splitlines())}
    sets, report = read_sets(REAL, 256)
    assert len(sets) == len(rows)
    assert {record.category for record in report.records} <= {"", NOT_READ, NOT_LEARNT}
    assert not [line for line in report.found if "DirectX" in line], "all were turned to OpenGL"
    assert np.mean([made.tiles == rows[made.name]["seam_pass"] for made in sets]) > 0.9
    for made in sets:
        maps = rows[made.name]["maps"]
        assert made.material and (made.height is not None) == ("height" in maps or "normal" in maps)
        assert (made.roughness is not None) == ("roughness" in maps)
