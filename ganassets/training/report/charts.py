"""Draw line charts as SVG, in the page's colours (classes s0, s1, ...); labels must be escaped already."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .numbers import NARROW_SPACE, Record, number, short, thousands

WIDTH, HEIGHT = 420, 220
TOP, RIGHT, BOTTOM = 10, 22, 26
# Width of a digit in the labels, which are 12 px high.
DIGIT = 7.2
MAX_POINTS = 120
# Ratio of the largest to the smallest value from which an axis is logarithmic; small values would else lie on the axis.
LOG_RATIO = 50
# Decades from which powers of ten are enough marks.
MAX_DECADES_WITH_STEPS = 3
STEPS = (1, 2, 5, 10)

Row = tuple[float, dict[str, float]]


@dataclass(frozen=True)
class ChartAxis:
    """An axis of a chart.

    Attributes:
        low: Value at its start.
        high: Value at its end.
        ticks: Values with a mark, ascending.
        log: Whether it is logarithmic.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False

    def position(self, value: float) -> float:
        """Return the position of a value, 0 at the low end and 1 at the high one."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def tick_step(span: float, most: int) -> float:
    """Return the least step of 1, 2 or 5 times a power of ten with at most `most` intervals in a span above 0."""
    power = 10.0 ** math.floor(math.log10(span / most))
    return next(step * power for step in STEPS if step * power >= span / most * (1 - 1e-9))


def value_axis(values: Sequence[float]) -> ChartAxis:
    """Return an axis between two ticks around values; logarithmic if positive values span more than LOG_RATIO."""
    low, high = min(values), max(values)
    if low > 0 and high / low > LOG_RATIO:
        return log_axis(low, high)
    if 0 < low < 0.5 * high:
        low = 0.0
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        margin = abs(low) / 10 or 1.0
        low, high = low - margin, high + margin
    step = tick_step(high - low, 5)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(i * step for i in range(first, last + 1))
    return ChartAxis(ticks[0], ticks[-1], ticks)


def log_axis(low: float, high: float) -> ChartAxis:
    """Return a logarithmic axis with marks at powers of ten, and at 2 and 5 times these if there are few."""
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    if last - first > MAX_DECADES_WITH_STEPS:
        every = -(-(last - first) // 6)
        ticks = [10.0**power for power in range(first, last + every, every)]
        return ChartAxis(ticks[0], ticks[-1], tuple(ticks), log=True)
    marks = [step * 10.0**power for power in range(first, last + 1) for step in STEPS[:3]]
    below = max((mark for mark in marks if mark <= low * (1 + 1e-9)), default=marks[0])
    above = min((mark for mark in marks if mark >= high * (1 - 1e-9)), default=marks[-1])
    return ChartAxis(below, above, tuple(mark for mark in marks if below <= mark <= above), log=True)


def images_axis(most: float) -> ChartAxis:
    """Return an axis from 0 to a number of images."""
    most = max(most, 1.0)
    step = tick_step(most, 6)
    return ChartAxis(0.0, most, tuple(i * step for i in range(math.floor(most / step + 1e-9) + 1)))


def extract_rows(records: Sequence[Record], keys: Sequence[str], most: int = MAX_POINTS) -> list[Row]:
    """Return (images, values by key) of records with any of the keys; means of neighbours if there are too many."""
    rows: list[Row] = []
    for record in records:
        values = {key: value for key in keys if (value := number(record, key)) is not None}
        if values:
            rows.append((record["images"], values))
    size = -(-len(rows) // most)
    return [mean_row(rows[i : i + size], keys) for i in range(0, len(rows), size or 1)]


def mean_row(rows: Sequence[Row], keys: Sequence[str]) -> Row:
    """Return the mean of rows; each key's mean is over the rows that have it."""
    by_key = {key: [values[key] for _, values in rows if key in values] for key in keys}
    means = {key: sum(found) / len(found) for key, found in by_key.items() if found}
    return sum(images for images, _ in rows) / len(rows), means


def chart(
    rows: Sequence[Row], labels: Mapping[str, str], levels: Mapping[str, float], images: float, dots: bool = False
) -> str:
    """Draw values over images as SVG.

    Args:
        rows: At least one, ascending; see extract_rows.
        labels: Escaped names of the lines by key, in the order of their colours.
        levels: Values by key that are drawn as dashed horizontal lines in the colour of the key's line.
        images: End of the horizontal axis.
        dots: Mark every point.
    """
    y = value_axis([value for _, values in rows for value in values.values()] + list(levels.values()))
    x = images_axis(images)
    left = 10 + DIGIT * max(len(format_tick(tick, y)) for tick in y.ticks)

    def to_x(value: float) -> float:
        return left + (WIDTH - left - RIGHT) * min(x.position(value), 1.0)

    def to_y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - y.position(value))

    parts = [
        f'<line class="rule" x1="{left:.1f}" x2="{WIDTH - RIGHT}" y1="{to_y(t):.1f}" y2="{to_y(t):.1f}"/>'
        f'<text class="end" x="{left - 6:.1f}" y="{to_y(t) + 4:.1f}">{format_tick(t, y)}</text>'
        for t in y.ticks
    ]
    parts += [f'<text class="mid" x="{to_x(t):.1f}" y="{HEIGHT - 8}">{format_images(t, x)}</text>' for t in x.ticks]
    for colour, key in enumerate(labels):
        if key in levels:
            height = f"{to_y(levels[key]):.1f}"
            parts.append(
                f'<line class="level s{colour}" x1="{left:.1f}" x2="{WIDTH - RIGHT}" y1="{height}" y2="{height}"/>'
            )
        points = [(to_x(at), to_y(values[key])) for at, values in rows if key in values]
        if len(points) > 1:
            parts.append(f'<polyline class="s{colour}" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in points)}"/>')
        if dots or len(points) == 1:
            parts += [f'<circle class="s{colour}" cx="{a:.1f}" cy="{b:.1f}" r="3"/>' for a, b in points]
    parts += draw_tooltips(rows, labels, [to_x(at) for at, _ in rows])
    description = "; ".join(f"{label} {describe_line(rows, key)}" for key, label in labels.items())
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{description}">{"".join(parts)}</svg>'


def draw_tooltips(rows: Sequence[Row], labels: Mapping[str, str], positions: Sequence[float]) -> list[str]:
    """Draw invisible strips around the points, whose titles show their values."""
    edges = [positions[0] - 4, *((a + b) / 2 for a, b in pairwise(positions)), positions[-1] + 4]
    strips = []
    for (images, values), (start, end) in zip(rows, pairwise(edges), strict=True):
        text = ", ".join(f"{labels[key]} {short(value)}" for key, value in values.items())
        strips.append(
            f'<rect class="strip" x="{start:.1f}" y="{TOP}" width="{end - start:.1f}" height="{HEIGHT - TOP - BOTTOM}">'
            f"<title>{thousands(images)} images: {text}</title></rect>"
        )
    return strips


def describe_line(rows: Sequence[Row], key: str) -> str:
    """Describe a line in words."""
    values = [values[key] for _, values in rows if key in values]
    return f"from {short(values[0])} to {short(values[-1])}" if values else "not recorded"


def format_tick(value: float, axis: ChartAxis) -> str:
    """Format a value at the vertical axis, with as many decimals as the step between ticks has."""
    step = value if axis.log else axis.ticks[1] - axis.ticks[0]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if decimals > 6 or abs(value) >= 1e6:
        return f"{value:.3g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    return f"{value:,.{decimals}f}".replace(",", NARROW_SPACE)


def format_images(value: float, axis: ChartAxis) -> str:
    """Format a number of images at the horizontal axis, as in "250k" or "3M"."""
    factor, unit = next(((f, u) for f, u in ((1e6, "M"), (1e3, "k"), (1.0, "")) if axis.high >= 2 * f), (1.0, ""))
    return f"{value / factor:g}{unit}" if value else "0"
