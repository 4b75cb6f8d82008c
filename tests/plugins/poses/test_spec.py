"""The specification of the generator of poses."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL.Image import Image

from ganassets.api.manifest import NoiseInfo
from ganassets.api.options import describe_option, option_values
from ganassets.api.registry import load_exporter
from ganassets.api.registry_checks import generator_problems
from ganassets_poses import SPEC
from ganassets_poses.actions import ACTION_NAMES, COLUMNS, condition_column
from ganassets_poses.signals import JOINTS, orthonormalise
from ganassets_poses.snapshot import MOST, raw_clip
from ganassets_poses.structure import CHANNELS, MARGIN, STRIDE, is_loop, motion_noise, noise_digest, tempo_of

INFO = NoiseInfo(channels=len(CHANNELS), stride=STRIDE, size=64, reach=64)


def row(loop: bool, tempo: float) -> np.ndarray:
    """Conditions of a motion."""
    made = np.zeros(len(COLUMNS), np.float32)
    made[condition_column("loop")], made[condition_column("tempo")], made[3] = loop, tempo, 1
    return made


def test_it_breaks_no_rule():
    assert generator_problems(SPEC) == []


@pytest.mark.parametrize("name", [SPEC.exporter, "bvh", "vrma", "gif"])
def test_formats_take_its_assets(name):
    assert SPEC.asset_kind in load_exporter(name).kinds


def test_columns_stand_in_the_order_of_the_conditions():
    assert tuple(name for condition in SPEC.conditions for name in condition.columns) == COLUMNS
    assert {"speed", "turn", "tempo"} <= set(COLUMNS[len(ACTION_NAMES) + 1 :]), "the sliders that motions vary with"


def test_conditions_are_read_by_name():
    assert is_loop(row(True, 2.0)) and not is_loop(row(False, 2.0))
    assert tempo_of(row(True, 1.25)) == 1.25


@given(st.one_of(st.just(0.0), st.floats(0.1, 60)), st.booleans(), st.floats(0.15, 3.5), st.integers(0, 2**62))
def test_the_noise_has_the_size_that_the_decoder_counts_on(seconds, loop, tempo, seed):
    assert SPEC.map_size is not None and SPEC.noise is not None
    settings = option_values(SPEC.settings, {"seconds": str(seconds)})
    conditions = row(loop, tempo)
    size = SPEC.map_size(settings, conditions, INFO)
    noise = SPEC.noise(seed, conditions, size)
    assert noise.shape == (len(CHANNELS), *size) and size[0] % STRIDE == 0
    np.testing.assert_array_equal(noise, motion_noise(seed, conditions, size))
    if not loop:
        progress = noise[-1]
        assert (progress[: MARGIN + 1] == -1).all() and (progress[-MARGIN:] == 1).all()
        assert np.ptp(progress[MARGIN:-MARGIN]) > 1


def test_models_depend_on_the_noise():
    assert SPEC.static_digests() == {"noise": noise_digest()}


def test_settings_read_well():
    texts = {option.name: describe_option(option) for option in SPEC.settings}
    assert texts["fps"].endswith("[1..240; default: 30]")
    assert "0..60" in texts["seconds"] and "0 " in texts["seconds"]
    assert "-1" in texts["pose"]
    assert all(text[0].isupper() and "." in text for text in texts.values())


def outputs(count: int, frames: int) -> dict[str, np.ndarray]:
    """Return the outputs of untrained networks."""
    rng = np.random.default_rng(0)
    return {
        "root": rng.normal(size=(count, 4, frames)).astype(np.float32),
        "rotations": np.stack([orthonormalise(rng.normal(size=(6 * JOINTS, frames))) for _ in range(count)]),
        "contacts": rng.random((count, 4, frames)).astype(np.float32),
    }


def test_a_picture_of_samples_in_training():
    assert SPEC.snapshot is not None
    frames = 64 + 2 * MARGIN
    conditions = np.stack([row(i % 2 == 0, 1.0) for i in range(4)])
    picture = SPEC.snapshot(outputs(4, frames), conditions)
    assert isinstance(picture, Image) and min(picture.size) > 100
    assert np.asarray(picture).std() > 5


def test_samples_in_training_are_shown_as_they_are():
    frames = 64 + 2 * MARGIN
    arrays = outputs(2, frames)
    loop, once = (raw_clip(arrays, i, row(i == 0, 1.0)) for i in range(2))
    assert loop.loop and len(loop) == frames + 1
    assert not once.loop and len(once) == 64
    assert loop.name == once.name == ACTION_NAMES[3]
    assert MOST >= 8


def test_importing_it_needs_neither_numpy_nor_torch():
    code = "import sys, ganassets_poses; print([m for m in ('numpy', 'torch', 'PIL', 'scipy') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
