"""Print results as tables, and draw them."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import PeerCase, Result
from PIL import Image, ImageDraw

sys.path.append(str(Path(__file__).parents[1]))
from tables import print_table, say  # pyright: ignore[reportMissingImports]

MEASURES = {
    "rate": ("images/s", 1),
    "fd": ("FD", 2),
    "precision": ("precision", 2),
    "recall": ("recall", 2),
    "spread": ("spread", 2),
    "nearest": ("nearest", 2),
    "copies": ("copies", 2),
}
SHOWN_ROWS, TILE, LABEL = 2, 64, 14


def select_results(results: Sequence[Result], **facts: object) -> list[Result]:
    """Return the results with some facts."""
    return [result for result in results if facts.items() <= result.items()]


def values(results: Sequence[Result], measure: str) -> list[float]:
    """Return one measure of each result."""
    return [result[measure] for result in results]


def format_range(numbers: Sequence[float], digits: int) -> str:
    """Format the mean, and the range if there are several numbers."""
    mean = f"{statistics.mean(numbers):.{digits}f}"
    return mean if len(numbers) == 1 else f"{mean} ({min(numbers):.{digits}f}-{max(numbers):.{digits}f})"


def by_contender(results: Sequence[Result], data: str) -> Iterator[tuple[str, list[Result]]]:
    """Yield the results on a data set by contender, in the order in which these first ran."""
    for name in dict.fromkeys(result["contender"] for result in select_results(results, data=data)):
        yield name, select_results(results, data=data, contender=name)


def print_measures(results: Sequence[Result]) -> None:
    """Print a table for each data set with means over seeds and their ranges."""
    for data in dict.fromkeys(result["data"] for result in results):
        first = select_results(results, data=data)[0]
        say(f"{data}: {first['images']} images, {first['seconds']:g} s each on {first['device']}.")
        rows = []
        for name, some in by_contender(results, data):
            generator, discriminator = some[0]["parameters"]
            rows.append(
                {
                    "": name,
                    "G + D, M": f"{generator / 1e6:.2f} + {discriminator / 1e6:.2f}",
                    "steps": f"{statistics.mean(values(some, 'steps')):.0f}",
                    **{title: format_range(values(some, key), digits) for key, (title, digits) in MEASURES.items()},
                }
            )
        print_table(rows)


def draw_comparison(results: Sequence[Result], data: str, out: Path) -> Image.Image:
    """Draw samples of each contender's first seed below its name."""
    parts = []
    for name, some in by_contender(results, data):
        case = PeerCase(**{field: some[0][field] for field in ("data", "contender", "seed", "seconds", "device")})
        parts.append((f"{name}: FD {some[0]['fd']:.1f}", Image.open(out / case.picture)))
    height = LABEL + SHOWN_ROWS * TILE
    sheet = Image.new("RGB", (parts[0][1].width, height * len(parts)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (label, samples) in enumerate(parts):
        draw.text((2, row * height + 1), label, "black")
        sheet.paste(samples.crop((0, 0, samples.width, SHOWN_ROWS * TILE)), (0, row * height + LABEL))
    return sheet
