"""Samples of material sets that need no network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from ganassets.api.errors import InputError
from ganassets.api.options import option_values
from ganassets.api.plugin_calls import make_baselines
from ganassets.api.registry import load_exporter
from ganassets.api.writer import write_files
from ganassets.training.evaluation.structure import StructureReference
from ganassets_textures import MATERIAL, SPEC
from ganassets_textures.exemplars.sliders import exemplar_conditions
from support.texture_sets import make_bricks

PRESET = replace(MATERIAL, samples=12, network_size=64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    exporter = load_exporter("images")
    files = exporter.export(replace(make_bricks(256), name="red_bricks"), option_values(exporter.options, {}))
    write_files(tmp_path / "red_bricks", files)
    return tmp_path


def test_quilting_and_tiling(folder: Path):
    spec = replace(SPEC, conditions=exemplar_conditions(["red_bricks"]))
    found, again = (make_baselines(spec, PRESET, {"data": str(folder)}, 0) for _ in range(2))
    assert list(found) == ["quilting", "tiling"]
    for name, data in found.items():
        assert len(data) == 12 and data.signals["albedo"].shape == (12, 3, 64, 64)
        assert np.ptp(data.signals["height"]) > 0, "the set has a height"
        np.testing.assert_array_equal(data.signals["albedo"], again[name].signals["albedo"])
        light = data.signals["albedo"].astype(np.float32).mean(1) / 255
        rough = data.signals["roughness"][:, 0].astype(np.float32) / 255
        assert np.corrcoef(light.ravel(), rough.ravel())[0, 1] > 0.5, "maps stay aligned: joints are light and rough"
    planes = {name: data.signals["albedo"].astype(np.float32).mean(1) / 255 for name, data in found.items()}
    assert StructureReference(planes["tiling"]).measure(planes["quilting"]).structure > 0.4


def test_painted_samples_have_no_baselines():
    assert make_baselines(SPEC, PRESET, {}, 0) == {}


def test_a_folder_without_sets(tmp_path: Path):
    with pytest.raises(InputError):
        make_baselines(SPEC, PRESET, {"data": str(tmp_path)}, 0)
