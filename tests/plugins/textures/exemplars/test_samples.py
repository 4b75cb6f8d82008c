"""Training samples of exemplars: reading sets, names, maps that lack, pairs and new layouts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganassets.api.conditions import Condition
from ganassets.api.data.checks import data_problem
from ganassets.api.errors import InputError
from ganassets_textures import SPEC
from ganassets_textures.exemplars import samples as module
from ganassets_textures.exemplars.cells import HEIGHT_UNIT, MARGIN, NOISE_CHANNELS, join_cells
from ganassets_textures.exemplars.samples import (
    Samples,
    encode_exemplars,
    exemplar_data,
    flatten_waves,
    make_exemplars,
    missing_maps,
    stack_maps,
    unique_names,
)
from support.exemplars import bricks, make_exemplars_of, noise, stripes, write_set, write_two_sets

TINY = replace(SPEC.preset("material"), size=32, network_size=32, samples=12)


def ignore(done: int, total: int) -> None:
    """Ignore progress."""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = write_two_sets(tmp_path_factory.mktemp("own"))
    (folder / "old_Color.png").write_bytes(b"no picture")
    return exemplar_data(TINY, folder, 0, ignore)


def test_data_fit_the_generator(data):
    assert data_problem(data, SPEC.conditions, axes=2, z_dim=TINY.z_dim) in (None, "")
    assert {name: a.shape for name, a in data.signals.items()} == {
        "albedo": (12, 3, 32, 32), "height": (12, 1, 32, 32), "roughness": (12, 1, 32, 32), "metallic": (12, 1, 32, 32)
    }  # fmt: skip
    side = 32 + 2 * MARGIN
    assert data.structure.shape == (12, NOISE_CHANNELS - 1, side, side)
    assert data.tiles is not None and not data.tiles.any()


def test_half_of_the_samples_are_pairs_and_materials_take_turns(data):
    assert np.isfinite(data.latents[:, 0]).tolist() == [True, True, False, False] * 3
    np.testing.assert_array_equal(data.conditions[:, :2].argmax(1), [0, 1] * 6)
    assert [c.name for c in data.conditions_of] == [
        "material", "pieces", "hue", "saturation", "lightness", "roughness", "relief"
    ]  # fmt: skip
    assert data.conditions_of[0].choices == ("brick", "planks")
    assert all(isinstance(condition, Condition) for condition in data.conditions_of)


def test_what_lacks_is_noted(data):
    assert [note for note in data.notes if note.startswith("No ")] == [
        "No height map: planks; flat everywhere stands in for it.",
        "No roughness map: planks; 0.7 everywhere stands in for it.",
    ]
    assert [file for file, _ in data.problems] == ["old_Color.png"]
    sets = [replace(stripes(), name=f"wall {i}") for i in range(5)]
    assert missing_maps(sets)[0] == (
        "No height map: wall 0, wall 1, wall 2 and 2 more; flat everywhere stands in for it."
    )
    assert missing_maps([replace(noise(), metallic=np.zeros((64, 64), np.uint8))]) == []


def test_the_same_seed_gives_the_same_samples(tmp_path, data):
    folder = write_two_sets(tmp_path / "own")
    again, other = (exemplar_data(TINY, folder, seed, ignore) for seed in (0, 1))
    for name, signal in data.signals.items():
        assert np.array_equal(signal, again.signals[name])
    assert again.structure is not None and other.structure is not None
    assert np.array_equal(data.structure, again.structure) and not np.array_equal(data.structure, other.structure)


def test_progress(tmp_path):
    reports = []
    exemplar_data(TINY, write_two_sets(tmp_path / "own"), 0, lambda *done: reports.append(done))
    assert reports == [(i + 1, 12) for i in range(12)]


def test_pairs_are_what_their_structure_stands_for():
    """Cells that a pair's structure names are those of its maps."""
    sets = bricks(), stripes()
    exemplars = make_exemplars(sets)
    drawn = Samples(make_exemplars_of(*sets), exemplars, 32, np.random.default_rng(0))
    cells = np.concatenate([exemplar.cells.reshape(-1, 96) for exemplar in exemplars])
    for index in (0, 1, 4, 5, 8):
        sample = drawn.draw(index)
        assert sample.paired and sample.exemplar == index % 2
        assert not sample.structure[2:].any() and np.array_equal(sample.structure[0], sample.structure[1])
        inner = sample.structure[0, MARGIN:-MARGIN:4, MARGIN:-MARGIN:4]
        made = join_cells(cells[inner.astype(np.int64)])
        np.testing.assert_allclose(made[:3] * 255, sample.maps["albedo"], atol=0.51)
        np.testing.assert_allclose(made[3], sample.maps["height"][0], atol=0.01)


@pytest.mark.parametrize("size", [(64, 64), (16, 64), (8, 8), (128, 20)])
def test_exemplars_of_any_shape_fill_a_sample(size):
    sets = [stripes(*size), replace(stripes(*size, tiles=True), name="tiling")]
    drawn = Samples(make_exemplars_of(*sets), make_exemplars(sets), 32, np.random.default_rng(0))
    for index in range(8):
        sample = drawn.draw(index)
        assert sample.maps["albedo"].shape == (3, 32, 32)
        table = drawn.exemplars.table[sample.exemplar]
        places = sample.structure[0]
        assert places.min() >= table[0] and places.max() < table[0] + table[1] * table[2]


def test_names_for_the_command_line():
    assert unique_names(["a/wall", "b/wall", "old, red: brick", "wände/Ziegel"]) == [
        "a/wall", "b/wall", "old-red-brick", "Ziegel"
    ]  # fmt: skip
    assert unique_names(["wall", "wall", "a/wall-1", "b:", "=", "/"]) == [
        "wall-2", "wall-3", "wall-1", "b", "material-1", "material-2"
    ]  # fmt: skip
    assert unique_names(["x" * 99 + "1", "x" * 99 + "2"]) == ["x" * 60 + "-1", "x" * 60 + "-2"]


@given(st.lists(st.text(st.sampled_from("ab/ ,:-12é=\n"), min_size=1, max_size=6), min_size=1, max_size=8))
def test_names_are_made_unique(names):
    found = unique_names(names)
    assert len(set(found)) == len(found) == len(names)
    assert all(name and not set(":, =\n") & set(name) for name in found)


def test_sides_that_are_no_multiples_of_a_cell_are_cut():
    maps = stack_maps(bricks(67, 90))
    assert maps.shape == (6, 64, 88)
    np.testing.assert_allclose(maps[0] * 255, bricks(67, 90).albedo[:64, :88, 0], atol=0.01)


def test_maps_that_lack_are_constant():
    maps = stack_maps(stripes())
    assert not maps[3].any() and np.unique(maps[4]) == np.float32(0.7) and not maps[5].any()


@pytest.mark.parametrize("tiles", [True, False])
def test_wide_variation_of_the_height_is_left_out(tiles):
    row, column = np.mgrid[:64, :64] * (2 * np.pi / 64)
    fine, wide = (np.broadcast_to(wave, (64, 64)).astype(np.float32) for wave in (np.sin(16 * column), 9 * np.sin(row)))
    found = flatten_waves(fine + wide, tiles)
    assert found.dtype == np.float32
    left = (found - fine)[16:-16]
    assert np.abs(left).mean() < 0.35 * np.abs(wide[16:-16]).mean()
    assert np.abs(stack_maps(bricks())[3]).max() <= 2 / HEIGHT_UNIT


def test_arrays_for_the_domain():
    arrays = encode_exemplars(make_exemplars([bricks(), noise(32, 48)]))
    assert arrays["codes"].shape == (256 + 96, 96 + 8) and arrays["guide"].shape == (256 + 96, 8)
    assert np.abs(arrays["codes"]).max() <= 127 and np.array_equal(arrays["codes"], np.rint(arrays["codes"]))
    assert arrays["exemplars"].tolist() == [[0, 16, 16, 1], [256, 8, 12, 1]]
    assert (arrays["texel_size"] > 0).all()
    decoded = arrays["codes"] @ arrays["code_steps"].T + arrays["cell_mean"]
    error = join_cells(decoded[:256].reshape(16, 16, 96).astype(np.float32))[:3] - stack_maps(bricks())[:3]
    assert np.sqrt((error**2).mean()) < 0.005


def test_many_sets_are_reduced(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LONGEST", ((1, 512), (10**6, 64)))
    for name in ("a", "b"):
        write_set(tmp_path / "own", replace(bricks(128, 128), name=name))
    data = exemplar_data(TINY, tmp_path / "own", 0, ignore)
    assert data.constants["exemplars"][:, 1:3].tolist() == [[16, 16]] * 2
    assert data.notes[-2] == "2 materials are many: the longer side of each is reduced to at most 64 texels."
    monkeypatch.setattr(module, "MOST_SETS", 1)
    with pytest.raises(InputError, match="own holds 2 materials, but a model takes at most 1; use a part"):
        exemplar_data(TINY, tmp_path / "own", 0, ignore)
