"""Write the report's HTML, a page that loads nothing; all text from files goes through `escape_text`."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import PurePosixPath
from statistics import median
from typing import Any

from .charts import chart, extract_rows
from .files import ReportImage, RunFacts
from .numbers import NARROW_SPACE, Record, duration, number, short, thousands
from .style import SCRIPT, STYLE
from .verdict import Finding, curve, headline, images_seen, target_images, verdict

LOOK_ADVICE = "Numbers don't show whether you like the result: look at the samples beside your data below."
# Most characters of one text from a file.
MAX_TEXT = 400
MAX_NOTES = 12
MAX_REASONS = 20
MAX_EVENTS = 60
# Most characters of an event's kind.
MAX_KIND = 24
# Number of closest pairs that are listed.
CLOSEST_PAIRS = 5


@dataclass(frozen=True)
class ChartKind:
    """Definition of a chart.

    Attributes:
        title: Title above it.
        labels: Names of its lines by the records' keys.
        help: How to read it.
        real: By key, the value of real samples if no floor was measured: a number, or the records' key of it.
    """

    title: str
    labels: Mapping[str, str]
    help: str
    real: Mapping[str, float | str]


def define_chart(title: str, help: str, real: Mapping[str, float | str] | None = None, **labels: str) -> ChartKind:
    """Define a chart; the keywords are the names of its lines by the records' keys."""
    return ChartKind(title, labels, help, real or {})


MEASURED = (
    define_chart(
        "Distance to the data",
        "Lower is nearer. The dashed line is the distance between two sets of real samples.",
        distance="distance",
    ),
    define_chart(
        "Do they look real?",
        "Precision: share of samples near real ones. Density: real ones around a sample, about 1 for real samples.",
        precision="precision",
        density="density",
    ),
    define_chart(
        "Structure",
        "Of materials. 0 is noise with the data's spectrum, 1 is real. Repeats: courses, joints and the like.",
        structure="structure",
        peaks="repeats",
    ),
    define_chart(
        "Details",
        "Difference of patches at all scales, in per cent of the data's contrast, without any network.",
        pyramid="pyramid distance",
    ),
    define_chart(
        "Is everything there?",
        "Share of real samples with generated ones nearby. Higher is more varied.",
        recall="recall",
        coverage="coverage",
    ),
    define_chart(
        "Spread",
        "Distance between two samples, divided by that of two real ones. Far below 1 is mode collapse.",
        {"spread": 1.0},
        spread="spread",
    ),
    define_chart(
        "Nearest training sample",
        "How far away it is. Far below the distance of real samples means copying.",
        {"nearest": "nearest_real"},
        nearest="distance",
    ),
    define_chart(
        "Copies",
        "Share of samples that are nearer to a training sample than 99 of 100 real ones are to another.",
        {"copies": 0.01},
        copies="copies",
    ),
)
LOGGED = (
    define_chart(
        "Losses",
        "They need not fall, because the networks work against each other. Sudden jumps are a bad sign.",
        g_loss="generator",
        d_loss="discriminator",
    ),
    define_chart(
        "Score gap",
        "Difference between the scores of real and generated samples. If it rises steadily, the discriminator wins.",
        d_gap="gap of the scores",
    ),
    define_chart("Gradient penalty", "It keeps the discriminator smooth, and should stay bounded.", penalty="penalty"),
    define_chart(
        "Distance to known samples",
        "Distance of samples that the generator learns to reproduce. Lower is nearer.",
        distance="distance",
    ),
    define_chart(
        "Augmentation",
        "It rises while the discriminator overfits the training samples.",
        augmentation="strength",
    ),
    define_chart("Speed", "Images per second.", images_per_second="images per second"),
    define_chart("Memory", "Memory of the process in MiB.", memory_mib="MiB"),
)


def report_html(facts: RunFacts) -> str:
    """Return the page about a run; the same facts give the same text."""
    name = escape_text(PurePosixPath(facts.run).name or facts.run)
    body = "".join(
        section
        for section in (
            verdict_section(name, verdict(facts)),
            comparison_section(facts.comparison),
            facts_section(facts),
            charts_section("Measures", facts.metrics, MEASURED, facts, describe_distance(facts)),
            charts_section("Training", facts.log, LOGGED, facts),
            grids_section(facts.grids),
            nearest_section(facts),
            events_section(facts.events),
            omissions_section(facts.omissions),
        )
    )
    style, script = hash_for_policy(STYLE), hash_for_policy(SCRIPT)
    policy = f"default-src 'none'; img-src data:; style-src '{style}'; script-src '{script}'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<title>{name}: training report</title>\n'
        f'<link rel="icon" href="data:,">\n<style>{STYLE}</style>\n</head>\n'
        f"<body>\n<main>\n{body}</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def escape_text(value: Any) -> str:
    """Escape text from a file for HTML, without control codes, and cut it to MAX_TEXT characters."""
    text = str(value)
    text = text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"
    return escape("".join(c if c.isprintable() or c == NARROW_SPACE else " " for c in text))


def hash_for_policy(content: str) -> str:
    """Return the hash by which a content security policy allows an inline style or script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def section(title: str, content: str, intro: str = "") -> str:
    """Return a section of the page; empty without content."""
    if not content:
        return ""
    return f"<section>\n<h2>{title}</h2>\n{f'<p>{intro}</p>' if intro else ''}{content}\n</section>\n"


def verdict_section(name: str, findings: Sequence[Finding]) -> str:
    """Return the verdict in a sentence, the run's name, and all findings."""
    level, sentence = headline(findings)
    cards = "".join(map(finding_card, findings))
    return (
        f'<header>\n<h1 class="verdict {level.name.lower()}">{escape_text(sentence)}</h1>\n'
        f'<p class="kicker">Training report of {name}</p>\n<p>{LOOK_ADVICE}</p>\n</header>\n'
        f'<ul class="findings">\n{cards}</ul>\n'
    )


def finding_card(finding: Finding) -> str:
    """Return a finding's question, answer and advice."""
    advice = f'<p class="next">{escape_text(finding.advice)}</p>' if finding.advice else ""
    command = f"<pre>{escape_text(finding.command)}</pre>" if finding.command else ""
    tag = f'<span class="tag">{finding.level.value}</span>'
    return (
        f'<li class="{finding.level.name.lower()}"><h3>{finding.question} {tag}</h3>'
        f"<p>{escape_text(finding.text)}</p>{advice}{command}</li>\n"
    )


def facts_section(facts: RunFacts) -> str:
    """Return the facts of the run: settings, data, hardware and time."""
    rows = "".join(
        f"<div><dt>{name}</dt><dd>{escape_text(value)}</dd></div>\n" for name, value in fact_rows(facts) if value
    )
    lists = "".join([notes_list(facts.data.get("notes")), left_out_list(facts.data.get("files"))])
    return section("The run", f"<dl>\n{rows}</dl>\n{lists}" if rows or lists else "")


def fact_rows(facts: RunFacts) -> Iterator[tuple[str, str]]:
    """Yield names and values of facts; unknown values are empty."""
    settings, data = facts.settings, facts.data
    preset, hardware = (table if isinstance(table := settings.get(key), dict) else {} for key in ("preset", "hardware"))
    yield "Generator", text_of(settings, "generator")
    yield "Preset", join_parts([text_of(preset, "name"), format_optional("{} px or frames", number(preset, "size"))])
    yield (
        "Objective",
        join_parts([text_of(settings, "objective"), format_optional("gamma {}", number(preset, "gamma"))]),
    )
    yield "Data", text_of(data, "name")
    yield "Licence of the data", text_of(data, "licence")
    yield "Source of the data", text_of(data, "source")
    samples = number(data, "samples")
    yield "Training samples", "" if samples is None else thousands(samples)
    target, seen = target_images(facts), images_seen(facts)
    yield "Images seen", thousands(seen) + (f" of {thousands(target)}" if target else "") if seen else ""
    yield "Time", format_training_time(facts)
    speeds = [value for record in facts.log if (value := number(record, "images_per_second")) is not None]
    yield "Speed", f"{short(median(speeds))} images per second, typically" if speeds else ""
    device = join_parts([text_of(hardware, "device"), format_optional("{} threads", number(hardware, "threads"))])
    yield "Hardware", join_parts([device, text_of(hardware, "precision")])
    yield "Seed", format_optional("{:.0f}", number(settings, "seed"))


def text_of(table: Mapping[str, Any], key: str) -> str:
    """Return the text under a key; empty when it is missing or no text."""
    value = table.get(key)
    return value if isinstance(value, str) else ""


def format_optional(form: str, value: float | None) -> str:
    """Format a number in a phrase; empty for None."""
    return "" if value is None else form.format(f"{value:g}" if form.count("{}") else value)


def join_parts(parts: Iterable[str]) -> str:
    """Join the parts that aren't empty with commas."""
    return ", ".join(part for part in parts if part)


def format_training_time(facts: RunFacts) -> str:
    """Return the time of training: the last measured one, or an estimate from the speeds in the log."""
    seconds = curve(facts.metrics, "seconds").last
    if seconds is not None and (not facts.log or facts.metrics[-1]["images"] >= facts.log[-1]["images"]):
        return duration(seconds)
    total, before = 0.0, 0.0
    for record in facts.log:
        speed = number(record, "images_per_second")
        if speed is not None and speed > 0:
            total += (record["images"] - before) / speed
        before = record["images"]
    return f"about {duration(max(total, seconds or 0))}" if total else ""


def notes_list(notes: Any) -> str:
    """Return the plugin's notes on the data as a list."""
    lines = [note for note in notes if isinstance(note, str)][:MAX_NOTES] if isinstance(notes, list) else []
    return f"<ul>{''.join(f'<li>{escape_text(line)}</li>' for line in lines)}</ul>\n" if lines else ""


def left_out_list(files: Any) -> str:
    """Return the numbers of files that were left out, by reason, each with an example."""
    counts, examples = (files.get(key) if isinstance(files, dict) else None for key in ("left_out", "examples"))
    if not (isinstance(counts, dict) and isinstance(examples, dict)):
        return ""
    rows = [(str(category), number(counts, category), examples.get(category)) for category in counts]
    items = "".join(
        f"<li>{escape_text(category)} ({thousands(count)}){format_example(example)}</li>\n"
        for category, count, example in rows[:MAX_REASONS]
        if count is not None
    )
    if not items:
        return ""
    count = thousands(sum(count for _, count, _ in rows if count is not None))
    reasons = format_more(len(rows) - MAX_REASONS, "reasons")
    of = f" of {thousands(found)}" if (found := number(files, "found")) is not None else ""
    return (
        f"<details><summary>{count}{of} files of the data were left out</summary>\n<ul>\n{items}</ul>{reasons}"
        f"</details>\n"
    )


def format_example(record: Any) -> str:
    """Return an example of a file that was left out, and why."""
    file, why = (text_of(record, key) if isinstance(record, dict) else "" for key in ("file", "reason"))
    return f", such as {escape_text(file)}: {escape_text(why)}" if file and why else ""


def pairs_of(value: Any) -> list[list[Any]]:
    """Return the members of a list that are lists of two."""
    return [pair for pair in value if isinstance(pair, list) and len(pair) == 2] if isinstance(value, list) else []


def format_more(count: int, what: str = "") -> str:
    """Return a note that a list has more entries; empty for none."""
    return f" and {thousands(count)} more {what}".rstrip() if count > 0 else ""


def describe_distance(facts: RunFacts) -> str:
    """Return what the distances compare, and what the dashed lines are."""
    names = [name for record in facts.metrics[-1:] if (name := text_of(record, "compared_by"))]
    distance = f"Distance: {escape_text(names[0])}. " if names else ""
    return f"{distance}Dashed lines: the same measure of real samples against other real ones."


def charts_section(
    title: str, records: Sequence[Record], kinds: Sequence[ChartKind], facts: RunFacts, intro: str = ""
) -> str:
    """Return the charts that have recorded numbers."""
    images = images_seen(facts)
    figures = "".join(chart_figure(kind, records, images) for kind in kinds)
    return section(title, f'<div class="charts">\n{figures}</div>' if figures else "", intro)


def chart_figure(kind: ChartKind, records: Sequence[Record], images: float) -> str:
    """Return a chart with title, legend and help; empty when none of its numbers were recorded."""
    rows = extract_rows(records, tuple(kind.labels))
    found = {key for _, values in rows for key in values}
    if not found:
        return ""
    levels = {
        key: level for key in kind.labels if key in found and (level := real_level(kind, records, key)) is not None
    }
    legend = "".join(
        f'<span><i class="s{colour}"></i>{label}</span>'
        + (f'<span><i class="level s{colour}"></i>of real samples {short(levels[key])}</span>' if key in levels else "")
        for colour, (key, label) in enumerate(kind.labels.items())
        if key in found
    )  # fmt: skip
    svg = chart(rows, kind.labels, levels, images, dots=len(rows) <= 40)
    return (
        f'<figure>\n<h3>{kind.title}</h3>\n<p class="legend">{legend}</p>\n{svg}\n'
        f"<figcaption>{kind.help}</figcaption>\n</figure>\n"
    )


def real_level(kind: ChartKind, records: Sequence[Record], key: str) -> float | None:
    """Return the value of real samples: the last measured floor, or else the chart's own."""
    floor, default = curve(records, "floor", key).last, kind.real.get(key)
    if floor is not None or default is None:
        return floor
    return curve(records, default).last if isinstance(default, str) else default


def comparison_section(comparison: tuple[ReportImage, ReportImage] | None) -> str:
    """Return training samples and generated ones side by side."""
    if comparison is None:
        return ""
    images = thousands(comparison[1].images)
    figures = "".join(
        f"<figure>\n<figcaption>{title}</figcaption>\n{image_tag(image, alt)}\n</figure>\n"
        for title, image, alt in (
            ("Your data", comparison[0], "Training samples"),
            (f"Samples after {images} images", comparison[1], f"Samples beside the data after {images} images"),
        )
    )
    intro = (
        "Both at the same size. Each sample has the place and the settings of the training sample in the other image; "
        "it should look like another piece of the same."
    )
    return section("Data and samples", f'<div class="pair">\n{figures}</div>', intro)


def grids_section(grids: Sequence[ReportImage]) -> str:
    """Return the snapshots, newest first; with scripts, a slider shows one at a time."""
    figures = "".join(
        f"<figure>\n{image_tag(grid, f'Samples after {thousands(grid.images)} images')}\n"
        f"<figcaption>after {thousands(grid.images)} images</figcaption>\n</figure>\n"
        for grid in reversed(grids)
    )
    last = len(grids) - 1
    slider = (
        f'<p id="control" hidden><label for="time">Time</label><input id="time" type="range" min="0" max="{last}" '
        f'value="{last}" step="1"><output for="time" id="when"></output></p>\n'
    )
    intro = "The latents are the same in each snapshot, so you see the same samples improve. The newest is first."
    return section("Samples over time", f'{slider}<div id="grids">\n{figures}</div>' if grids else "", intro)


def image_tag(image: ReportImage, alt: str) -> str:
    """Return an image tag with its content."""
    content = base64.b64encode(image.content).decode()
    return f'<img alt="{alt}" width="{image.width}" height="{image.height}" src="data:image/jpeg;base64,{content}">'


def nearest_section(facts: RunFacts) -> str:
    """Return the image of samples beside their nearest training samples."""
    if facts.nearest is None:
        return ""
    intro = (
        "Each sample, with its nearest training sample to the right of it. If both are the same image, the sample is a "
        "copy; if they only resemble each other, all is well. Many samples with one neighbour mean too little variety."
    )
    alt = f"Samples and their nearest training samples after {thousands(facts.nearest.images)} images"
    content = f"<figure>\n{image_tag(facts.nearest, alt)}\n<figcaption>after {thousands(facts.nearest.images)} images"
    return section(
        "Nearest training samples", f"{content}{list_closest(facts.metrics[-1:])}</figcaption>\n</figure>", intro
    )


def list_closest(newest: Sequence[Record]) -> str:
    """Return the number of different neighbours, and the closest pairs."""
    given = newest[0].get("neighbours") if newest else None
    pairs = [
        (float(distance), position + 1, int(index))
        for position, (index, distance) in enumerate(pairs_of(given))
        if None not in (number({"n": index}, "n"), number({"n": distance}, "n"))
    ]
    if not pairs:
        return ""
    different, (repeated, times) = len({index for *_, index in pairs}), most_common_neighbour(pairs)
    text = f". Different neighbours: {different} of {len(pairs)} samples"
    text += f", training sample {repeated} {times} times" if times > 1 else ""
    listed = "; ".join(
        f"sample {position} to training sample {index} ({short(d)})"
        for d, position, index in sorted(pairs)[:CLOSEST_PAIRS]
    )
    return f"{text}. Closest: {listed}."


def most_common_neighbour(pairs: Sequence[tuple[float, int, int]]) -> tuple[int, int]:
    """Return the training sample that most pairs share, and their number."""
    return Counter(index for *_, index in pairs).most_common(1)[0]


def events_section(events: Sequence[Record]) -> str:
    """Return the events, newest first."""
    rows = "".join(
        f"<tr><td>{thousands(event['images'])}</td><td>{escape_text(text_of(event, 'kind')[:MAX_KIND])}</td>"
        f"<td>{escape_text(text_of(event, 'text'))}</td></tr>\n"
        for event in reversed(events[-MAX_EVENTS:])
    )
    head = "<tr><th>Images</th><th>What</th><th>Details</th></tr>"
    rest = format_more(len(events) - MAX_EVENTS, "before")
    table = f"<table>\n<thead>{head}</thead>\n<tbody>\n{rows}</tbody>\n</table>{rest}"
    return section("Events", table if rows else "")


def omissions_section(omissions: Sequence[str]) -> str:
    """Return the missing parts of the page."""
    return section("Not in this report", "".join(f"<p>{escape_text(line)}</p>\n" for line in omissions))
