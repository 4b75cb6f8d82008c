"""The wheels of the extension: ganassets' own is sound and the same each time, others are the right ones."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from ganassets.errors import InputError
from ganassets_blender.wheels import (
    ALONE,
    PLATFORMS,
    WITH_THEIR_OWN,
    fetch_wheels,
    files_below,
    make_own_wheel,
    own_version,
    pack,
    reason_in,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def own() -> tuple[str, bytes]:
    return make_own_wheel()


@pytest.fixture(scope="module")
def unpacked(own: tuple[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as installed."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(io.BytesIO(own[1])) as file:
        file.extractall(folder)
    return folder


def in_folder(folder: Path, code: str) -> str:
    """What Python prints that finds ganassets in a folder."""
    run = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(folder)!r})\n{code}"]
    done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_file_is_recorded(own: tuple[str, bytes]):
    with zipfile.ZipFile(io.BytesIO(own[1])) as file:
        (record,) = (name for name in file.namelist() if name.endswith("/RECORD"))
        rows = {name: (digest, size) for name, digest, size in csv.reader(file.read(record).decode().splitlines())}
        assert sorted(rows) == sorted(file.namelist())
        assert rows.pop(record) == ("", "")
        for name, (digest, size) in rows.items():
            content = file.read(name)
            assert int(size) == len(content)
            method, _, text = digest.partition("=")
            assert base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) == hashlib.new(method, content).digest()


def test_it_tells_what_is_installed(own: tuple[str, bytes], unpacked: Path):
    (found,) = metadata.distributions(name="ganassets", path=[str(unpacked)])
    installed = metadata.distribution("ganassets")
    assert found.version.partition("+")[0] == installed.version
    assert own[0] == f"ganassets-{found.version}-py3-none-any.whl"
    assert found.requires == installed.requires
    assert set(found.entry_points) == set(installed.entry_points)
    licences = {str(path.relative_to("licenses")) for path in licence_files(found)}
    assert licences == {"LICENSE", "NOTICE", "blender/ganassets_blender/addon/LICENSE"}


def licence_files(found: metadata.Distribution) -> list[Path]:
    return [Path(*path.parts[1:]) for path in found.files or [] if "licenses" in path.parts]


def test_it_holds_the_packages_whole(unpacked: Path):
    for folder in (ROOT, ROOT / "plugins", ROOT / "exporters", ROOT / "blender"):
        for package in folder.glob("ganassets*/__init__.py"):
            names = files_below(package.parent)
            assert files_below(unpacked / package.parent.name).keys() == names.keys()
    assert not list(unpacked.rglob("__pycache__"))


def test_an_installed_copy_makes_the_same_wheel(own: tuple[str, bytes], unpacked: Path):
    code = "from ganassets_blender import wheels; import hashlib; name, content = wheels.make_own_wheel()\n"
    told = in_folder(unpacked, f"{code}print(wheels.__file__, name, hashlib.sha256(content).hexdigest())").split()
    assert told[0].startswith(str(unpacked))
    assert told[1:] == [own[0], hashlib.sha256(own[1]).hexdigest()]


def test_other_files_make_another_version(own: tuple[str, bytes], unpacked: Path):
    extra = unpacked / "ganassets" / "extra.py"
    extra.write_text("")
    try:
        told = in_folder(unpacked, "from ganassets_blender import wheels; print(wheels.make_own_wheel()[0])")
    finally:
        extra.unlink()
    assert told != own[0]
    assert told.startswith(f"ganassets-{own_version()}+")


def test_a_checkout_without_an_installation_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(metadata, "distributions", lambda **_: iter(()))
    with pytest.raises(InputError, match="ganassets is not installed here"):
        make_own_wheel()


def test_leftovers_are_no_files(tmp_path: Path):
    for name in ("a.py", "b/c.txt", "__pycache__/a.pyc", ".hidden", "b/.git/config"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert files_below(tmp_path).keys() == {"a.py", "b/c.txt"}


def test_the_same_files_make_the_same_bytes():
    files = {"b.txt": b"b" * 1000, "a.whl": b"a" * 1000}
    packed = pack(files)
    assert packed == pack(dict(reversed(files.items())))
    with zipfile.ZipFile(io.BytesIO(packed)) as file:
        assert file.namelist() == ["a.whl", "b.txt"]
        assert [entry.compress_size == entry.file_size for entry in file.infolist()] == [True, False]


def parts_of(requirement: str) -> tuple[str, frozenset[str]]:
    """Name and bounds of "rich>=13.7,<16; ...", in whatever order they stand."""
    name = re.split("[<>=!~; ]", requirement)[0]
    return name, frozenset(requirement.partition(";")[0].strip().removeprefix(name).split(","))


def test_ranges_are_those_of_the_package():
    required = {parts_of(text) for text in metadata.requires("ganassets") or [] if "extra" not in text}
    assert {parts_of(text) for text in (*WITH_THEIR_OWN, *ALONE)} <= required


def make_wheel(folder: Path, name: str, version: str, tag: str, requires: str = "") -> None:
    """A wheel of an empty package."""
    info = f"{name}-{version}.dist-info"
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/RECORD": "",
    }
    content = pack({name: text.encode() for name, text in files.items()})
    (folder / f"{name}-{version}-{tag}.whl").write_bytes(content)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder of wheels, of which some fit no platform or no Python of Blender's."""
    folder = tmp_path / "source"
    folder.mkdir()
    for tag in ("manylinux_2_28_x86_64", "win_amd64", "win_arm64", "macosx_11_0_universal2"):
        make_wheel(folder, "onnxruntime", "1.20.0", f"cp311-cp311-{tag}", "numpy")
        make_wheel(folder, "pillow", "12.0.0", f"cp311-cp311-{tag}")
    for tag in ("cp313-cp313-win_amd64", "cp311-cp311-manylinux_2_34_x86_64", "cp311-cp311-macosx_13_0_universal2"):
        make_wheel(folder, "onnxruntime", "1.30.0", tag, "numpy")
    make_wheel(folder, "onnxruntime", "2.0.0", "cp311-cp311-win_amd64", "numpy")
    make_wheel(folder, "pydantic", "2.9.0", "py3-none-any", "annotated-types")
    for name in ("annotated_types", "click", "rich", "colorama"):
        make_wheel(
            folder, name, {"click": "8.2.0", "rich": "14.0.0", "colorama": "0.4.6"}.get(name, "1.0"), "py3-none-any"
        )
    return folder


@pytest.mark.parametrize("platform", PLATFORMS)
def test_wheels_fit_platform_and_python(platform: str, source: Path, tmp_path: Path):
    (tmp_path / "taken").mkdir()
    taken = fetch_wheels(platform, tmp_path / "taken", source)
    assert taken == sorted(taken)
    names = {path.name.partition("-")[0]: path for path in taken}
    common = {"annotated_types", "click", "onnxruntime", "pillow", "pydantic", "rich"}
    assert names.keys() == common | ({"colorama"} if platform.startswith("windows") else set())
    assert names["onnxruntime"].name.startswith("onnxruntime-1.20.0-cp311-cp311-")
    assert all(path.read_bytes() == (source / path.name).read_bytes() for path in taken)


def test_missing_wheels_are_one_sentence(source: Path, tmp_path: Path):
    for path in source.glob("rich*"):
        path.unlink()
    (tmp_path / "taken").mkdir()
    with pytest.raises(InputError, match=r"^pip can't get the wheels for linux-x64 \(.*rich.*\)\.$") as caught:
        fetch_wheels("linux-x64", tmp_path / "taken", source)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("WARNING: slow\nERROR: a\nERROR: No such wheel.\n[notice] newer pip\n", "No such wheel"),
        ("python: No module named pip\n\n", "python: No module named pip"),
        ("", "it said nothing"),
    ],
)
def test_the_reason_is_pips(said: str, reason: str):
    assert reason_in(said) == reason
