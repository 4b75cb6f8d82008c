"""Checkpoints: whole or not at all, the newest two, and one sentence about a damaged one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ganassets.api.errors import InputError
from ganassets.training import checkpoint as module
from ganassets.training.checkpoint import (
    BEST,
    FIT_ARRAYS,
    load_checkpoint,
    load_fit,
    load_newest_intact,
    named_checkpoint,
    newest_checkpoint,
    save_checkpoint,
    save_fit,
)
from ganassets.training.networks import fit_linear
from ganassets.training.run_folder import list_checkpoints
from support.domains import make_data, make_fit, make_preset

TENSORS = {"a": torch.arange(6, dtype=torch.float32).reshape(2, 3), "state": torch.arange(9, dtype=torch.uint8)}
PRINTS = {"albedo": np.arange(64, dtype=np.float32), "a.b": np.ones(64, np.float32)}


def save(folder: Path, images: int) -> Path:
    return save_checkpoint(folder, TENSORS, {"images": images, "big": 2**100})


def test_round_trip(tmp_path):
    tensors, numbers = load_checkpoint(save(tmp_path / "checkpoints", 32))
    assert tensors.keys() == TENSORS.keys() and all(torch.equal(tensors[key], TENSORS[key]) for key in TENSORS)
    assert numbers == {"images": 32, "big": 2**100}


def test_newest_two_are_kept(tmp_path):
    paths = [save(tmp_path, images) for images in (16, 800, 99_999, 1_000_000)]
    assert list_checkpoints(tmp_path) == paths[-2:]
    assert newest_checkpoint(tmp_path) == paths[-1]
    assert sorted(tmp_path.iterdir()) == paths[-2:]


def test_leftovers_are_ignored(tmp_path):
    path = save(tmp_path, 16)
    (tmp_path / ".0000000032.safetensors.part").write_bytes(b"half")
    (tmp_path / "0000000032.safetensors.part").write_bytes(b"half")
    (tmp_path / "notes.safetensors").write_bytes(b"mine")
    assert newest_checkpoint(tmp_path) == path
    save(tmp_path, 48)
    save(tmp_path, 64)
    assert (tmp_path / "notes.safetensors").read_bytes() == b"mine"


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.5, 0.99])
def test_truncated_checkpoint(tmp_path, share):
    path = save(tmp_path, 16)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match="damaged"):
        load_checkpoint(path)


def test_foreign_file(tmp_path):
    path = tmp_path / "0000000016.safetensors"
    save_fit(path, *fitted())
    with pytest.raises(InputError, match="is not a checkpoint"):
        load_checkpoint(path)


def test_no_checkpoint_yet(tmp_path):
    for newest in (newest_checkpoint, load_newest_intact):
        with pytest.raises(InputError, match="no checkpoint yet"):
            newest(tmp_path / "checkpoints")


def test_the_best_is_beside_the_newest(tmp_path):
    with pytest.raises(InputError, match="has no checkpoint 'best'"):
        named_checkpoint(tmp_path, BEST)
    best = save_checkpoint(tmp_path, TENSORS, {"images": 16}, BEST)
    for images in (16, 32, 48):
        save(tmp_path, images)
    assert named_checkpoint(tmp_path, BEST) == best and load_checkpoint(best)[1] == {"images": 16}
    assert [path.stem for path in list_checkpoints(tmp_path)] == ["0000000032", "0000000048"]


def test_the_newest_that_is_whole(tmp_path):
    save(tmp_path, 16)
    newest = save(tmp_path, 32)
    assert load_newest_intact(tmp_path)[1]["images"] == 32 and load_newest_intact(tmp_path)[2] == []
    newest.write_bytes(newest.read_bytes()[:-1])
    tensors, numbers, wrong = load_newest_intact(tmp_path)
    assert numbers == {"images": 16, "big": 2**100} and tensors.keys() == TENSORS.keys()
    assert len(wrong) == 1 and wrong[0].startswith(f"{newest} is not a checkpoint, or it is damaged")


def test_a_newer_version_is_not_damage(tmp_path, monkeypatch):
    save(tmp_path, 16)
    with monkeypatch.context() as patch:
        patch.setattr(module, "VERSION", 2)
        newest = save(tmp_path, 32)
    for load in (lambda: load_checkpoint(newest), lambda: load_newest_intact(tmp_path)):
        with pytest.raises(InputError, match="newer ganassets; update this one"):
            load()


def fitted(clusters: int = 0):
    data = make_data("picture")
    fit = fit_linear(data, 24, 6, np.random.default_rng(0), clusters) if clusters else fit_preset(data)
    return fit, data.conditions[:5], PRINTS


def fit_preset(data):
    return make_fit("picture", data, make_preset())


@pytest.mark.parametrize("clusters", [0, 3])
def test_fit_round_trip(tmp_path, clusters):
    fit, rows, prints = fitted(clusters)
    save_fit(tmp_path / "linear.safetensors", fit, rows, prints)
    found, found_rows, found_prints = load_fit(tmp_path / "linear.safetensors")
    np.testing.assert_array_equal(found_rows, rows)
    assert found_prints.keys() == prints.keys() and len(found.centres) == clusters
    for name in prints:
        np.testing.assert_array_equal(found_prints[name], prints[name])
    assert found.vectors == fit.vectors and list(found.means) == list(fit.means)
    for name in fit.means:
        np.testing.assert_array_equal(found.means[name], fit.means[name])
        np.testing.assert_array_equal(found.bases[name], fit.bases[name])
    for name in FIT_ARRAYS:
        np.testing.assert_array_equal(getattr(found, name), getattr(fit, name))


def test_a_fit_keeps_the_constants_of_the_plugin(tmp_path):
    fit, rows, prints = fitted()
    constants = {"means": np.arange(6, dtype=np.float32).reshape(2, 3), "a.b": np.ones((1, 2, 3), np.float32)}
    save_fit(tmp_path / "linear.safetensors", replace(fit, constants=constants), rows, prints)
    found, _, _ = load_fit(tmp_path / "linear.safetensors")
    assert found.constants.keys() == constants.keys()
    for name, array in constants.items():
        np.testing.assert_array_equal(found.constants[name], array)
    save_fit(tmp_path / "plain.safetensors", fit, rows, {})
    found, _, found_prints = load_fit(tmp_path / "plain.safetensors")
    assert found.constants == found_prints == {}


def test_damaged_or_missing_fit(tmp_path):
    path = tmp_path / "linear.safetensors"
    with pytest.raises(InputError, match="missing or damaged"):
        load_fit(path)
    save_fit(path, *fitted())
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(InputError, match="missing or damaged"):
        load_fit(path)
