"""Line charts as SVG. Text that comes in must be escaped already; colours are the page's (classes s0, s1, ...)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .numbers import NARROW_SPACE, Record, number, short, thousands

WIDTH, HEIGHT = 420, 220
TOP, RIGHT, BOTTOM = 10, 22, 26
DIGIT = 7.2  # width of a digit of the labels, 12 px high
MOST_POINTS = 120
LOG_RATIO = 50  # from the least to the largest value: beyond it small values would lie on the axis
DECADES_ALONE = 3  # marks at 1, 10, 100 suffice
STEPS = (1, 2, 5, 10)

Row = tuple[float, dict[str, float]]


@dataclass(frozen=True)
class Axis:
    """Values along an axis.

    Attributes:
        low, high: its ends.
        ticks: values with a mark, ascending.
        log: whether it is logarithmic.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False

    def place(self, value: float) -> float:
        """Where a value lies, 0 at the low end and 1 at the high one."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def tick_step(span: float, most: int) -> float:
    """The least step of 1, 2 or 5 times a power of ten that leaves at most so many intervals in a span above 0."""
    power = 10.0 ** math.floor(math.log10(span / most))
    return next(step * power for step in STEPS if step * power >= span / most * (1 - 1e-9))


def value_axis(values: Sequence[float]) -> Axis:
    """An axis that begins and ends with a tick; logarithmic where positive values span more than LOG_RATIO."""
    low, high = min(values), max(values)
    if low > 0 and high / low > LOG_RATIO:
        return log_axis(low, high)
    if 0 < low < 0.5 * high:
        low = 0.0
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        room = abs(low) / 10 or 1.0
        low, high = low - room, high + room
    step = tick_step(high - low, 5)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(i * step for i in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks)


def log_axis(low: float, high: float) -> Axis:
    """A logarithmic axis, marked at powers of ten, and at 2 and 5 times these where there are few."""
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    if last - first > DECADES_ALONE:
        every = -(-(last - first) // 6)
        ticks = [10.0**power for power in range(first, last + every, every)]
        return Axis(ticks[0], ticks[-1], tuple(ticks), log=True)
    marks = [step * 10.0**power for power in range(first, last + 1) for step in STEPS[:3]]
    below = max((mark for mark in marks if mark <= low * (1 + 1e-9)), default=marks[0])
    above = min((mark for mark in marks if mark >= high * (1 - 1e-9)), default=marks[-1])
    return Axis(below, above, tuple(mark for mark in marks if below <= mark <= above), log=True)


def images_axis(most: float) -> Axis:
    """An axis from 0 to so many images."""
    most = max(most, 1.0)
    step = tick_step(most, 6)
    return Axis(0.0, most, tuple(i * step for i in range(math.floor(most / step + 1e-9) + 1)))


def rows_of(records: Sequence[Record], keys: Sequence[str], most: int = MOST_POINTS) -> list[Row]:
    """(images, values by key) of records that have any of the keys; means of neighbours where there are too many."""
    rows: list[Row] = []
    for record in records:
        values = {key: value for key in keys if (value := number(record, key)) is not None}
        if values:
            rows.append((record["images"], values))
    size = -(-len(rows) // most)
    return [mean_row(rows[i : i + size], keys) for i in range(0, len(rows), size or 1)]


def mean_row(rows: Sequence[Row], keys: Sequence[str]) -> Row:
    """The mean of rows; each key's over those that have it."""
    by_key = {key: [values[key] for _, values in rows if key in values] for key in keys}
    means = {key: sum(found) / len(found) for key, found in by_key.items() if found}
    return sum(images for images, _ in rows) / len(rows), means


def chart(
    rows: Sequence[Row], labels: Mapping[str, str], levels: Mapping[str, float], images: float, dots: bool = False
) -> str:
    """SVG of values over images.

    Args:
        rows: at least one, ascending; see rows_of.
        labels: of the lines by key, escaped, in the order of their colours.
        levels: by key, values to draw as dashed horizontal lines in the colour of the key's line.
        images: where the horizontal axis ends.
        dots: mark every point.
    """
    y = value_axis([value for _, values in rows for value in values.values()] + list(levels.values()))
    x = images_axis(images)
    left = 10 + DIGIT * max(len(tick_label(tick, y)) for tick in y.ticks)

    def across(value: float) -> float:
        return left + (WIDTH - left - RIGHT) * min(x.place(value), 1.0)

    def down(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - y.place(value))

    parts = [
        f'<line class="rule" x1="{left:.1f}" x2="{WIDTH - RIGHT}" y1="{down(t):.1f}" y2="{down(t):.1f}"/>'
        f'<text class="end" x="{left - 6:.1f}" y="{down(t) + 4:.1f}">{tick_label(t, y)}</text>'
        for t in y.ticks
    ]
    parts += [f'<text class="mid" x="{across(t):.1f}" y="{HEIGHT - 8}">{images_label(t, x)}</text>' for t in x.ticks]
    for colour, key in enumerate(labels):
        if key in levels:
            height = f"{down(levels[key]):.1f}"
            parts.append(
                f'<line class="level s{colour}" x1="{left:.1f}" x2="{WIDTH - RIGHT}" y1="{height}" y2="{height}"/>'
            )
        points = [(across(at), down(values[key])) for at, values in rows if key in values]
        if len(points) > 1:
            parts.append(f'<polyline class="s{colour}" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in points)}"/>')
        if dots or len(points) == 1:
            parts += [f'<circle class="s{colour}" cx="{a:.1f}" cy="{b:.1f}" r="3"/>' for a, b in points]
    parts += tooltips(rows, labels, [across(at) for at, _ in rows])
    said = "; ".join(f"{label} {spoken(rows, key)}" for key, label in labels.items())
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{said}">{"".join(parts)}</svg>'


def tooltips(rows: Sequence[Row], labels: Mapping[str, str], places: Sequence[float]) -> list[str]:
    """Invisible strips around each point's place, which tell its values."""
    edges = [places[0] - 4, *((a + b) / 2 for a, b in pairwise(places)), places[-1] + 4]
    strips = []
    for (images, values), (start, end) in zip(rows, pairwise(edges), strict=True):
        told = ", ".join(f"{labels[key]} {short(value)}" for key, value in values.items())
        strips.append(
            f'<rect class="strip" x="{start:.1f}" y="{TOP}" width="{end - start:.1f}" height="{HEIGHT - TOP - BOTTOM}">'
            f"<title>{thousands(images)} images: {told}</title></rect>"
        )
    return strips


def spoken(rows: Sequence[Row], key: str) -> str:
    """A line in words."""
    values = [values[key] for _, values in rows if key in values]
    return f"from {short(values[0])} to {short(values[-1])}" if values else "not recorded"


def tick_label(value: float, axis: Axis) -> str:
    """A value at the vertical axis, in as many decimals as the step between ticks has."""
    step = value if axis.log else axis.ticks[1] - axis.ticks[0]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if decimals > 6 or abs(value) >= 1e6:
        return f"{value:.3g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    return f"{value:,.{decimals}f}".replace(",", NARROW_SPACE)


def images_label(value: float, axis: Axis) -> str:
    """Images at the horizontal axis, in thousands or millions where there are many: "250k"."""
    factor, unit = next(((f, u) for f, u in ((1e6, "M"), (1e3, "k"), (1.0, "")) if axis.high >= 2 * f), (1.0, ""))
    return f"{value / factor:g}{unit}" if value else "0"
