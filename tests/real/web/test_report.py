"""A report in headless Chromium: without a network, with and without scripts, on phones and on wide screens."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganassets.training.report import write_report

pytestmark = pytest.mark.real

HOSTILE = '<script>alert(1)</script><img src="http://127.0.0.1:9/x" onerror="alert(2)">'
LONG = "a_name_without_any_place_to_break_it_" * 6
IMAGES = np.linspace(0, 330_000, 12).astype(int).tolist()


def picture(seed: int) -> bytes:
    """Make a PNG with coloured squares."""
    colours = np.random.default_rng(seed).integers(0, 256, (4, 8, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(colours).resize((1024, 512), Image.Resampling.NEAREST).save(buffer, "PNG")
    return buffer.getvalue()


def encode_lines(records: list[dict[str, Any]]) -> str:
    """Encode records as JSON lines."""
    return "".join(f"{json.dumps(record)}\n" for record in records)


def write_run(run: Path) -> Path:
    """Write a run folder with all files, and with hostile and very long names."""
    for folder in ("snapshots", "nearest"):
        (run / folder).mkdir(parents=True)
    (run / "config.toml").write_text(f"generator = '{HOSTILE}'\n[preset]\nname = '{LONG}'\nkimg = 400\n")
    example = {"file": f"{LONG}.png", "reason": HOSTILE}
    files = {"found": 60, "left_out": {HOSTILE: 30}, "examples": {HOSTILE: example}}
    card = {"name": HOSTILE, "licence": LONG, "source": LONG, "samples": 60, "files": files, "notes": [LONG]}
    (run / "data.json").write_text(json.dumps(card))
    log = [
        {"images": i, "g_loss": 0.02 + i / 4e4, "d_loss": 9e4 / (i + 1), "d_gap": np.sin(i / 9e3), "penalty": i * 1e-9,
         "distance": 0.5, "augmentation": i / 1e6, "images_per_second": 1234.5, "memory_mib": 98_765 + i // 9}
        for i in range(0, 330_001, 480)
    ]  # fmt: skip
    (run / "log.jsonl").write_text(encode_lines(log))
    shares = ("precision", "recall", "density", "coverage", "spread", "copies")
    metrics = [
        dict.fromkeys(shares, 0.1 + 0.06 * k) | {"images": i, "seconds": i / 50, "distance": 900.0 * 0.6**k,
         "compared_by": HOSTILE, "nearest": 2e7 + k, "nearest_real": 2e7, "neighbours": [[k, 0.5]] * 64,
         "floor": dict.fromkeys(shares, 0.9) | {"distance": 0.3}}
        for k, i in enumerate(IMAGES)
    ]  # fmt: skip
    (run / "metrics.jsonl").write_text(encode_lines(metrics))
    (run / "events.jsonl").write_text(encode_lines([{"images": 330_000, "kind": LONG, "text": HOSTILE + LONG}]))
    for seed, images in enumerate(IMAGES):
        (run / "snapshots" / f"{images:010d}.png").write_bytes(picture(seed))
    (run / "nearest" / f"{IMAGES[-1]:010d}.png").write_bytes(picture(99))
    return run


@pytest.fixture(scope="module")
def found(
    node: Callable[..., dict[str, Any]], chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Results of report.mjs for the report of a complete run."""
    run = write_run(tmp_path_factory.mktemp("runs") / "run")
    return node("report.mjs", chromium, write_report(run))


def test_asks_for_nothing_and_complains_of_nothing(found: dict[str, Any]) -> None:
    assert found["requests"] == [] and found["complaints"] == []
    assert found["title"] == "run: training report"


def test_fits_phones_and_wide_screens(found: dict[str, Any]) -> None:
    assert {(view["width"], view["scheme"]) for view in found["views"]} == {
        (width, scheme) for width in (400, 900, 1600) for scheme in ("light", "dark")
    }
    for view in found["views"]:
        assert view["overflow"] <= 0, view
        assert view["charts"] == 13 and view["broken"] == 0, view
        assert (view["clipped"], view["overlapping"]) == (0, 0), "labels of the charts"
        assert view["faint"] == [], "text that contrasts by less than 4.5 to 1"


def test_slider_goes_through_the_snapshots_by_keys(found: dict[str, Any]) -> None:
    assert all(view["shown"] == ["after 330\u202f000 images"] for view in found["views"]), "the newest first"
    at = [("ArrowLeft", "300\u202f000"), ("Home", "0"), ("ArrowRight", "30\u202f000"), ("End", "330\u202f000")]
    assert len(found["slider"]) == len(at)
    for step, (key, images) in zip(found["slider"], at, strict=True):
        said = f"after {images} images"
        assert step == {"key": key, "shown": [said], "said": said, "when": said}


def test_without_script_all_snapshots_show(found: dict[str, Any]) -> None:
    assert found["without"] == {"shown": 12, "control": False}


def test_report_of_an_empty_folder(node: Callable[..., dict[str, Any]], chromium: str, tmp_path: Path) -> None:
    found = node("report.mjs", chromium, write_report(tmp_path))
    assert found["complaints"] == [] and found["slider"] == []
    assert all(view["overflow"] <= 0 and not view["control"] for view in found["views"])
