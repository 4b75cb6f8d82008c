"""The wheel of ganassets in the extension is valid and reproducible; test_lock.py tests the other wheels."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from ganassets.api.errors import InputError
from ganassets_blender.wheels import files_below, make_own_wheel, own_version, pack

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
    """Output of Python code that imports ganassets from a folder."""
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


def test_the_wheel_has_the_installed_metadata(own: tuple[str, bytes], unpacked: Path):
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
    output = in_folder(unpacked, f"{code}print(wheels.__file__, name, hashlib.sha256(content).hexdigest())").split()
    assert output[0].startswith(str(unpacked))
    assert output[1:] == [own[0], hashlib.sha256(own[1]).hexdigest()]


def test_other_files_make_another_version(own: tuple[str, bytes], unpacked: Path):
    extra = unpacked / "ganassets" / "extra.py"
    extra.write_text("")
    try:
        output = in_folder(unpacked, "from ganassets_blender import wheels; print(wheels.make_own_wheel()[0])")
    finally:
        extra.unlink()
    assert output != own[0]
    assert output.startswith(f"ganassets-{own_version()}+")


def test_a_checkout_without_an_installation_is_reported(monkeypatch: pytest.MonkeyPatch):
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
