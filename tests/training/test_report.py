"""The report of a run: what it concludes, and that nothing in a run folder can break it."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganassets.cli import cli
from ganassets.training.report import files as report_files
from ganassets.training.report import report_html, write_report
from ganassets.training.report.charts import chart, extract_rows, value_axis
from ganassets.training.report.files import MAX_GRIDS, RunFacts, keep_last_attempt, read_facts
from ganassets.training.report.verdict import Finding, Level, headline, verdict

FLOOR = {"distance": 4.0, "precision": 0.8, "recall": 0.8, "coverage": 0.95, "spread": 1.0, "copies": 0.01}
GOOD = {
    "compared_by": "FD-EffNetLite0", "precision": 0.75, "recall": 0.7, "density": 0.9, "coverage": 0.85, "spread": 0.97,
    "nearest": 0.45, "nearest_real": 0.42, "copies": 0.0, "floor": FLOOR, "neighbours": [[7, 0.4], [9, 0.3], [7, 0.2]],
}  # fmt: skip
FALLING = (90.0, 40.0, 20.0, 12.0, 8.0, 7.0, 6.5)
SETTLED = (90.0, 20.0, 5.1, 5.0, 5.0, 5.05, 5.02)
SCRIPT = "<script>alert(1)</script>"


def measurings(distances: Sequence[float] = SETTLED, **last: Any) -> tuple[dict[str, Any], ...]:
    """Records of a run of 60 000 images, with other values in the last one."""
    images = np.linspace(0, 60_000, len(distances)).astype(int).tolist()
    records = [GOOD | {"images": i, "seconds": i / 50, "distance": d} for i, d in zip(images, distances, strict=True)]
    return (*records[:-1], records[-1] | last)


def facts(samples: int = 2000, kimg: float = 60, **rest: Any) -> RunFacts:
    """Build a run of some thousand images."""
    settings = {"generator": "faces", "preset": {"name": "small", "kimg": kimg}}
    return RunFacts("runs/a", **{"settings": settings, "data": {"samples": samples}, "metrics": measurings()} | rest)


def found(given: RunFacts) -> dict[str, Finding]:
    """Findings by topic."""
    return {finding.topic: finding for finding in verdict(given)}


def png(width: int = 64, height: int = 32, seed: int = 0, mode: str = "RGB") -> bytes:
    """Noise, which compresses worst."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, len(mode)), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def write_run(run: Path, name: str = "faces") -> Path:
    """A whole run folder whose texts all hold a name."""
    (run / "snapshots").mkdir(parents=True)
    (run / "nearest").mkdir()
    quoted = json.dumps(name)
    (run / "config.toml").write_text(f"generator = {quoted}\n[preset]\nname = {quoted}\nkimg = 60.0\n")
    files = {"found": 3, "left_out": {name: 2}, "examples": {name: {"file": name, "reason": name}}}
    card = {"name": name, "licence": name, "source": name, "samples": 50, "files": files, "notes": [name]}
    (run / "data.json").write_text(json.dumps(card))
    log = [{"images": i, "g_loss": 2 + i % 7, "images_per_second": 50, "memory_mib": 900} for i in range(0, 60_000, 96)]
    events = [{"images": 900, "seconds": 9, "kind": name, "text": name}]
    for stem, records in {"log": log, "metrics": measurings(compared_by=name), "events": events}.items():
        (run / f"{stem}.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    for k, images in enumerate((0, 30_000, 60_000)):
        (run / "snapshots" / f"{images:010d}.png").write_bytes(png(seed=k))
    (run / "nearest" / "0000060000.png").write_bytes(png(seed=9))
    return run


class Page(HTMLParser):
    """Tags and text of a page; fails where tags don't match."""

    VOID = ("meta", "link", "img", "input", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        """All that is to read."""
        return re.sub(r"\s+", " ", " ".join(self.words))


def page_of(run: Path) -> Page:
    """The report of a run folder, written and read back."""
    return Page(write_report(run).read_text(encoding="utf-8"))


def test_good_run():
    findings = found(facts())
    assert {topic: finding.level for topic, finding in findings.items()} == dict.fromkeys(
        ("learning", "progress", "likeness", "variety", "novelty"), Level.GOOD
    )
    assert "5.02" in findings["learning"].text and "may stop" in findings["progress"].text
    assert headline(verdict(facts()))[0] is Level.GOOD


@pytest.mark.parametrize(
    ("distances", "level", "says"),
    [
        (FALLING, Level.GOOD, "97"),
        ((90.0, 80.0, 70.0, 50.0), Level.MIXED, "In part"),
        ((90.0, 88.0, 87.0, 86.0), Level.POOR, "No."),
        ((90.0, 95.0, 99.0, 120.0), Level.POOR, "no nearer"),
        ((900.0, 500.0, 100.0, 60.0), Level.MIXED, "In part"),  # from noise, most of the way is no feat
        ((90.0,), Level.UNKNOWN, "untrained start"),
    ],
)
def test_learning(distances: tuple[float, ...], level: Level, says: str):
    finding = found(facts(metrics=measurings(distances)))["learning"]
    assert finding.level is level and says in finding.text
    assert f"{distances[-1]:.3g}" in finding.text, "the number that it rests on"


@pytest.mark.parametrize(("distance", "level"), [(5.0, Level.GOOD), (12.0, Level.MIXED), (60.0, Level.POOR)])
def test_learning_without_a_start_is_judged_by_the_floor(distance: float, level: Level):
    assert found(facts(metrics=measurings((90.0, distance))[1:]))["learning"].level is level


def test_learning_without_a_floor_is_never_called_good():
    records = [{"images": 1000 * i, "distance": d} for i, d in enumerate((90.0, 5.0, 0.1, 0.1))]
    assert found(facts(metrics=tuple(records)))["learning"].level is Level.MIXED
    assert found(facts(metrics=tuple(records[2:3])))["learning"].level is Level.UNKNOWN


@pytest.mark.parametrize(
    ("distances", "level", "says"),
    [
        (FALLING, Level.GOOD, "Yes"),
        ((90.0, 30.0, 20.0, 20.2, 20.1, 19.9), Level.MIXED, "will help little"),
        ((90.0, 30.0, 20.0, 25.0, 24.0, 26.0), Level.MIXED, "got worse"),
        ((90.0, 30.0, 20.0, 80.0, 70.0, 60.0), Level.POOR, "got worse"),
        ((90.0, 30.0), Level.UNKNOWN, "2 times"),
        ((90.0,), Level.UNKNOWN, "once"),
    ],
)
def test_progress(distances: tuple[float, ...], level: Level, says: str):
    finding = found(facts(metrics=measurings(distances)))["progress"]
    assert finding.level is level and says in finding.text + finding.advice


@pytest.mark.parametrize(
    ("last", "topic", "level", "says"),
    [
        ({"spread": 0.2, "recall": 0.02, "coverage": 0.05}, "variety", Level.POOR, "collapsed"),
        ({"spread": 0.7}, "variety", Level.MIXED, "0.7"),
        ({"coverage": 0.2}, "variety", Level.POOR, "missing"),
        ({"recall": 0.5}, "variety", Level.MIXED, "50"),
        ({"copies": 0.6, "nearest": 0.05}, "novelty", Level.POOR, "copies training samples"),
        ({"copies": 0.0, "nearest": 0.1}, "novelty", Level.POOR, "copies training samples"),
        ({"copies": 0.6, "nearest": 0.35}, "novelty", Level.MIXED, "blurred"),
        ({"copies": 0.1}, "novelty", Level.MIXED, "10"),
        ({"precision": 0.1}, "likeness", Level.POOR, "0.1"),
        ({"precision": 0.5}, "likeness", Level.MIXED, "0.5"),
    ],
)
def test_faults_of_the_last_measuring(last: dict[str, Any], topic: str, level: Level, says: str):
    findings = found(facts(metrics=measurings(**last)))
    assert findings[topic].level is level and says in findings[topic].text
    assert findings[topic].advice, "what to do next"
    assert headline(tuple(findings.values()))[0] is level
    others = {name: finding.level for name, finding in findings.items() if name != topic}
    assert set(others.values()) == {Level.GOOD}


FLOOR_OF_IMAGES = FLOOR | {"structure": 0.95, "pyramid": 5.0}


@pytest.mark.parametrize(
    ("last", "topic", "level"),
    [
        ({"structure": 0.99, "peaks": 0.9, "pyramid": 5.2}, "structure", Level.GOOD),
        ({"structure": 0.6, "pyramid": 5.2}, "structure", Level.MIXED),
        ({"structure": 0.05, "peaks": 0.1, "pyramid": 5.2}, "structure", Level.POOR),
        ({"structure": 0.99, "pyramid": 7.0}, "detail", Level.GOOD),
        ({"structure": 0.99, "pyramid": 10.0}, "detail", Level.MIXED),
        ({"structure": 0.99, "pyramid": 22.0}, "detail", Level.POOR),
    ],
)
def test_measures_without_a_network_decide_too(last: dict[str, Any], topic: str, level: Level):
    """Features may be flattered: a run that they praise is poor without the structure of the data."""
    findings = found(facts(metrics=measurings(**last, floor=FLOOR_OF_IMAGES)))
    assert findings[topic].level is level and headline(tuple(findings.values()))[0] is level
    assert bool(findings[topic].advice) == (level is not Level.GOOD)
    others = {name: finding.level for name, finding in findings.items() if name != topic}
    assert set(others.values()) == {Level.GOOD}


def test_the_headline_says_what_is_wrong_and_what_to_do():
    given = facts(metrics=measurings(structure=0.0, pyramid=30.0, precision=0.0, floor=FLOOR_OF_IMAGES))
    level, sentence = headline(verdict(given))
    assert level is Level.POOR
    assert sentence == (
        "Not good enough: most samples look unlike any real one; the samples lack the data's structure; the samples' "
        "details are not those of the data. Train longer: start a run with a larger kimg."
    )
    unfinished = replace(given, settings={"preset": {"kimg": 400}})
    assert headline(verdict(unfinished))[1].startswith("Not good enough so far: most samples look")
    assert headline(verdict(unfinished))[1].endswith("Let it train to its end.")


def test_the_verdict_is_the_first_line_of_the_page(tmp_path):
    run = write_run(tmp_path / "run")
    page = page_of(run)
    assert next(tag for tag, _ in page.tags if tag in ("h1", "h2", "p", "ul")) == "h1"
    sentence = headline(verdict(read_facts(run)))[1]
    assert 0 < page.text.index(sentence) < page.text.index("Training report of run")


def write_comparison(run: Path) -> Path:
    """Add the images of training samples and of samples."""
    (run / "comparison").mkdir()
    for name, seed in (("data", 5), ("0000000000", 6), ("0000060000", 7)):
        (run / "comparison" / f"{name}.png").write_bytes(png(seed=seed))
    return run


def test_data_and_samples_stand_side_by_side(tmp_path):
    page = page_of(write_comparison(write_run(tmp_path / "run")))
    assert "Data and samples" in page.text and "Not in this report" not in page.text
    images = [attrs for tag, attrs in page.tags if tag == "img"][:2]
    assert [image["alt"] for image in images] == [
        "Training samples", "Samples beside the data after 60\u202f000 images",
    ]  # fmt: skip
    assert images[0]["width"] == images[1]["width"] and images[0]["height"] == images[1]["height"]


@pytest.mark.parametrize(
    ("name", "says"),
    [("data", "comparison/data.png is"), ("0000060000", "comparison/0000060000.png is damaged")],
)
def test_a_damaged_comparison_is_left_out(tmp_path, name: str, says: str):
    run = write_comparison(write_run(tmp_path / "run"))
    (run / "comparison" / f"{name}.png").write_bytes(b"no image")
    text = page_of(run).text
    assert says in text and "Data and samples" not in text
    (run / "comparison" / "data.png").unlink()
    assert "comparison/data.png is missing." in page_of(run).text


@pytest.mark.parametrize(("samples", "level"), [(12, Level.POOR), (99, Level.MIXED), (100, None)])
def test_few_samples_are_a_warning(samples: int, level: Level | None):
    finding = found(facts(samples)).get("amount of data")
    assert (finding.level if finding else None) is level
    assert finding is None or str(samples) in finding.text


def test_an_unfinished_run_says_how_to_resume():
    given = facts(kimg=400)
    assert "60\u202f000 of 400\u202f000" in found(given)["length"].text
    assert found(given)["length"].command == "ganassets train --resume runs/a"
    assert headline(verdict(given)) == (Level.GOOD, "Not finished. So far: good, as far as numbers can tell.")
    assert "length" not in found(facts())


def test_numbers_that_are_not_finite_are_reported():
    event = {"images": 9, "kind": "rollback", "text": "back"}
    assert "checkpoint: 2" in found(facts(events=(event, event)))["soundness"].text
    assert "finite: 3" in found(facts(nonfinite=3))["soundness"].text


def test_without_measurings_nothing_is_claimed():
    given = facts(metrics=())
    assert {finding.level for finding in verdict(given)} == {Level.UNKNOWN}
    assert headline(verdict(given))[0] is Level.UNKNOWN


VALUES = st.one_of(st.none(), st.just(0), st.floats(), st.integers(-1, 1))
MEASURES = (
    "distance", "precision", "recall", "density", "coverage", "spread", "nearest", "nearest_real", "copies",
    "structure", "peaks", "pyramid",
)  # fmt: skip
RECORDS = st.lists(
    st.fixed_dictionaries(
        dict.fromkeys(MEASURES, VALUES) | {"floor": st.dictionaries(st.sampled_from(MEASURES), VALUES)}
    ),
    max_size=6,
)


@settings(max_examples=40)
@given(RECORDS)
def test_any_measures_have_a_verdict(records: list[dict[str, Any]]):
    given = facts(metrics=tuple(record | {"images": 100 * i} for i, record in enumerate(records)))
    Page(report_html(given))


def test_what_a_run_did_again_counts_once():
    images = [0, 10, 20, 30, 20, 25]
    records = [{"images": i, "at": at} for at, i in enumerate(images)]
    assert [(r["images"], r["at"]) for r in keep_last_attempt(records)] == [(0, 0), (10, 1), (20, 4), (25, 5)]


def test_the_page_shows_everything_of_a_run(tmp_path):
    page = page_of(write_run(tmp_path / "run"))
    titles = ("The run", "Measures", "Training", "Samples over time", "Nearest training samples", "Events")
    assert all(title in page.text for title in titles)
    assert "Not in this report" not in page.text
    assert "Different neighbours: 2 of 3 samples, training sample 7 2 times" in page.text
    grids = [attrs["alt"] for tag, attrs in page.tags if tag == "img"][:3]
    assert grids == [f"Samples after {n} images" for n in ("60\u202f000", "30\u202f000", "0")], "the newest first"
    assert sum(tag == "svg" for tag, _ in page.tags) == 9
    assert sum(attrs.get("class", "") == "level s0" for tag, attrs in page.tags if tag == "line") == 6, "floors"


def test_page_needs_nothing_else(tmp_path):
    page = page_of(write_run(tmp_path / "run"))
    for tag, attrs in page.tags:
        assert tag not in ("iframe", "object", "embed", "base", "form")
        for name in ("src", "href", "srcset", "action"):
            assert (attrs.get(name) or "data:").startswith("data:")
        assert not any(name.startswith("on") or name == "style" for name in attrs), "the policy forbids them"
    policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv"))
    assert policy and policy.startswith("default-src 'none'") and "unsafe" not in policy


@pytest.mark.parametrize(
    "name", [SCRIPT, '"><img src=x onerror=alert(1)>', "</title></style>" + SCRIPT, "\x00\u202e&lt;"]
)
def test_hostile_names_are_only_shown(tmp_path, name: str):
    plain = page_of(write_run(tmp_path / "plain"))
    run = write_run(tmp_path / "run", name)
    page = page_of(run)
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags], "no element more"
    assert name.isprintable() is False or page.text.count(name) >= 6
    assert b"\x00" not in (run / "report.html").read_bytes()


def test_half_a_surrogate_pair_is_no_harm(tmp_path):
    run = write_run(tmp_path / "run")
    (run / "data.json").write_text('{"name": "a\\ud800b"}')
    assert "a b" in page_of(run).text


def test_hostile_run_name_is_only_shown(tmp_path):
    run = write_run(tmp_path / "<b>&'\"x")
    assert sum(tag == "b" for tag, _ in page_of(run).tags) == 0


def test_same_folder_gives_the_same_bytes(tmp_path):
    run = write_run(tmp_path / "run")
    first = write_report(run).read_bytes()
    assert write_report(run).read_bytes() == first
    moved = tmp_path / "elsewhere" / "run"
    shutil.copytree(run, moved)
    assert write_report(moved).read_bytes() == first


@pytest.mark.parametrize("missing", ["config.toml", "data.json", "log.jsonl", "metrics.jsonl", "events.jsonl"])
def test_missing_file_is_reported(tmp_path, missing: str):
    run = write_run(tmp_path / "run")
    (run / missing).unlink()
    assert f"{missing} is missing." in page_of(run).text


def test_empty_folder(tmp_path):
    text = page_of(tmp_path).text
    assert "config.toml is missing." in text and "snapshots/ holds no image." in text
    assert "Not measured" in text


@pytest.mark.parametrize(
    "damage", [b"", b"\x00\xff" * 999, b"[" * 100_000, b"[1]\n" * 9, b'{"images": true}', b"{" + b"9" * 9999]
)
def test_damaged_files_are_left_out(tmp_path, damage: bytes):
    run = write_run(tmp_path / "run")
    files = sorted(path for path in run.rglob("*") if path.is_file())
    for path in files:
        path.write_bytes(damage)
    page = page_of(run)
    assert "snapshots/0000000000.png is damaged." in page.text
    assert "Not measured" in page.text and not any(tag in ("img", "svg") for tag, _ in page.tags)


@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_cut_files_are_used_as_far_as_they_go(tmp_path, share: float):
    run = write_run(tmp_path / "run")
    for path in sorted(path for path in run.rglob("*") if path.is_file()):
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
    given = read_facts(run)
    assert 0.25 < len(given.log) / 625 < 1 and 1 <= len(given.metrics) < 7
    assert "1 line of log.jsonl is damaged or cut off." in given.omissions
    Page(report_html(given))


def test_folders_where_files_belong(tmp_path):
    run = tmp_path / "run"
    for name in ("config.toml", "data.json", "log.jsonl", "metrics.jsonl", "snapshots/0000000000.png"):
        (run / name).mkdir(parents=True)
    (run / "nearest").write_text("no folder")
    text = page_of(run).text
    assert "log.jsonl can't be read." in text and "data.json can't be read (is a directory)." in text


def test_wrong_types_everywhere(tmp_path):
    run = write_run(tmp_path / "run")
    (run / "config.toml").write_text('generator = 3\npreset = "x"\nhardware = [1]\nseed = 1e400\n')
    files = '{"found": "x", "left_out": {"a": [], "b": 3, "c": 1}, "examples": {"b": 5, "c": {"file": 1}}}'
    (run / "data.json").write_text(f'{{"samples": "many", "files": {files}, "notes": {{"a": 1}}}}')
    odd: list[Any] = [None, True, "x", [], {}, 1e300, -1e300, float("nan"), float("inf"), 10**400, 1e-320, -3]
    records = [dict.fromkeys([*GOOD, "distance", "g_loss", "seconds"], v) | {"images": i} for i, v in enumerate(odd)]
    lines = "".join(f"{json.dumps(record)}\n" for record in records)
    for stem in ("log", "metrics", "events"):
        (run / f"{stem}.jsonl").write_text(lines + '{"images": -1}\n{"images": NaN}\n{"images": 1e99}\n')
    neighbours = [[1, None], [2], "x", [float("inf"), 1], [10**400, 1], [5, 0.25]]
    with (run / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"images": 99, "neighbours": neighbours, "floor": 3}) + "\n")
    page = page_of(run)
    assert "4 files of the data were left out" in page.text and "b (3)" in page.text
    assert "aren't finite: 2" in page.text and "training sample 5 (0.25)" in page.text


def test_size_is_bounded_and_pictures_are_few(tmp_path):
    run = write_run(tmp_path / "run")
    large = png(1000, 700)
    for k in range(40):
        (run / "snapshots" / f"{k + 1:010d}.png").write_bytes(large)
    (run / "nearest" / "0000060000.png").write_bytes(large)
    card = json.loads((run / "data.json").read_text())
    reasons = [f"reason {i} {'x' * 500}" for i in range(5000)]
    example = {"file": "f" * 9999, "reason": "r" * 9999}
    card["files"] = {"left_out": dict.fromkeys(reasons, 7), "examples": dict.fromkeys(reasons, example)}
    (run / "data.json").write_text(json.dumps(card | {"notes": ["n" * 9999] * 999, "name": "n" * 99_999}))
    (run / "events.jsonl").write_text(
        "".join(json.dumps({"images": i, "kind": "k" * 999, "text": "t" * 9999}) + "\n" for i in range(150))
    )
    page = page_of(run)
    assert (run / "report.html").stat().st_size < 6e6
    pictures = [attrs for tag, attrs in page.tags if tag == "img"]
    assert len(pictures) == MAX_GRIDS + 1
    assert pictures[0]["alt"] == "Samples after 60\u202f000 images" and pictures[-2]["alt"] == "Samples after 0 images"


def test_long_log_is_thinned_out_to_its_end(tmp_path):
    run = write_run(tmp_path / "run")
    line = json.dumps({"g_loss": 0.5, "d_loss": 0.25, "d_gap": 1.5, "images_per_second": 55.5, "memory_mib": 1234})
    with (run / "log.jsonl").open("w") as file:
        file.writelines(f'{line[:-1]}, "images": {32 * i}}}\n' for i in range(200_000))
    with mock.patch.object(report_files, "parse_record", wraps=report_files.parse_record) as parse:
        given = read_facts(run)
    assert parse.call_count < 10_000, "a week's log is not read line by line"
    assert given.log[-1]["images"] == 32 * 199_999 and len(given.log) < 3000
    gaps = np.diff([0, *(record["images"] for record in given.log)])
    assert gaps.max() < 32 * 500, "no part of the run is missing"
    assert not given.omissions


def test_odd_pictures(tmp_path):
    run = write_run(tmp_path / "run")
    folder = run / "snapshots"
    (folder / "0000000005.png").write_bytes(png(mode="L"))
    (folder / "0000000006.png").write_bytes(png(mode="RGBA"))
    (folder / "0000000007.png").write_bytes(png(1, 3000))
    Image.new("1", (9000, 9000)).save(folder / "0000000008.png")  # far too many pixels, in few bytes
    Image.new("RGB", (9, 9)).save(folder / "0000000009.png", "GIF")
    (folder / f"{SCRIPT.replace('/', '')}.png").write_bytes(png())
    (folder / "0000000010.png").symlink_to("nowhere")
    given = read_facts(run)
    assert [grid.images for grid in given.grids] == [0, 5, 6, 7, 30_000, 60_000]
    assert given.omissions == tuple(f"snapshots/000000000{k}.png is damaged." for k in (8, 9))


@settings(max_examples=60)
@given(st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=20))
def test_charts_of_any_numbers_stay_inside(values: list[float]):
    rows = extract_rows([{"images": i, "a": value} for i, value in enumerate(values)], ["a"])
    axis = value_axis([value for _, by_key in rows for value in by_key.values()])
    assert 2 <= len(axis.ticks) <= 12 and list(axis.ticks) == sorted(set(axis.ticks))
    svg = chart(rows, {"a": "line"}, {"a": values[0]} if abs(values[0]) > 1e-30 else {}, len(values))
    for x, y in re.findall(r"([-\d.]+),([-\d.]+)", "".join(re.findall(r'points="([^"]*)"', svg))):
        assert 0 <= float(x) <= 420 and 0 <= float(y) <= 220
    assert "nan" not in svg and "inf" not in svg


@pytest.mark.parametrize(
    ("values", "ticks", "log"),
    [
        ([0.0, 4.0], (0, 1, 2, 3, 4), False),
        ([3.9, 90.0], (0, 20, 40, 60, 80, 100), False),
        ([0.02, 7.0], (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10), True),
        ([1e-4, 3.0], (1e-4, 1e-3, 1e-2, 0.1, 1, 10), True),
        ([5.0], (4.4, 4.6, 4.8, 5, 5.2, 5.4, 5.6), False),
    ],
)
def test_ticks(values: list[float], ticks: tuple[float, ...], log: bool):
    axis = value_axis(values)
    assert axis.log is log
    assert axis.ticks == pytest.approx(ticks)


def test_long_series_are_means_of_neighbours():
    rows = extract_rows([{"images": i, "a": i, "b": float("nan") if i % 2 else 1} for i in range(1000)], ["a", "b"])
    assert len(rows) <= 120
    assert rows[0] == (4.0, {"a": 4.0, "b": 1.0})


def test_command_writes_it_and_prints_its_path(tmp_path):
    run = write_run(tmp_path / "run")
    result = CliRunner().invoke(cli, ["report", str(run)])
    assert (result.exit_code, result.stdout.strip()) == (0, str(run / "report.html"))
    assert (run / "report.html").is_file()
    assert "Examples:" in CliRunner().invoke(cli, ["report", "--help"]).output
    assert CliRunner().invoke(cli, ["report", str(tmp_path / "none")]).exit_code == 2
