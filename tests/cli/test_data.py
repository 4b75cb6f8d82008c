"""`ganassets data`: what it says of a folder, and how it fails."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import ganassets_faces.portraits as portraits
from ganassets.api.data.records import COPY, FileRecord, count_files
from ganassets.api.spec import Preset
from ganassets.cli import cli
from ganassets.cli.data import format_duration, format_totals, suggest_preset
from ganassets.training.settings import Hardware
from support.sprites import write_sprites


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to work in; presets are small, and torch's settings stay as they were."""
    torch = pytest.importorskip("torch")
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    small = replace(portraits.QUICK, size=16, network_size=16, width=8, max_width=16, components=4, z_dim=8)
    larger = replace(small, name="larger", size=32, network_size=32)
    monkeypatch.setattr(portraits, "SPEC", replace(portraits.SPEC, presets=(small, larger)))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(strict)


def run(*args: str, code: int = 0) -> Result:
    """Run the command line in this process."""
    result = CliRunner().invoke(cli, ["data", *args], prog_name="ganassets")
    assert result.exit_code == code, result.output
    return result


def test_it_lists_files_and_labels(desk: Path) -> None:
    write_sprites(desk / "art")
    Image.new("RGB", (96, 128), (1, 2, 3)).save(desk / "art" / "elf" / "large.png")
    (desk / "art" / "elf" / "bad.png").write_bytes(b"nothing")
    facts = json.loads(run("art", "--seconds", "0", "--json").stdout)
    assert facts["pictures"] == facts["samples"] == 17 and facts["modes"] == {"RGBA": 16, "RGB": 1}
    assert facts["sizes"] == {"smallest": [24, 32], "median": [24, 32], "largest": [96, 128]}
    assert facts["labels"] == {"elf": 9, "orc": 8} and facts["generator"] == "portraits"
    files = {record["file"]: record for record in facts["files"]}
    assert len(files) == 18 and files["elf/large.png"]["use"] == "picture"
    assert files["elf/large.png"]["facts"] == {"size": "96 x 128", "mode": "RGB", "label": "elf", "colours": "one"}
    assert files["elf/bad.png"]["reason"] == "not a picture that can be read; make it PNG or JPEG"
    assert facts["totals"]["found"] == 18 and facts["totals"]["left_out"] == {"can't be read": 1}
    assert "run_seconds" not in facts and "sheet" not in facts
    shown = run("art", "--seconds", "0").stdout
    for text in ("pictures  17, 24x32 to 96x128 pixels", "RGBA 16, RGB 1", "elf 9, orc 8"):
        assert text in shown
    assert shown.splitlines()[-5:-1] == [
        "files          18 found",
        "used           17 picture",
        "left out        1 can't be read, such as elf/bad.png: not a picture that can be read; make it PNG or JPEG",
        "          --json lists every file",
    ]
    assert shown.endswith("Next: ganassets train portraits --preset quick --data art\n")


def test_a_name_that_a_shell_would_split_is_quoted(desk: Path) -> None:
    write_sprites(desk / "my art")
    assert run("my art", "--seconds", "0").stdout.endswith("--data 'my art'\n")


def test_the_sheet_shows_samples(desk: Path) -> None:
    write_sprites(desk / "art")
    assert "sheet     made/sheet.png" in run("art", "--seconds", "0", "--sheet", "made/sheet.png").stdout
    with Image.open("made/sheet.png") as image:
        assert image.size == (1024, 256) and np.asarray(image).std() > 20


def test_time_is_measured(desk: Path) -> None:
    write_sprites(desk / "art")
    facts = json.loads(run("art", "--seconds", "0.2", "--device", "cpu", "--json").stdout)
    images = portraits.SPEC.presets[0].kimg * 1000
    assert images / 100_000 < facts["run_seconds"] < images and facts["device"] == "cpu"
    assert "time      about " in run("art", "--seconds", "0.2", "--device", "cpu").stdout


def test_a_preset_can_be_named(desk: Path) -> None:
    write_sprites(desk / "art")
    assert "--preset larger" in run("art", "--seconds", "0", "--preset", "larger").stdout
    assert "no preset 'huge'" in run("art", "--preset", "huge", code=2).stderr


def test_other_generators_read_their_own(desk: Path) -> None:
    folder = desk / "maps"
    folder.mkdir()
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(60, 200, (64, 64, 3), np.uint8)).save(folder / "brick_Color.png")
    facts = json.loads(run("maps", "--as", "textures", "--seconds", "0", "--json").stdout)
    assert facts["generator"] == "textures" and any("brick" in note for note in facts["notes"])
    assert facts["preset"] == "material" and "pictures" not in facts
    assert facts["labels"] == {"brick": facts["samples"]}, "materials are labels, sliders aren't"


@pytest.mark.parametrize("make", ["nothing", "empty", "prose", "zip"])
def test_nothing_to_read_is_one_sentence(desk: Path, make: str) -> None:
    if make in ("empty", "prose"):
        (desk / "art").mkdir()
    if make == "prose":
        (desk / "art" / "a.png").write_text("once upon a time")
    if make == "zip":
        with zipfile.ZipFile(desk / "art", "w") as archive:
            archive.writestr("a.txt", "once upon a time")
    result = run("art", code=2)
    assert result.stdout == "" and result.stderr.startswith("Error: art ") and result.stderr.count("\n") == 1


def test_an_unknown_generator(desk: Path) -> None:
    assert "portrait" in run(".", "--as", "portrai", code=2).stderr


def test_presets_for_the_machine() -> None:
    spec = replace(portraits.SPEC, presets=tuple(Preset(str(s), "x", s, s, 1.0) for s in (64, 128, 256)))
    cpu, cuda = Hardware("cpu", 1, "float32", True), Hardware("cuda:0", 1, "bfloat16", True)
    assert [suggest_preset(spec, hardware, {"side": 200}).size for hardware in (None, cpu, cuda)] == [64, 64, 256]
    assert [suggest_preset(spec, cuda, {"side": side}).size for side in (16, 64, 100, 170)] == [64, 64, 128, 128]
    assert suggest_preset(spec, cuda, {}).size == 256
    for_data = replace(spec, data_preset="128")
    assert [suggest_preset(for_data, hardware, {}).size for hardware in (cpu, cuda)] == [128, 128]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(40, "40 seconds"), (720, "12 minutes"), (9000, "2.5 hours"), (86400 * 3.14, "3.1 days")],
)
def test_durations(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_a_table_has_a_line_for_each_reason() -> None:
    records = [FileRecord(f"{i}.png", reason=f"the same pixels as {i + 1}.png", category=COPY) for i in range(1500)]
    clips = [FileRecord("a.glb", "clip", "Walk"), FileRecord("a.glb", part="Fly", reason="no", category="no action")]
    assert list(format_totals(count_files([*records, *clips]))) == [
        "files       1,501 found",
        "used            1 clip",
        "left out    1,500 copy of another file, such as 0.png: the same pixels as 1.png",
        "          --json lists every file",
    ]
    assert list(format_totals(count_files([]))) == []
