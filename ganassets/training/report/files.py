"""A run folder read for its report: whatever is missing or damaged is left out and noted."""

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
from typing import Any, BinaryIO

from PIL import Image

from ...api.files import open_regular, read_text
from ...api.toml_text import parse_toml
from .numbers import Record, number, thousands

MOST_BYTES = 16 * 2**20  # of a file that is read whole
LOG_BYTES = 2 * 2**20  # of a log that is read whole; of a longer one, lines all over it
LOG_LINES = 2000
TAIL_BYTES = 64 * 2**10  # of a longer one's end, which is read whole
LINE_BYTES = 64 * 2**10
MOST_GRIDS = 12
MOST_PIXELS = 64_000_000  # of a picture: larger ones would take too long
# Side and quality tried in turn until a picture is small enough; thirteen of these make under 5 MB in base64.
SIZES = ((1280, 82), (1280, 65), (960, 60), (640, 55), (320, 50))
PICTURE_BYTES = 270_000
PICTURE_NAME = re.compile(r"(\d{1,15})\.png")


@dataclass(frozen=True)
class Picture:
    """A picture for the page.

    Attributes:
        images: that training had seen.
        width, height: pixels.
        content: JPEG.
    """

    images: int
    width: int
    height: int
    content: bytes


@dataclass(frozen=True)
class RunFacts:
    """What a run folder holds.

    Attributes:
        run: its path as the user gave it.
        settings: of config.toml; empty when there is none.
        data: of data.json; empty when there is none.
        log, metrics: records by images, ascending; of a long log, records all over it. Where a run went back to a
            checkpoint, what it did anew counts.
        events: as they came.
        nonfinite: records of the log in which a number wasn't finite.
        grids: snapshots, at most MOST_GRIDS, ascending.
        nearest: the newest picture of samples beside their nearest training samples.
        omissions: sentences on what is missing or damaged.
    """

    run: str
    settings: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    log: tuple[Record, ...] = ()
    metrics: tuple[Record, ...] = ()
    events: tuple[Record, ...] = ()
    nonfinite: int = 0
    grids: tuple[Picture, ...] = ()
    nearest: Picture | None = None
    omissions: tuple[str, ...] = ()


def read_facts(run: Path) -> RunFacts:
    """Read a run folder; never fails for what lies in it."""
    omissions: list[str] = []
    settings = read_table(run / "config.toml", parse_toml, omissions)
    data = read_table(run / "data.json", json.loads, omissions)
    log, metrics, events = (read_records(run / f"{name}.jsonl", omissions) for name in ("log", "metrics", "events"))
    grids = read_pictures(run / "snapshots", MOST_GRIDS, omissions)
    nearest = read_pictures(run / "nearest", 1, omissions)
    return RunFacts(
        run=run.as_posix(),
        settings=settings,
        data=data,
        log=course(log),
        metrics=course(metrics),
        events=tuple(events),
        nonfinite=sum(not all(map(is_finite, record.values())) for record in log),
        grids=grids,
        nearest=nearest[-1] if nearest else None,
        omissions=tuple(omissions),
    )


def read_table(path: Path, parse: Callable[[str], Any], omissions: list[str]) -> dict[str, Any]:
    """The table in a file; empty, with a note, when there is none."""
    try:
        table = parse(read_text(path, MOST_BYTES))
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
    """Records of a file with one JSON object a line, those of a long one thinned out; notes lines that are none."""
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
    """Lines that aren't empty; of a long file LOG_LINES evenly spread ones, and its end."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= LOG_BYTES:
            return [line for line in file.read(LOG_BYTES).splitlines() if line.strip()]
        lines = [line_after(file, size * k // LOG_LINES) for k in range(LOG_LINES)]
        file.seek(size - TAIL_BYTES)
        file.readline(LINE_BYTES)
        lines += file.read(TAIL_BYTES).splitlines()
    return [line for line in lines if line.strip()]


def line_after(file: BinaryIO, place: int) -> bytes:
    """The first whole line that begins after a place in a file."""
    file.seek(place)
    file.readline(LINE_BYTES)
    return file.readline(LINE_BYTES)


def parse_record(line: bytes) -> Record | None:
    """The JSON object of a line, if it is one with a number of images."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    images = number(record, "images") if isinstance(record, dict) else None
    return record if images is not None and images >= 0 else None


def is_finite(value: Any) -> bool:
    """False for NaN and the infinities alone."""
    return not isinstance(value, float) or math.isfinite(value)


def course(records: Iterable[Record]) -> tuple[Record, ...]:
    """Records ascending in images, without those that the run went back behind later."""
    kept: list[Record] = []
    for record in reversed(list(records)):
        if not kept or record["images"] < kept[-1]["images"]:
            kept.append(record)
    return tuple(reversed(kept))


def read_pictures(folder: Path, most: int, omissions: list[str]) -> tuple[Picture, ...]:
    """The newest `<images>.png` of a folder and others evenly spread before it, ascending; notes damaged ones."""
    try:
        named = [(int(match[1]), path) for path in folder.iterdir() if (match := PICTURE_NAME.fullmatch(path.name))]
        named = [(images, path, path.stat()) for images, path in sorted(named) if path.is_file()]
    except OSError:
        named = []
    if not named:
        omissions.append(f"{folder.name}/ holds no picture.")
    pictures = []
    for images, path, stat in spread(named, most):
        found = read_picture(path, images, (stat.st_mtime_ns, stat.st_size))
        if found is None:
            omissions.append(f"{folder.name}/{path.name} is damaged.")
        else:
            pictures.append(found)
    return tuple(pictures)


def spread(items: list, most: int) -> list:
    """At most so many of a list, evenly spread, the last among them (and the first, where there are two)."""
    if len(items) <= most:
        return items
    return [items[-1 - (len(items) - 1) * k // max(most - 1, 1)] for k in reversed(range(most))]


@lru_cache(maxsize=4 * MOST_GRIDS)  # a run in training writes its report again and again
def read_picture(path: Path, images: int, stamp: tuple[int, int]) -> Picture | None:
    """A PNG made small enough for the page; None when it can't be read. `stamp` tells versions of a file apart."""
    try:
        with open_regular(path) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MOST_PIXELS is the bound here
            image = Image.open(file, formats=("PNG",))
            if image.width * image.height > MOST_PIXELS:
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
        if len(content) <= PICTURE_BYTES:
            break
    return Picture(images, image.width, image.height, content)
