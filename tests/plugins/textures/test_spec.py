"""The specification of the generator of textures."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from ganassets.api.registry import load_exporter
from ganassets.api.registry_checks import generator_problems
from ganassets_textures import SPEC
from ganassets_textures.materials import CLASSES, COLUMNS, MATERIAL_CLASSES
from ganassets_textures.spatial_noise import CHANNELS, Pattern, noise_digest, pattern_noise

SHAPE = {"scale": 24.0, "aspect": 2.0, "stagger": 0.5}


def row(**values: float) -> np.ndarray:
    """Conditions with these columns, the rest 0."""
    return np.array([values.get(column, 0.0) for column in COLUMNS], np.float32)


def test_spec_is_valid():
    assert generator_problems(SPEC) == []


def test_default_exporter_takes_the_assets():
    assert SPEC.asset_kind in load_exporter(SPEC.exporter).kinds


def test_columns_are_in_the_order_of_the_conditions():
    """The domain takes the classes from the front and finds all other columns by name."""
    assert tuple(column for condition in SPEC.conditions for column in condition.columns) == COLUMNS
    assert COLUMNS[: len(CLASSES)] == tuple(f"material:{name}" for name in CLASSES)
    assert COLUMNS[len(CLASSES) :] == tuple(condition.name for condition in SPEC.conditions[1:])
    assert {"scale", "aspect", "stagger", "hue", "saturation", "lightness", "roughness"} <= set(COLUMNS)


def test_words_belong_to_one_class():
    """No word belongs to two classes."""
    words = [word for name, kind in MATERIAL_CLASSES.items() for word in (name, *kind.words)]
    assert len(words) == len(set(words))
    assert all(kind.unit_height > 0 for kind in MATERIAL_CLASSES.values())


def test_noise_reads_the_pattern_from_the_conditions_by_name():
    assert SPEC.noise is not None
    found = SPEC.noise(7, row(**SHAPE), (32, 48))
    np.testing.assert_array_equal(found, pattern_noise(7, Pattern(**SHAPE), (32, 48)))
    assert found.shape == (len(CHANNELS), 32, 48)
    for name, value in {"scale": 48.0, "aspect": 1.0, "stagger": 0.3}.items():
        other = SPEC.noise(7, row(**SHAPE | {name: value}), (96, 96))
        assert not np.array_equal(other, SPEC.noise(7, row(**SHAPE), (96, 96))), name


def test_models_depend_on_the_noise():
    assert SPEC.static_digests() == {"noise": noise_digest()}


def test_importing_it_needs_neither_numpy_nor_torch():
    code = "import sys, ganassets_textures; print([m for m in ('numpy', 'torch', 'PIL', 'scipy') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
