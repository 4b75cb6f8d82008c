"""Read a run folder for its report; missing and damaged files are left out and listed."""

from __future__ import annotations

import io
import json
import math
import os
import re
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from PIL import Image

from ...api.files import open_regular, read_text
from ...api.toml_text import parse_toml
from ..run_folder import COMPARISON, COMPARISON_DATA
from .numbers import Record, number, thousands

# Largest config.toml or data.json that is read.
MAX_BYTES = 16 * 2**20
# Largest log that is read completely; of a longer one, LOG_LINES evenly spread lines and the last TAIL_BYTES are read.
LOG_BYTES = 2 * 2**20
LOG_LINES = 2000
TAIL_BYTES = 64 * 2**10
LINE_BYTES = 64 * 2**10
MAX_GRIDS = 12
# Larger images would take too long.
MAX_PIXELS = 64_000_000
# Side and JPEG quality, tried in turn until an image is small enough; thirteen images take under 5 MB in base64.
SIZES = ((1280, 82), (1280, 65), (960, 60), (640, 55), (320, 50))
IMAGE_BYTES = 270_000
T = TypeVar("T")
IMAGE_NAME = re.compile(r"(\d{1,15})\.png")


@dataclass(frozen=True)
class ReportImage:
    """An image on the page.

    Attributes:
        images: Number of images that training had seen.
        width: Width in pixels.
        height: Height in pixels.
        content: JPEG.
    """

    images: int
    width: int
    height: int
    content: bytes


@dataclass(frozen=True)
class RunFacts:
    """Content of a run folder.

    Attributes:
        run: Path as the user gave it.
        settings: Content of config.toml; empty without one.
        data: Content of data.json; empty without one.
        log: Records by ascending images; an even selection of a long log. After a return to a checkpoint, the records
            of the second attempt count.
        metrics: Records by ascending images, in the same way.
        events: Records in the order of the file.
        nonfinite: Number of records in the log with a number that was not finite.
        grids: Snapshots, at most MAX_GRIDS, by ascending images.
        nearest: Newest image of samples beside their nearest training samples.
        comparison: Image of training samples, and the newest one of samples under the same conditions.
        omissions: Sentences about files that are missing or damaged.
    """

    run: str
    settings: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    log: tuple[Record, ...] = ()
    metrics: tuple[Record, ...] = ()
    events: tuple[Record, ...] = ()
    nonfinite: int = 0
    grids: tuple[ReportImage, ...] = ()
    nearest: ReportImage | None = None
    comparison: tuple[ReportImage, ReportImage] | None = None
    omissions: tuple[str, ...] = ()


def read_facts(run: Path) -> RunFacts:
    """Read a run folder; no content of it causes an error."""
    omissions: list[str] = []
    settings = read_table(run / "config.toml", parse_toml, omissions)
    data = read_table(run / "data.json", json.loads, omissions)
    log, metrics, events = (read_records(run / f"{name}.jsonl", omissions) for name in ("log", "metrics", "events"))
    grids = read_images(run / "snapshots", MAX_GRIDS, omissions)
    nearest = read_images(run / "nearest", 1, omissions)
    return RunFacts(
        run=run.as_posix(),
        settings=settings,
        data=data,
        log=keep_last_attempt(log),
        metrics=keep_last_attempt(metrics),
        events=tuple(events),
        nonfinite=sum(not all(map(is_finite, record.values())) for record in log),
        grids=grids,
        nearest=nearest[-1] if nearest else None,
        comparison=read_comparison(run / COMPARISON, omissions),
        omissions=tuple(omissions),
    )


def read_table(path: Path, parse: Callable[[str], Any], omissions: list[str]) -> dict[str, Any]:
    """Parse the table in a file; returns an empty one and adds to the omissions when that fails."""
    try:
        table = parse(read_text(path, MAX_BYTES))
    except FileNotFoundError:
        omissions.append(f"{path.name} is missing.")
        return {}
    except OSError as error:
        omissions.append(f"{path.name} can't be read ({str(error.strerror).lower()}).")
        return {}
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict):
        omissions.append(f"{path.name} is damaged.")
        return {}
    return table


def read_records(path: Path, omissions: list[str]) -> list[Record]:
    """Read the records of a JSON Lines file, evenly selected if it is long; adds damaged lines to the omissions."""
    try:
        lines = read_lines(path)
    except FileNotFoundError:
        omissions.append(f"{path.name} is missing.")
        return []
    except OSError:
        omissions.append(f"{path.name} can't be read.")
        return []
    records = [record for line in lines if (record := parse_record(line)) is not None]
    if damaged := len(lines) - len(records):
        lines_are = "1 line of {} is" if damaged == 1 else f"{thousands(damaged)} lines of {{}} are"
        omissions.append(f"{lines_are.format(path.name)} damaged or cut off.")
    return records


def read_lines(path: Path) -> list[bytes]:
    """Read the lines that aren't empty; of a long file LOG_LINES evenly spread ones, and its end."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= LOG_BYTES:
            return [line for line in file.read(LOG_BYTES).splitlines() if line.strip()]
        lines = [line_after(file, size * k // LOG_LINES) for k in range(LOG_LINES)]
        file.seek(size - TAIL_BYTES)
        file.readline(LINE_BYTES)
        lines += file.read(TAIL_BYTES).splitlines()
    return [line for line in lines if line.strip()]


def line_after(file: BinaryIO, position: int) -> bytes:
    """Read the first complete line that begins after a position in a file."""
    file.seek(position)
    file.readline(LINE_BYTES)
    return file.readline(LINE_BYTES)


def parse_record(line: bytes) -> Record | None:
    """Parse a line as a record; None unless it is a JSON object with a number of images."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    images = number(record, "images") if isinstance(record, dict) else None
    return record if images is not None and images >= 0 else None


def is_finite(value: Any) -> bool:
    """Return whether a value is neither NaN nor infinite."""
    return not isinstance(value, float) or math.isfinite(value)


def keep_last_attempt(records: Iterable[Record]) -> tuple[Record, ...]:
    """Return records by ascending images, without those that a later return to a checkpoint made obsolete."""
    kept: list[Record] = []
    for record in reversed(list(records)):
        if not kept or record["images"] < kept[-1]["images"]:
            kept.append(record)
    return tuple(reversed(kept))


def read_images(folder: Path, most: int, omissions: list[str]) -> tuple[ReportImage, ...]:
    """Read the newest `<images>.png` of a folder and an even selection of the others, by ascending images."""
    try:
        named = [(int(match[1]), path) for path in folder.iterdir() if (match := IMAGE_NAME.fullmatch(path.name))]
        named = [(images, path, path.stat()) for images, path in sorted(named) if path.is_file()]
    except OSError:
        named = []
    if not named:
        omissions.append(f"{folder.name}/ holds no image.")
    images_found = []
    for images, path, stat in select_evenly(named, most):
        found = read_image(path, images, (stat.st_mtime_ns, stat.st_size))
        if found is None:
            omissions.append(f"{folder.name}/{path.name} is damaged.")
        else:
            images_found.append(found)
    return tuple(images_found)


def read_comparison(folder: Path, omissions: list[str]) -> tuple[ReportImage, ReportImage] | None:
    """Read the image of training samples and the newest one of samples; None unless both are there."""
    if not folder.is_dir():  # a run of an older version
        return None
    samples = read_images(folder, 1, omissions)
    path = folder / COMPARISON_DATA
    try:
        stat = path.stat()
    except OSError:
        omissions.append(f"{folder.name}/{path.name} is missing.")
        return None
    data = read_image(path, 0, (stat.st_mtime_ns, stat.st_size))
    if data is None:
        omissions.append(f"{folder.name}/{path.name} is damaged.")
    return (data, samples[-1]) if data and samples else None


def select_evenly(items: list[T], most: int) -> list[T]:
    """Return at most `most` items, evenly spread, with the last one, and with the first one if there are two."""
    if len(items) <= most:
        return items
    return [items[-1 - (len(items) - 1) * k // max(most - 1, 1)] for k in reversed(range(most))]


@lru_cache(maxsize=4 * MAX_GRIDS)  # a run writes its report a dozen times
def read_image(path: Path, images: int, version: tuple[int, int]) -> ReportImage | None:
    """Read a PNG and shrink it for the page; None when it can't be read.

    Args:
        path: The file.
        images: Number of images that training had seen.
        version: Time and size of the file, so that the cache notices changes.
    """
    del version
    try:
        with open_regular(path) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MAX_PIXELS is the bound here
            image = Image.open(file, formats=("PNG",))
            if image.width * image.height > MAX_PIXELS:
                return None
            image = image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    content = b""
    for side, quality in SIZES:
        image.thumbnail((side, side), Image.Resampling.BILINEAR)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        content = buffer.getvalue()
        if len(content) <= IMAGE_BYTES:
            break
    return ReportImage(images, image.width, image.height, content)
