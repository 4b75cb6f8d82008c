"""Training samples from files of motion."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from ganassets.api.data import TrainingData
from ganassets.api.errors import GanassetsError, InputError
from ganassets.api.motion.skeletons import HUMANOID
from ganassets.cli import cli
from ganassets.training.networks import fit_linear
from ganassets_poses import SPEC
from ganassets_poses.actions import COLUMNS, condition_column
from ganassets_poses.cycles import local_positions
from ganassets_poses.dataset import KNOWN, PACES, draw_window, read_bone_map, read_segments, segment_probabilities
from ganassets_poses.segments import Segment, find_segments
from ganassets_poses.signals import Signals, unstack_signals
from ganassets_poses.structure import FPS, MARGIN
from support.motion_clips import folded, to_take
from support.motion_files import bvh_of
from support.poses_data import (
    BY_NAME,
    FRAMES,
    TINY,
    file_of,
    jump_clip,
    small_data,
    steady_walk,
    still_clip,
    write_folder,
)

FOOT = HUMANOID.names.index("rightFoot")


def read(folder: Path, seed: int = 0, **options: Any) -> TrainingData:
    """Samples of a folder."""
    return SPEC.dataset(TINY, {"data": str(folder), **options}, seed, lambda done, total: None)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """The folder of tests/support/poses_data.py."""
    return write_folder(tmp_path / "clips")


def turns_of(structure: np.ndarray) -> np.ndarray:
    """Return (..., f) turns in [0, 1) of a (..., 3, f) structure."""
    return np.angle(structure[..., 0, :] + 1j * structure[..., 1, :]) / (2 * np.pi) % 1


def test_arrays_are_as_the_networks_want_them():
    data, n = small_data(), TINY.samples
    assert {name: array.shape for name, array in data.signals.items()} == {
        "root": (n, 4, FRAMES),
        "rotations": (n, 132, FRAMES),
        "contacts": (n, 4, FRAMES),
    }
    assert data.structure is not None and data.structure.shape == (n, 3, FRAMES + 2 * MARGIN)
    assert data.conditions.shape == (n, len(COLUMNS)) and data.conditions.dtype == np.float32
    assert data.latents is not None and data.latents.shape == (n, TINY.z_dim)
    assert data.tiles is not None and not data.tiles.any()
    for array in (*data.signals.values(), data.structure, data.conditions):
        assert np.isfinite(array).all()
    assert set(data.constants) == {"means", "slopes", "loadings"}
    assert all(np.isfinite(array).all() for array in data.constants.values())
    assert data.vectors == {} and data.problems == ()
    note, *clips = data.notes
    assert "walk" in note and "jump" in note
    assert clips == ["jump: high.bvh, higher.bvh.", "walk: Walk_Loop.glb, walk_01.bvh."]


def test_licences_of_the_manifest_are_reported():
    assert small_data().name == "clips"
    assert set(small_data().licence.split("; ")) == {"licence not named", "CC0-1.0"}


def test_samples_have_the_conditions_of_their_clips():
    data = small_data()
    rows = {name: data.conditions[:, condition_column(name)] for name in COLUMNS}
    assert set(np.flatnonzero(data.conditions.any(0))) == {
        condition_column(name)
        for name in ("action:walk", "action:jump", "loop", "style:game", "style:mocap", "speed", "turn", "tempo")
    }
    walks, once = rows["action:walk"] == 1, rows["loop"] == 0
    assert walks.any() and once.any() and not (walks & once).any()
    assert (rows["style:game"] + rows["style:mocap"] == 1).all()
    assert (rows["style:game"][~walks] == 0).all(), "BVH files hold recordings"
    lowest, highest = PACES
    assert (rows["tempo"][walks] > 0.95 * lowest).all() and (rows["tempo"][walks] < 1.05 * highest).all()
    assert np.ptp(rows["tempo"][walks]) > 0.02, "played at many paces"
    np.testing.assert_allclose(rows["speed"][walks] / rows["tempo"][walks], 1.15, atol=0.2)


def test_structure_is_that_of_the_signals():
    """The phase of the structure says which frame of the repetition a sample shows."""
    data = small_data()
    assert data.structure is not None
    for i in np.flatnonzero(data.conditions[:, condition_column("loop")] == 1):
        turns, tempo = turns_of(data.structure[i]), data.conditions[i, condition_column("tempo")]
        steps = (np.diff(turns) + 0.5) % 1 - 0.5
        np.testing.assert_allclose(steps, tempo / FPS, atol=1e-4)
        assert not data.structure[i, 2].any()
    walks = np.flatnonzero(
        (data.conditions[:, condition_column("action:walk")] == 1)
        & (data.conditions[:, condition_column("style:game")] == 1)
    )
    assert data.latents is not None and len(walks) > 2
    # The same walk or its mirror image, half a stride later: feet have the same places at the same phase.
    tracks = np.array([foot_track(data, int(i)) for i in walks])
    assert np.abs(tracks - tracks[0]).max() < 0.2 < np.ptp(tracks[0])


def foot_track(data: TrainingData, i: int) -> np.ndarray:
    """Return how far (16,) in metres a foot of a sample is in front, by the phase of its structure."""
    assert data.structure is not None
    turns = turns_of(data.structure[i])[MARGIN : MARGIN + FRAMES]
    place, order = local_positions(sample(data, i))[:, FOOT, 2], np.argsort(turns)
    return np.interp(np.linspace(0, 1, 16, endpoint=False), turns[order], place[order], period=1)


def sample(data: TrainingData, i: int) -> Signals:
    """Signals of a sample."""
    return unstack_signals(np.concatenate([data.signals[name][i] for name in ("root", "rotations", "contacts")]))


def test_progress_of_single_actions_goes_from_beginning_to_end():
    data = small_data()
    assert data.structure is not None
    once = np.flatnonzero(data.conditions[:, condition_column("loop")] == 0)
    for i in once:
        progress = data.structure[i, 2]
        step = 2 * data.conditions[i, condition_column("tempo")] / FPS
        moving = np.abs(progress) < 1 - 1e-4
        assert (np.diff(progress) >= 0).all()
        np.testing.assert_allclose(np.diff(progress)[moving[1:] & moving[:-1]], step, atol=1e-4)
        outside = ~moving[MARGIN : MARGIN + FRAMES]
        assert not data.signals["root"][i][:3, outside & (progress[MARGIN : MARGIN + FRAMES] < 0)].any()


def test_some_latents_are_given():
    data = small_data()
    assert data.latents is not None
    known = np.any(np.isfinite(data.latents), axis=1)
    assert known.mean() == pytest.approx(KNOWN, abs=0.15)
    kinds = data.conditions[:, [condition_column("action:jump"), condition_column("loop")]]
    assert len(np.unique(kinds, axis=0)) == 3
    for kind in np.unique(kinds, axis=0):
        same = np.flatnonzero(np.abs(kinds - kind).max(1) == 0)
        assert known[same].any() and not known[same].all()


def test_the_same_seed_gives_the_same_data(clips):
    first, second, other = read(clips, 3), read(clips, 3), read(clips, 4)
    for a, b in zip(arrays_of(first), arrays_of(second), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first.signals["rotations"], other.signals["rotations"])
    for name, array in first.constants.items():
        assert array.shape == other.constants[name].shape


def arrays_of(data: TrainingData) -> list[Any]:
    """All its arrays."""
    return [*data.signals.values(), data.conditions, data.latents, data.structure, *data.constants.values()]


def test_unused_files_are_listed_and_the_rest_is_read(clips):
    broken = file_of(steady_walk(61), "walk", "bvh")[:300]
    strange = file_of(jump_clip(), "jump", "bvh")
    for word in (b"hips", b"Hips", b"pine", b"Leg", b"Arm", b"houlder", b"Foot", b"neck", b"head", b"left", b"right"):
        strange = strange.replace(word, b"x" + word[::-1])
    files = {
        "02_05.bvh": file_of(jump_clip(), "02_05", "bvh"),
        "walk_broken.bvh": broken,
        "jump_of_a_stranger.bvh": strange,
        "walk_still.bvh": file_of(still_clip(60), "walk_still", "bvh"),
        "notes.txt": b"not motion",
    }
    for name, content in files.items():
        (clips / name).write_bytes(content)
    with (clips / "manifest.jsonl").open("a") as manifest:
        manifest.write("\n" + json.dumps({"file": "Walk_Loop.glb", "style": "opera"}))
    data = read(clips)
    problems = {name.split(":")[0]: text for name, text in data.problems}
    assert set(problems) == {*files, "Walk_Loop.glb"}
    assert problems["notes.txt"].endswith('it has no "Frames"')
    assert "gives its action" in problems["02_05.bvh"]
    assert "no part of it shows a usable walk" in problems["walk_still.bvh"]
    assert "the style 'opera' is not one of game, mocap" in problems["Walk_Loop.glb"]
    assert all("\n" not in text for text in problems.values())
    assert (data.conditions[:, condition_column("style:game")] == 0).all(), "what is left"


def test_what_became_of_each_clip_is_recorded(clips):
    content = file_of(steady_walk(121, loop=False), "walk_02", "bvh").decode()
    (clips / "walk_02.bvh").write_text(content.replace("Frames: 121", "Frames: 200"))
    data = read(clips)
    records = {record.file: record for record in data.files}
    assert len(records) == len(data.files) == 6
    loop, recorded, known = records["Walk_Loop.glb"], records["walk_02.bvh"], records["high.bvh"]
    assert (loop.use, loop.part, loop.reason) == ("clip", "", "the word 'walk' in the file's name")
    assert {name: loop.facts[name] for name in ("action", "style", "loop", "frames", "fps", "repetitions")} == {
        "action": "walk", "style": "game", "loop": "detected", "frames": "61", "fps": "30", "repetitions": "2",
    }  # fmt: skip
    assert loop.facts["up"] == "Y (the rest pose stands along it)"
    assert recorded.facts["note"].startswith(
        "the header declares 200 frames but the file has 121, so it may be cut off"
    )
    assert any("walk_02.bvh: the header declares 200" in note for note in data.notes)
    assert (known.facts["action"], known.reason) == ("jump", "the manifest")
    assert records["manifest.jsonl"].use == "manifest"


def test_a_folded_zero_pose_is_learnt_like_any_other(tmp_path):
    for name, take in (("plain", to_take(steady_walk(121))), ("folded", folded(to_take(steady_walk(121))))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "walk.bvh").write_text(bvh_of(take))
    plain, other = (read_segments(tmp_path / name, None, [])[0] for name in ("plain", "folded"))
    assert len(plain) == len(other) > 0
    for a, b in zip(plain, other, strict=True):
        np.testing.assert_allclose(a.condition_row(), b.condition_row(), atol=0.02)
        np.testing.assert_allclose(local_positions(a.signals), local_positions(b.signals), atol=0.02)


def test_generated_clips_can_be_learnt_from(tmp_path):
    out = tmp_path / "out"
    for seed, kind in (("3", "bvh"), ("4", "vrma")):
        words = ["--action", "walk", "--loop", "--seconds", "2", "--to", kind, "--no-preview", "-o", str(out)]
        result = CliRunner().invoke(cli, ["generate", "poses", "--seeds", seed, *words])
        assert result.exit_code == 0, result.output
    data = read(out)
    clips = {record.file: record for record in data.files if record.use == "clip"}
    assert {PurePath(name).suffix: record.reason for name, record in clips.items()} == {
        ".bvh": "the recipe in index.jsonl",
        ".vrma": "the recipe in index.jsonl",
    }
    assert {record.facts["action"] for record in clips.values()} == {"walk"}
    assert {record.facts["loop"] for record in clips.values()} == {"yes"}
    assert {record.file for record in data.files if not record.use} == set()


def test_unused_files_are_counted_in_the_error(tmp_path):
    for name in [f"{i}.fbx" for i in range(10)]:
        (tmp_path / name).write_bytes(b"Kaydara")
    for name in ("02_05.bvh", "02_06.bvh"):
        (tmp_path / name).write_bytes(file_of(jump_clip(), "02_05", "bvh"))
    with pytest.raises(InputError) as caught:
        read(tmp_path)
    assert "(10 files: kind of file that is not read, such as 0.fbx (.fbx is not read; export BVH or GLB);" in str(
        caught.value
    )
    assert "2 files: action unknown, such as 02_05.bvh (neither its name nor a manifest" in str(caught.value)


def test_a_manifest_says_which_axis_points_up(clips):
    with (clips / "manifest.jsonl").open("a") as manifest:
        manifest.write("\n" + json.dumps({"file": "walk_01.bvh", "up": "Z"}))
    data = read(clips)
    record = next(record for record in data.files if record.file == "walk_01.bvh")
    assert not record.use and "Z is up: the manifest" in record.reason, "so that it lies"


def test_a_manifest_decides_what_a_file_shows(tmp_path):
    (tmp_path / "walk.bvh").write_bytes(file_of(jump_clip(), "walk", "bvh"))
    (tmp_path / "manifest.jsonl").write_text(json.dumps({"file": "walk.bvh", "action": "jump", "style": "game"}))
    segments, licences = read_segments(tmp_path, None, [])
    assert {(segment.action.name, segment.style) for segment in segments} == {("jump", "game")}
    assert licences == "licence not named"


def test_nothing_that_can_be_learnt_from(tmp_path):
    (tmp_path / "02_05.bvh").write_bytes(file_of(jump_clip(), "02_05", "bvh"))
    with pytest.raises(InputError, match=r"holds no motion usable for training \(02_05.bvh.*gives its action"):
        read(tmp_path)
    with pytest.raises(InputError, match="nowhere doesn't exist"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize("clip", [steady_walk(61), jump_clip()], ids=["walk", "jump"])
def test_a_single_file_is_enough(tmp_path, clip):
    path = tmp_path / f"{clip.name}.bvh"
    path.write_bytes(file_of(clip, clip.name, "bvh"))
    data = read(path)
    assert all(np.isfinite(array).all() for array in data.constants.values())
    assert data.latents is not None and np.isfinite(data.latents).any(), "known nevertheless"


def test_bones_are_named_by_the_user(tmp_path):
    names = {"hips": "Bip", "leftUpperLeg": "LThigh", "rightUpperLeg": "RThigh"}
    content = file_of(jump_clip(), "jump", "bvh").decode()
    lines = [line.replace("leftUpperLeg", "LThigh").replace("rightUpperLeg", "RThigh") for line in content.splitlines()]
    text = "\n".join(line.replace("ROOT hips", "ROOT Bip") for line in lines) + "\n"
    folder = tmp_path / "clips"
    folder.mkdir()
    (folder / "jump.bvh").write_text(text)
    joints = {name: name for name in (line.split()[-1] for line in content.splitlines() if "JOINT" in line)}
    bones = tmp_path / "bones.json"
    bones.write_text(json.dumps({name: word for name, word in joints.items() if name not in names} | names))
    with pytest.raises(InputError, match="usable for training"):
        read(folder)
    data = read(folder, bones=str(bones))
    assert data.problems == () and (data.conditions[:, condition_column("action:jump")] == 1).all()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"hips": 3}', "[" * 100_000, '"hips"'])
def test_files_that_are_no_map_of_bones(tmp_path, text):
    path = tmp_path / "bones.json"
    path.write_text(text)
    with pytest.raises(InputError, match="bone map"):
        read_bone_map(str(path))
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="bone map"):
        read_bone_map(str(path))
    with pytest.raises(InputError, match="bone map"):
        read_bone_map(str(tmp_path / "nowhere.json"))
    assert read_bone_map(None) is None


def segments() -> dict[str, list[Segment]]:
    """Return segments of a walk and of a jump."""
    return {
        "walk": find_segments(steady_walk(61), BY_NAME["walk"], "game", None),
        "jump": find_segments(jump_clip(), BY_NAME["jump"], "mocap", None),
    }


def test_windows_hold_what_their_structure_says():
    segment = next(segment for segment in segments()["jump"] if not segment.loop)
    seen = []
    for seed in range(40):
        made = draw_window(segment, 48, np.random.default_rng(seed))
        assert len(made.signals) == 48 and made.structure.shape == (3, 48 + 2 * MARGIN)
        progress = made.structure[2, MARGIN:-MARGIN]
        expected = segment.sample((progress + 1) / 2 * (1 - 1e-6))
        np.testing.assert_allclose(local_positions(made.signals), local_positions(expected), atol=0.02)
        seen.append((progress[0], progress[-1]))
    starts, ends = np.array(seen).T
    assert (starts == -1).any() and (starts > -1).any() and (ends == 1).any() and (ends < 1).any()


def test_a_window_that_is_played_faster_moves_faster():
    segment = segments()["walk"][0]
    for seed in range(10):
        made = draw_window(segment, 64, np.random.default_rng(seed))
        pace = made.row[condition_column("tempo")] / segment.tempo
        assert PACES[0] <= pace <= PACES[1]
        assert made.signals.root[0].mean() == pytest.approx(made.row[condition_column("speed")], rel=0.05)
        assert made.row[condition_column("speed")] == pytest.approx(pace * segment.signals.root[0].mean(), rel=1e-4)


def test_actions_count_by_the_root_of_their_clips():
    walk, jump = segments()["walk"], segments()["jump"]
    named = [replace(segment, source=f"clip {i}") for i in range(4) for segment in walk]
    found = [*named, *jump]
    chances = segment_probabilities(found)
    assert chances.sum() == pytest.approx(1)
    share = [chances[[segment.action.name == name for segment in found]].sum() for name in ("walk", "jump")]
    assert share[0] / share[1] == pytest.approx(2 / len({segment.group for segment in jump}))
    # Both styles are drawn equally often, for any number of clips.
    other = replace(walk[0], style="mocap", source="another")
    chances = segment_probabilities([*named, other])
    assert chances[-1] == pytest.approx(0.5)


def test_the_fit_takes_the_constants_over():
    data = small_data()
    fit = fit_linear(data, TINY.z_dim, 0, np.random.default_rng(0))
    assert fit.constants is data.constants


def test_without_the_default_motion_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        GanassetsError, match=r'pip install "ganassets\[train\]", or give motion of your own with --data'
    ):
        SPEC.dataset(TINY, {}, 0, lambda done, total: None)


@pytest.mark.slow
def test_the_default_motion():
    pytest.importorskip("pybullet_data", reason="pybullet, which brings the default motion, is not installed")
    data = SPEC.dataset(replace(TINY, samples=400), {}, 0, lambda done, total: None)
    assert data.licence == "zlib" and "pybullet" in data.source and "/home" not in data.source
    assert (data.conditions[:, condition_column("style:game")] == 0).all()
    assert {name for name in BY_NAME if data.conditions[:, condition_column(f"action:{name}")].any()} >= {"walk", "run"}
