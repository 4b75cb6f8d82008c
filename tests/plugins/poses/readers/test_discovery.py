"""Finding motion in folders and zips."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganassets.api.data import sources
from ganassets.api.data.records import NOT_READ, FileRecord
from ganassets.api.errors import InputError
from ganassets_poses.readers import LabelledTake, discovery, find_motion, labels
from support.motion_files import AMC, ASF, BvhJoint, GltfFile, bvh_text, humanoid_text

REAL = Path(__file__).parents[5] / "shared" / "data" / "motion"
WALK = bvh_text([BvhJoint("Hips", -1, (0, 1, 0), ["Xrotation"])], np.arange(5.0)[:, None])


def glb(*names: str) -> GltfFile:
    """A bone with animations."""
    file = GltfFile()
    file.document["nodes"] = [{"name": "Bone"}]
    for name in names:
        file.animate(name, [(0, "translation", [0, 1 / 24], np.zeros((2, 3)), "LINEAR")])
    return file


def write(folder: Path, **files: str | bytes) -> Path:
    """Files in a folder, named like walk_bvh or a__walk_bvh for a/walk.bvh."""
    for name, content in files.items():
        path = folder / (name.replace("__", "/")[::-1].replace("_", ".", 1)[::-1])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def rows(*lines: dict[str, Any]) -> str:
    """A manifest."""
    return "".join(json.dumps(line) + "\n" for line in lines)


def read_all(source: Path) -> tuple[list[LabelledTake], dict[str, str]]:
    """Return clips, and the problems of files that hold motion or should, by file or line."""
    records: list[FileRecord] = []
    found = list(find_motion(source, records))
    wrong = [record for record in records if not record.use and record.category not in (NOT_READ, discovery.NO_MOTION)]
    return found, {record.label.replace(": line ", " line ").removesuffix(": lines"): record.reason for record in wrong}


def test_a_folder_of_everything(tmp_path: Path) -> None:
    write(tmp_path, b__walk_bvh=WALK, a__pack_glb=glb("Rig|Run", "Jump").glb(), a__01_asf=ASF, a__01_05_amc=AMC,
          kick_txt=humanoid_text(), punch_json=humanoid_text(loop="none"), licence_txt="free", other_json="{}",
          a__read_me="no motion", b__UP_BVH=WALK)  # fmt: skip
    found, problems = read_all(tmp_path)
    assert [(clip.file, clip.take.name, clip.labels.clip) for clip in found] == [
        ("a/01_05.amc", "01_05", "01_05"), ("a/pack.glb", "Rig|Run", "Rig|Run"), ("a/pack.glb", "Jump", "Jump"),
        ("b/UP.BVH", "UP", "UP"), ("b/walk.bvh", "walk", "walk"), ("kick.txt", "kick", "kick"),
        ("punch.json", "punch", "punch"),
    ]  # fmt: skip
    assert problems == {}
    assert [clip.labels.loops for clip in found] == [None] * 5 + [True, False]
    assert all(clip.labels.file == clip.file and clip.labels.action is None for clip in found)


def test_facts_of_a_manifest(tmp_path: Path) -> None:
    manifest = rows(
        {"file": "pack.glb", "clip": "Run", "action": "run", "loops": True, "tags": ["fast"], "unheard": "of"},
        {"file": "pack.glb", "clip": "Rig|Jump", "action": "jump", "style": "high"},
        {"file": "pack.glb", "licence": "CC0-1.0", "author": "A. Uthor"},
        {"file": "one.glb", "clip": "a name of its own", "action": "sit"},
        {"file": "two.glb", "clip": "a name of its own", "action": "sit"},
        {"file": "walk.bvh", "clip": "walk", "action": "walk", "skip_start_frames": 2, "loops": None},
        {"file": "kick.txt", "loops": False},
        {"file": "pack.glb", "clip": "Rig|Fly", "action": "jump"},
        {"file": "gone.bvh", "action": "walk"},
    )
    write(tmp_path, set__manifest_jsonl=manifest, set__pack_glb=glb("Rig|Run", "Rig|Jump", "Rig|Run|x").glb(),
          set__one_glb=glb("Sit").glb(), set__two_glb=glb("Sit", "Stand").glb(), set__walk_bvh=WALK,
          set__kick_txt=humanoid_text(), walk_bvh=WALK)  # fmt: skip
    found, problems = read_all(tmp_path)
    facts = {(clip.file, clip.take.name): clip.labels for clip in found}
    missing = "the manifest names this clip, which is not there"
    assert problems == {"set/two.glb: a name of its own": missing, "set/pack.glb: Rig|Fly": missing,
                        "set/manifest.jsonl: set/gone.bvh": "it names 'set/gone.bvh', which is not there"}  # fmt: skip
    assert len(found) == 9
    run, jump = facts["set/pack.glb", "Rig|Run"], facts["set/pack.glb", "Rig|Jump"]
    assert (run.action, run.loops, run.tags, run.clip) == ("run", True, ("fast",), "Rig|Run")
    assert (jump.action, jump.style, jump.licence) == ("jump", "high", "")
    rest = facts["set/pack.glb", "Rig|Run|x"]
    assert (rest.action, rest.licence, rest.author) == (None, "CC0-1.0", "A. Uthor")
    assert facts["set/one.glb", "Sit"].action == "sit", "its only clip needs no name"
    assert facts["set/two.glb", "Sit"].action is None
    assert facts["set/walk.bvh", "walk"].action == "walk" and facts["walk.bvh", "walk"].action is None
    assert facts["set/kick.txt", "kick"].loops is False, "the manifest knows better than the file"


def test_first_frames_are_skipped(tmp_path: Path) -> None:
    manifest = rows({"file": "a.bvh", "skip_start_frames": 2}, {"file": "b.bvh", "skip_start_frames": 5})
    write(tmp_path, manifest_jsonl=manifest, a_bvh=WALK, b_bvh=WALK, c_bvh=WALK)
    (clip, whole), problems = read_all(tmp_path)
    assert clip.file == "a.bvh" and len(clip.take.positions) == len(clip.take.rotations) == 3
    assert problems == {"b.bvh: b": "the manifest skips 5 frames of 'b', which has no more"}
    assert np.array_equal(clip.take.rotations, whole.take.rotations[2:])


def test_broken_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ['{"file": "walk.bvh", "action": "walk"}', "{", "[]", '{"action": "run"}', "", '{"file": "a", "tags": 3}',
             '{"file": "x", "skip_start_frames": -1}', "\xff"]  # fmt: skip
    write(tmp_path, walk_bvh=WALK, manifest_jsonl="\n".join(lines).encode("latin-1"))
    found, problems = read_all(tmp_path)
    assert [clip.labels.action for clip in found] == ["walk"]
    assert list(problems) == [f"manifest.jsonl line {number}" for number in (2, 3, 4, 6, 7, 8)]
    assert problems["manifest.jsonl line 4"] == "file: Field required"
    monkeypatch.setattr(labels, "MOST_LINES", 2)
    assert read_all(tmp_path)[1] == {
        "manifest.jsonl": "more than 2 lines; those after are left out",
        "manifest.jsonl line 2": problems["manifest.jsonl line 2"],
    }


@pytest.mark.parametrize(
    ("skeletons", "row", "joints"),
    [
        (["01_05"], {}, 4), (["01_05", "01"], {}, 4), (["01", "02"], {}, 4), (["other"], {}, 4),
        (["x", "y"], {"skeleton": "y.asf"}, 4), (["01_05", "sub/y"], {"skeleton": "sub/y.asf"}, 4),
        ([], {}, "no skeletons (.asf) lie beside it; name it 01_05.asf"), (["x", "y"], {}, "2 skeletons (.asf) lie"),
        (["x"], {"skeleton": "y.asf"}, "'y.asf' is not among the files"),
        (["x"], {"skeleton": "../../x.asf"}, "is not among the files"),
    ],
)  # fmt: skip
def test_skeleton_of_a_motion(tmp_path: Path, skeletons: list[str], row: dict[str, str], joints: int | str) -> None:
    write(tmp_path, manifest_jsonl=rows({"file": "01_05.amc", "fps": 60, **row}), w_bvh=WALK)
    (tmp_path / "01_05.amc").write_text(AMC)
    for name in skeletons:
        (tmp_path / f"{name}.asf").parent.mkdir(exist_ok=True)
        wrong = name == "02" or (len(skeletons) > 1 and name in ("x", "01") and skeletons[0] != "01")
        (tmp_path / f"{name}.asf").write_text("" if wrong else ASF)
    found, problems = read_all(tmp_path)
    if isinstance(joints, int):
        assert len(found[0].take.names) == joints and found[0].take.fps == 60 and not problems
    else:
        assert len(found) == 1 and joints in problems["01_05.amc"]


@pytest.mark.parametrize("name", ["walk.bvh", "pack.gltf", "01.amc", "kick.txt"])
def test_a_single_file(tmp_path: Path, name: str) -> None:
    file = glb("Wave")
    write(tmp_path, walk_bvh=WALK, pack_gltf=file.gltf("pack.bin"), pack_bin=file.binary, x_asf=ASF,
          kick_txt=humanoid_text(), sub__deep_bvh=WALK, manifest_jsonl=rows({"file": name, "action": "a"}))  # fmt: skip
    (tmp_path / "01.amc").write_text(AMC)
    (clip,), problems = read_all(tmp_path / name)
    assert clip.file == name and clip.labels.action == "a" and not problems


def test_buffers_beside_a_file_stay_within(tmp_path: Path) -> None:
    file = glb("Wave")
    write(tmp_path, outside_bin=file.binary, data__sub__pack_gltf=file.gltf("../in.bin"), data__in_bin=file.binary,
          data__up_gltf=file.gltf("../outside.bin"), data__link_gltf=file.gltf("link.bin"),
          data__full_gltf=file.gltf(str(tmp_path / "outside.bin")), data__url_gltf=file.gltf("file:///etc/passwd"),
          data__dots_gltf=file.gltf("%2e%2e/outside.bin"))  # fmt: skip
    (tmp_path / "data" / "link.bin").symlink_to(tmp_path / "outside.bin")
    found, problems = read_all(tmp_path / "data")
    assert [clip.file for clip in found] == ["sub/pack.gltf"]
    assert problems.pop("link.bin") == "a link that leads out of the folder"
    assert set(problems) == {"up.gltf", "link.gltf", "full.gltf", "url.gltf", "dots.gltf"}
    assert all("is not among the files that were given" in why for why in problems.values())
    with pytest.raises(InputError, match=r"'link.bin' is not among"):
        read_all(tmp_path / "data" / "link.gltf")


def test_zips(tmp_path: Path) -> None:
    path = tmp_path / "pack.zip"
    file = glb("Wave")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (
            ("top/walk.bvh", WALK), ("top/pack.gltf", file.gltf("pack.bin")), ("top/pack.bin", file.binary),
            ("top/01.amc", AMC), ("top/01.asf", ASF), ("../up.bvh", WALK), ("__MACOSX/walk.bvh", b"no"),
            ("top/manifest.jsonl", rows({"file": "walk.bvh", "action": "walk"}, {"file": "01.amc", "fps": 30})),
        ):  # fmt: skip
            archive.writestr(name, content)
    for source, prefix in ((path, ""), (tmp_path, "pack.zip/")):
        found, problems = read_all(source)
        assert [clip.file for clip in found] == [f"{prefix}top/{n}" for n in ("01.amc", "pack.gltf", "walk.bvh")]
        assert found[2].labels.action == "walk" and found[0].take.fps == 30
        assert problems[f"{prefix}../up.bvh"] == "a name that leads out of the zip"
        assert problems.keys() == {f"{prefix}../up.bvh", f"{prefix}__MACOSX/walk.bvh"}


def test_bad_files_among_good_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LARGEST_MEMBER", 100_000)
    write(tmp_path, good_bvh=WALK, cut_bvh=WALK[:80], empty_bvh="", noise_glb=bytes(range(256)),
          dog_txt='{"Frames": [[1]]}', still_glb=glb().glb())  # fmt: skip
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.bvh", b" " * 200_000)
    found, problems = read_all(tmp_path)
    assert [clip.file for clip in found] == ["good.bvh"]
    assert set(problems) == {"cut.bvh", "empty.bvh", "noise.glb", "dog.txt", "still.glb", "bomb.zip/bomb.bvh"}
    assert problems["still.glb"] == "the file has no animation" and "unpacked" in problems["bomb.zip/bomb.bvh"]


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"doesn't exist; give a folder, a zip or a file of motion \(.bvh, .glb"):
        read_all(tmp_path / "nowhere")
    write(tmp_path, licence_txt="free", picture_png=b"\x89PNG")
    for name, message in (("", r"read \(licence.txt: no motion: it has no .*; picture.png: .png is not read\); give"),
                          ("licence.txt", "holds no motion"),
                          ("picture.png", "neither a folder nor a zip")):  # fmt: skip
        with pytest.raises(InputError, match=message):
            read_all(tmp_path / name)
    write(tmp_path, bad_bvh="HIER")
    with pytest.raises(InputError, match=r"bad.bvh: not a BVH file: it doesn't start with HIERARCHY.*\); give"):
        read_all(tmp_path)


RECIPE = {
    "format_version": 1, "generator": "poses", "licence": "CC0-1.0",
    "condition": {"action:walk": 0.6, "action:crouch": 0.4, "loop": 1.0, "style:game": 0.0, "style:mocap": 1.0},
}  # fmt: skip


def test_recipes_of_generated_clips_are_facts(tmp_path: Path) -> None:
    index = rows({"begin": "0.1.0"}, {"name": "a", "files": {"a.bvh": {}, "a.bvh.json": {}}, "recipe": RECIPE},
                 {"files": {"head.glb": {}}, "recipe": {**RECIPE, "generator": "faces"}},
                 {"files": [], "recipe": 3})  # fmt: skip
    inside = glb("clip")
    inside.document["asset"]["extras"] = {"recipe": RECIPE}
    once = {**RECIPE, "condition": {"action:jump": 1.0, "loop": 0.0, "style:game": 1.0}}
    write(tmp_path, out__index_jsonl=index + "{broken", out__a_bvh=WALK, out__head_glb=glb("clip").glb(),
          moved__a_bvh=WALK, moved__in_glb=inside.glb())  # fmt: skip
    (tmp_path / "out" / "a.bvh.json").write_text("{}")
    (tmp_path / "moved" / "a.bvh.json").write_text(json.dumps({"Recipe": json.dumps(once)}))
    records: list[FileRecord] = []
    facts = {clip.file: clip.labels for clip in find_motion(tmp_path, records)}
    found = {name: (f.action, f.loops, f.style, f.given_by) for name, f in facts.items()}
    assert found == {
        "out/a.bvh": ("walk", True, "mocap", "the recipe in index.jsonl"),
        "out/head.glb": (None, None, None, ""),
        "moved/a.bvh": ("jump", False, "game", "the recipe beside it"),
        "moved/in.glb": ("walk", True, "mocap", "the recipe in the file"),
    }
    assert facts["out/a.bvh"].licence == "CC0-1.0"
    uses = {record.file: record.use for record in records}
    assert uses == {"out/index.jsonl": "recipes", "moved/a.bvh.json": "recipes", "out/a.bvh.json": ""}


def test_kinds_that_are_not_read_are_listed_with_what_to_do(tmp_path: Path) -> None:
    write(tmp_path, a_fbx="x", b_c3d="x", c_npz="x", d_blend="x", e_usdz="x", f_anim="x", g_asf=ASF, h_png="x", i_="x",
          notes_txt="x", x__walk_vrma=glb("Walk").glb(), walk_bvh=WALK)  # fmt: skip
    (tmp_path / "j.tar.gz").write_bytes(b"x")
    records: list[FileRecord] = []
    assert [clip.file for clip in find_motion(tmp_path, records)] == ["walk.bvh", "x/walk.vrma"]
    assert all(not record.use for record in records)
    assert {record.file: record.reason for record in records} == {
        "a.fbx": ".fbx is not read; export BVH or GLB",
        "b.c3d": ".c3d is not read; it holds markers and no skeleton; solve it and export BVH",
        "c.npz": ".npz is not read; convert it to BVH or GLB",
        "d.blend": ".blend is not read; export GLB",
        "e.usdz": ".usdz is not read; export GLB",
        "f.anim": ".anim is not read; export GLB",
        "g.asf": "a skeleton that no .amc beside it belongs to",
        "h.png": ".png is not read",
        "i.": "a file without an ending is not read",
        "j.tar.gz": ".tar.gz archives are not read; unpack it first",
        "notes.txt": 'no motion: it has no "Frames"',
    }


def test_files_that_are_read_beside_others_are_used(tmp_path: Path) -> None:
    file = glb("Wave", "Zoom")
    file.document["nodes"].append({"name": "Camera"})
    file.document["skins"] = [{"joints": [0]}]
    file.document["animations"][1]["channels"][0]["target"]["node"] = 1
    write(tmp_path, pack_gltf=file.gltf("pack.bin"), pack_bin=file.binary, other_bin="x", manifest_jsonl="")
    (tmp_path / "01_02.amc").write_text(AMC)
    (tmp_path / "01_03.amc").write_text(AMC)
    (tmp_path / "01.asf").write_text(ASF)
    records: list[FileRecord] = []
    assert [clip.take.name for clip in find_motion(tmp_path, records)] == ["01_02", "01_03", "Wave"]
    assert sorted((record.label, record.use, record.reason) for record in records) == [
        ("01.asf", "skeleton", "of 01_02.amc"),
        ("manifest.jsonl", "manifest", ""),
        ("other.bin", "", ".bin is not read"),
        ("pack.bin", "buffer", "of pack.gltf"),
        ("pack.gltf: Zoom", "", "the animation moves no skeleton"),
    ]


NAMES = st.sampled_from(["walk.bvh", "a.glb", "b.gltf", "pack.bin", "c.amc", "c.asf", "d.txt", "e.json", "f.fbx", "g",
                         "manifest.jsonl", "index.jsonl", "walk.bvh.json", ".hidden.bvh", "._walk.bvh", "x.zip",
                         "h.tar.gz", "i.vrma"])  # fmt: skip
CONTENTS = st.sampled_from([WALK.encode(), glb("Walk").glb(), glb("a", "b").gltf("pack.bin"), AMC.encode(),
                            ASF.encode(), humanoid_text().encode(), b"{}", b"", b"\xff\x00"])  # fmt: skip
FOLDERS = st.sampled_from(["", "a/", "a/b/", ".git/", "__MACOSX/"])
TREES = st.dictionaries(st.tuples(FOLDERS, NAMES).map("".join), CONTENTS, min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(TREES, TREES)
def test_no_file_is_without_a_record(tree: dict[str, bytes], members: dict[str, bytes]) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        for name, content in tree.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        with zipfile.ZipFile(root / "pack.zip", "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        (root / "link").symlink_to(root, target_is_directory=True)
        (root / "nowhere.bvh").symlink_to(root / "gone")
        records: list[FileRecord] = []
        clips: list[tuple[str, str]] = []
        with suppress(InputError):
            clips += [(clip.file, clip.take.name) for clip in find_motion(root, records)]
    expected = {*tree, "link", "nowhere.bvh", *(f"pack.zip/{name}" for name in members)}
    assert {record.file for record in records} | {file for file, _ in clips} == expected
    parts = [(record.file, record.part) for record in records] + clips
    assert len(parts) == len(set(parts)), "once"
    used = {record.file for record in records if record.use and not record.part}
    assert not used & {file for file, _ in clips}


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real motion, which is not part of the project")
def test_real_motion() -> None:
    lines = map(json.loads, (REAL / "manifest.jsonl").read_text().splitlines())
    expected = sorted((row["file"], row["action"], row["frames"] - row.get("skip_start_frames", 0)) for row in lines)
    records: list[FileRecord] = []
    found = []
    for clip in find_motion(REAL, records):
        still = clip.labels.fps is None  # a pose, whose frames the manifest doesn't count
        found.append((clip.file, clip.labels.action, 2 if still else len(clip.take.positions)))
    assert all(record.use for record in records) and sorted(found) == expected


class Names(tuple[str, ...]):
    """Names that refuse linear searches and count how often they are iterated."""

    def __contains__(self, name: object) -> bool:
        raise AssertionError("searched one by one")

    def __iter__(self) -> Iterator[str]:
        self.passes = getattr(self, "passes", 0) + 1
        return super().__iter__()


@pytest.mark.parametrize("suffix", ["amc", "bvh"])
def test_names_are_gone_through_as_often_for_many_files_as_for_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    def passes(count: int) -> int:
        folder = tmp_path / str(count)
        for i in range(count):
            write(folder, **{f"01_{i}_{suffix}": AMC if suffix == "amc" else WALK, f"01_{i}.{suffix}_json": "{}"})
        write(folder, **{"01_asf": ASF})
        (listed,), records = sources.list_containers(folder, "motion")
        names = Names(listed.names)
        monkeypatch.setattr(discovery, "list_containers", lambda *_: ([replace(listed, names=names)], records))
        assert len(list(find_motion(folder, []))) == count
        return names.passes

    assert passes(2) == passes(9)
