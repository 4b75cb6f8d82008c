"""Decoding of model outputs to clips."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets.api.assets import MotionClip
from ganassets.api.motion.editing import mirror_clip
from ganassets.api.motion.kinematics import positions
from ganassets.api.motion.measures import loop_gap, penetration, skating
from ganassets.api.motion.rotations import degrees_between, heading
from ganassets.api.options import option_values
from ganassets.api.provenance import Provenance
from ganassets_poses import SPEC
from ganassets_poses.actions import COLUMNS
from ganassets_poses.cycles import sample_signals
from ganassets_poses.decode import clip_steps, decode_clips, is_mirrored, network_steps
from ganassets_poses.segments import prepare_clip
from ganassets_poses.signals import JOINTS, Signals, orthonormalise, signals_from_clip
from ganassets_poses.structure import FPS, MARGIN, STRIDE
from support.poses_data import jump_clip, steady_walk

# Tempo of the walk.
TEMPO = 1.0


def settings_of(**given: str) -> dict[str, Any]:
    """Return all settings: those given as on the command line, and the defaults of the others."""
    return option_values(SPEC.settings, {name.replace("_", "-"): text for name, text in given.items()})


def provenance(loop: bool, tempo: float, seed: int = 3) -> Provenance:
    """Return the provenance of an asset with these conditions."""
    return Provenance(seed=seed, sliders=dict.fromkeys(COLUMNS, 0.0) | {"loop": float(loop), "tempo": tempo})


def loop_arrays(requested: dict[str, Any], tempo: float = TEMPO, noise: float = 0.0) -> dict[str, np.ndarray]:
    """Return a model's outputs for a walk: whole repetitions in the given number of frames, with a network's noise."""
    signals = signals_from_clip(steady_walk(31))
    frames = network_steps(clip_steps(requested, True, tempo), True)
    count = max(round(tempo * frames / FPS), 1)
    return arrays_of(sample_signals(signals, np.arange(frames) * (count * len(signals) / frames), True), noise)


def once_arrays(requested: dict[str, Any], tempo: float) -> dict[str, np.ndarray]:
    """Return a model's outputs for a jump, with margins."""
    clip = prepare_clip(jump_clip(), gait=False)
    signals = signals_from_clip(clip)
    frames = network_steps(clip_steps(requested, False, tempo), False)
    share = (np.arange(frames) - MARGIN) / (frames - 2 * MARGIN)
    made = sample_signals(signals, share * len(signals), False)
    root = made.root.copy()
    root[0, (share < 0) | (share >= 1)] = 7.0  # the margins must not have an effect
    return arrays_of(replace(made, root=root))


def arrays_of(signals: Signals, noise: float = 0.0) -> dict[str, np.ndarray]:
    """Return a model's outputs for one seed."""
    rng = np.random.default_rng(0)
    values = {name: getattr(signals, name) for name in ("root", "rotations", "contacts")}
    values = {name: a + noise * rng.normal(size=a.shape).astype(np.float32) for name, a in values.items()}
    values["rotations"], values["contacts"] = orthonormalise(values["rotations"]), values["contacts"].clip(0, 1)
    return {name: value[None] for name, value in values.items()}


def walk(noise: float = 0.0, tempo: float = TEMPO, seed: int = 3, **given: str) -> MotionClip:
    """Return a decoded walk that loops."""
    requested = settings_of(**{"mirror": "no", **given})
    (clip,) = decode_clips(
        loop_arrays(requested, tempo, noise), None, ["walk"], [provenance(True, tempo, seed)], requested
    )
    return clip


def jump(tempo: float = 0.6, **given: str) -> MotionClip:
    """Return a decoded jump that doesn't loop."""
    requested = settings_of(**{"mirror": "no", **given})
    (clip,) = decode_clips(once_arrays(requested, tempo), None, ["jump"], [provenance(False, tempo)], requested)
    return clip


SECONDS = st.one_of(st.just(0.0), st.floats(0.1, 60))


@given(SECONDS, st.booleans(), st.floats(0.15, 3.5))
def test_the_frames_made_suffice(seconds, loop, tempo):
    requested = clip_steps(settings_of(seconds=str(seconds)), loop, tempo)
    made = network_steps(requested, loop)
    assert requested >= 2 and made % STRIDE == 0
    steps = made if loop else made - 2 * MARGIN - 1
    assert steps > 1
    assert abs(steps - requested) <= STRIDE / 2 or steps == STRIDE - (not loop)
    if seconds:
        assert abs(requested - seconds * FPS) <= 0.5 or requested == 2
    else:
        assert steps == requested, "nothing is stretched"


@settings(max_examples=15)
@given(st.floats(0.3, 6), st.sampled_from([24.0, 30.0, 60.0]), st.floats(0.7, 1.4))
def test_a_loop_lasts_as_long_as_it_is_asked_to(seconds, fps, tempo):
    clip = walk(tempo=tempo, seconds=str(seconds), fps=str(fps))
    assert clip.fps == fps and clip.loop
    assert clip.seconds == pytest.approx(seconds, abs=0.51 / 30 + 0.51 / fps)
    assert loop_gap(clip)[0] < 1e-4


@settings(max_examples=15)
@given(st.floats(0.3, 6), st.sampled_from([24.0, 30.0, 60.0]), st.floats(0.3, 1.4))
def test_a_single_action_lasts_as_long_as_it_is_asked_to(seconds, fps, tempo):
    clip = jump(tempo=tempo, seconds=str(seconds), fps=str(fps))
    assert clip.fps == fps and not clip.loop
    assert clip.seconds == pytest.approx(seconds, abs=0.51 / 30 + 0.51 / fps)


def test_without_a_requested_duration_the_clip_keeps_its_own():
    stride = STRIDE / FPS
    assert walk(tempo=1.25).seconds == pytest.approx(2 / 1.25, abs=stride / 2)
    assert jump(tempo=0.5).seconds == pytest.approx(2, abs=stride / 2)


@pytest.mark.parametrize("noise", [0.0, 0.05])
@pytest.mark.parametrize("given", [{}, {"fps": "60"}, {"hold_feet": "no"}, {"mirror": "yes"}, {"seconds": "3.3"}])
def test_loops_close_after_all_that_is_mended(noise, given):
    assert loop_gap(walk(noise, **given))[0] < 1e-4


def test_a_loop_is_the_walk_that_the_model_made():
    clip, expected = walk(seconds="2", hold_feet="no"), steady_walk(61)
    assert clip.name == "walk" and clip.provenance.seed == 3
    assert clip.translation[-1, 2] - clip.translation[0, 2] == pytest.approx(
        expected.translation[-1, 2] - expected.translation[0, 2], rel=0.08
    )
    # It was made in 64 frames, which is no whole number of strides of 30.
    assert np.abs(degrees_between(clip.rotations[:31], clip.rotations[30:]).max()) < 3
    knee = clip.skeleton.index("leftLowerLeg")
    bend, model = (2 * np.arcsin(np.abs(c.rotations[:, knee, 0])) for c in (clip, expected))
    assert bend.max() == pytest.approx(model.max(), abs=0.03) and bend.mean() == pytest.approx(model.mean(), abs=0.03)


def test_clips_start_above_the_origin_facing_forwards_on_the_ground():
    for clip in (walk(), walk(seed=8, mirror="seed"), jump()):
        np.testing.assert_allclose(clip.translation[0, [0, 2]], 0, atol=0.03)
        assert abs(float(heading(clip.rotations[0, 0]))) < 0.02
        assert positions(clip)[..., 1].min() == pytest.approx(0.02, abs=0.03)


def test_margins_are_cut_off():
    clip = jump(seconds="1.8")
    assert np.abs(clip.translation[:, [0, 2]]).max() < 0.05
    height = clip.translation[:, 1]
    assert height.max() - height[0] == pytest.approx(0.5, abs=0.05)
    assert abs(int(height.argmax()) - len(clip) // 2) <= 2
    assert height[-1] == pytest.approx(height[0], abs=0.03)


def test_left_and_right():
    plain, other = walk(mirror="no"), walk(mirror="yes")
    np.testing.assert_allclose(other.rotations, mirror_clip(plain).rotations, atol=1e-4)
    assert degrees_between(plain.rotations, other.rotations).max() > 10
    by_seed = [is_mirrored("seed", provenance(True, TEMPO, seed)) for seed in range(400)]
    assert 150 < sum(by_seed) < 250
    for seed in range(8):
        expected = other if by_seed[seed] else plain
        np.testing.assert_array_equal(walk(seed=seed, mirror="seed").rotations, expected.rotations)
    steps = [replace(origin, sliders={**origin.sliders, "action:walk": 1.0}) for origin in map(seeded, range(40))]
    assert not any(is_mirrored("seed", origin) for origin in steps), "gaits turn to the side that was asked for"


def seeded(seed: int) -> Provenance:
    """Return the provenance of an asset with that seed."""
    return provenance(True, TEMPO, seed)


def test_feet_are_held():
    held, loose = walk(0.02, hold_feet="yes"), walk(0.02, hold_feet="no")
    assert not np.array_equal(held.rotations, loose.rotations)
    assert skating(held) <= skating(loose)
    assert penetration(held) <= penetration(loose) + 1e-6
    arms = [i for i, name in enumerate(held.skeleton.names) if "Arm" in name]
    np.testing.assert_allclose(held.rotations[:, arms], loose.rotations[:, arms], atol=1e-6)


@pytest.mark.parametrize("fps", ["30", "60"])
@pytest.mark.parametrize(("share", "frame"), [("0", 0), ("0.5", 30), ("1", 60)])
def test_a_single_pose(share, frame, fps):
    clip, whole = walk(pose=share, seconds="2", fps=fps), walk(seconds="2")
    assert len(clip) == 1 and not clip.loop and clip.fps == float(fps)
    np.testing.assert_allclose(clip.rotations[0, 1:], whole.rotations[frame, 1:], atol=1e-6)
    np.testing.assert_allclose(clip.translation[0, [0, 2]], 0, atol=1e-6)
    assert float(heading(clip.rotations[0, 0])) == pytest.approx(0, abs=1e-5)
    assert clip.contacts is not None and clip.contacts.shape == (1, 4)


def test_clips_of_one_batch_keep_their_names_and_provenances():
    requested = settings_of()
    arrays = loop_arrays(requested)
    both = {name: np.concatenate([array, orthonormal_only(name, array)]) for name, array in arrays.items()}
    provenances = [provenance(True, TEMPO, seed) for seed in (1, 2)]
    made = decode_clips(both, None, ["a", "b"], provenances, requested)
    assert [clip.name for clip in made] == ["a", "b"]
    assert [clip.provenance for clip in made] == provenances
    for i, clip in enumerate(made):
        (alone,) = decode_clips({k: v[i : i + 1] for k, v in both.items()}, None, ["x"], [provenances[i]], requested)
        np.testing.assert_array_equal(alone.rotations, clip.rotations)
    assert not np.array_equal(made[0].rotations, made[1].rotations)


def orthonormal_only(name: str, array: np.ndarray) -> np.ndarray:
    """Return the outputs of another seed."""
    moved = array[:, ::-1] if name == "contacts" else array * 0.9
    return orthonormalise(moved[0] + 0.05)[None] if name == "rotations" else moved


@settings(max_examples=10)
@given(st.integers(0, 2**32), st.booleans(), st.floats(0.2, 3))
def test_any_network_output_becomes_a_clip(seed, loop, tempo):
    """Outputs early in training make no sense, but they decode to a clip."""
    rng, requested = np.random.default_rng(seed), settings_of()
    frames = network_steps(clip_steps(requested, loop, tempo), loop)
    signals = Signals(
        rng.normal(size=(4, frames)).astype(np.float32),
        orthonormalise(rng.normal(size=(6 * JOINTS, frames)).astype(np.float32)),
        rng.random((4, frames)).astype(np.float32),
    )
    (clip,) = decode_clips(arrays_of(signals), None, ["x"], [provenance(loop, tempo)], requested)
    assert np.isfinite(clip.translation).all() and np.isfinite(clip.rotations).all()
    assert clip.loop == loop and (not loop or loop_gap(clip)[0] < 1e-3)
