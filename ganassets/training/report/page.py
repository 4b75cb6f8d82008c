"""The report's HTML: one page that loads nothing. All text out of files goes through `escaped`."""

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

from .charts import chart, rows_of
from .files import Picture, RunFacts
from .numbers import NARROW_SPACE, Record, duration, number, short, thousands
from .style import SCRIPT, STYLE
from .verdict import Finding, curve, headline, images_seen, images_wanted, verdict

EYES = "Numbers can't tell whether it pleases: look at the samples below."
MOST_TEXT = 400  # characters of one text out of a file
MOST_LISTED = 12  # notes, closest pairs
MOST_REASONS = 20
MOST_EVENTS = 60
MOST_KIND = 24  # characters of an event's kind


@dataclass(frozen=True)
class ChartKind:
    """One chart: which numbers of the records it shows, and how to read it.

    Attributes:
        title: what stands above it.
        labels: names of its lines by key of the records.
        help: how to read it.
        real: by key, what real samples have where no floor was measured: a value, or the records' key for it.
    """

    title: str
    labels: Mapping[str, str]
    help: str
    real: Mapping[str, float | str]


def kind(title: str, help: str, real: Mapping[str, float | str] | None = None, **labels: str) -> ChartKind:
    """A chart of the lines named by key."""
    return ChartKind(title, labels, help, real or {})


MEASURED = (
    kind("Distance to the data", "Lower is nearer. At the dashed line real samples are as far apart.",
         distance="distance"),
    kind("Do they look real?", "Share of samples where real ones lie (precision), and how thickly (density).",
         precision="precision", density="density"),
    kind("Is everything there?", "Share of the real samples that are met by generated ones. Higher is more varied.",
         recall="recall", coverage="coverage"),
    kind("Spread", "How different two samples are, against two real ones (1). Far below 1 it has collapsed.",
         {"spread": 1.0}, spread="spread"),
    kind("Nearest training sample", "How far away it is. Far below that of real samples means copying.",
         {"nearest": "nearest_real"}, nearest="distance"),
    kind("Copies", "Share of samples nearer to a training sample than 99 of 100 real ones are.",
         {"copies": 0.01}, copies="copies"),
)  # fmt: skip
LOGGED = (
    kind("Losses", "They need not fall: each network works against the other. Sudden jumps are a bad sign.",
         g_loss="generator", d_loss="discriminator"),
    kind("Score gap",
         "How far apart the discriminator scores real and generated samples. Steadily rising: it wins too easily.",
         d_gap="gap of the scores"),
    kind("Gradient penalty", "What keeps the discriminator smooth. It should stay bounded.", penalty="penalty"),
    kind("Distance to known samples", "Of samples the generator is to reproduce. Lower is nearer.",
         distance="distance"),
    kind("Augmentation", "Rises where the discriminator learns the training samples by heart.",
         augmentation="strength"),
    kind("Speed", "Images per second.", images_per_second="images per second"),
    kind("Memory", "MiB of the process.", memory_mib="MiB"),
)  # fmt: skip


def report_html(facts: RunFacts) -> str:
    """The page about a run. A pure function: the same facts give the same text."""
    name = escaped(PurePosixPath(facts.run).name or facts.run)
    body = "".join(
        section
        for section in (
            verdict_section(name, verdict(facts)),
            facts_section(facts),
            charts_section("Measurings", facts.metrics, MEASURED, facts, compared_by(facts)),
            charts_section("Training", facts.log, LOGGED, facts),
            grids_section(facts.grids),
            nearest_section(facts),
            events_section(facts.events),
            omissions_section(facts.omissions),
        )
    )
    policy = f"default-src 'none'; img-src data:; style-src '{digest(STYLE)}'; script-src '{digest(SCRIPT)}'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<title>{name}: training report</title>\n'
        f'<link rel="icon" href="data:,">\n<style>{STYLE}</style>\n</head>\n'
        f"<body>\n<main>\n{body}</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def escaped(value: Any) -> str:
    """Text out of a file as HTML: cut to MOST_TEXT characters, without control codes, nothing in it is markup."""
    text = str(value)
    text = text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}…"
    return escape("".join(c if c.isprintable() or c == NARROW_SPACE else " " for c in text))


def digest(content: str) -> str:
    """What a content security policy names an inline style or script by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def section(title: str, content: str, intro: str = "") -> str:
    """A part of the page; nothing without content."""
    if not content:
        return ""
    return f"<section>\n<h2>{title}</h2>\n{f'<p>{intro}</p>' if intro else ''}{content}\n</section>\n"


def verdict_section(name: str, findings: Sequence[Finding]) -> str:
    """The name of the run, the verdict in a sentence, and every finding."""
    level, sentence = headline(findings)
    cards = "".join(map(finding_card, findings))
    return (
        f'<header>\n<p class="kicker">Training report</p>\n<h1>{name}</h1>\n'
        f'<p class="verdict {level.name.lower()}">{sentence}</p>\n<p>{EYES}</p>\n</header>\n'
        f'<ul class="findings">\n{cards}</ul>\n'
    )


def finding_card(finding: Finding) -> str:
    """A question, the answer, and what to do."""
    advice = f'<p class="next">{escaped(finding.advice)}</p>' if finding.advice else ""
    command = f"<pre>{escaped(finding.command)}</pre>" if finding.command else ""
    tag = f'<span class="tag">{finding.level.value}</span>'
    return (
        f'<li class="{finding.level.name.lower()}"><h3>{finding.question} {tag}</h3>'
        f"<p>{escaped(finding.text)}</p>{advice}{command}</li>\n"
    )


def facts_section(facts: RunFacts) -> str:
    """What was trained on what, with which hardware, for how long."""
    rows = "".join(
        f"<div><dt>{name}</dt><dd>{escaped(value)}</dd></div>\n" for name, value in fact_rows(facts) if value
    )
    lists = "".join([notes_list(facts.data.get("notes")), left_out_list(facts.data.get("files"))])
    return section("The run", f"<dl>\n{rows}</dl>\n{lists}" if rows or lists else "")


def fact_rows(facts: RunFacts) -> Iterator[tuple[str, str]]:
    """Names and values of facts; a value is empty where it isn't known."""
    settings, data = facts.settings, facts.data
    preset, hardware = (table if isinstance(table := settings.get(key), dict) else {} for key in ("preset", "hardware"))
    yield "Generator", text_of(settings, "generator")
    yield "Preset", joined([text_of(preset, "name"), sized("{} px or frames", number(preset, "size"))])
    yield "Objective", joined([text_of(settings, "objective"), sized("gamma {}", number(preset, "gamma"))])
    yield "Data", text_of(data, "name")
    yield "Licence of the data", text_of(data, "licence")
    yield "Source of the data", text_of(data, "source")
    samples = number(data, "samples")
    yield "Training samples", "" if samples is None else thousands(samples)
    wanted, seen = images_wanted(facts), images_seen(facts)
    yield "Images seen", thousands(seen) + (f" of {thousands(wanted)}" if wanted else "") if seen else ""
    yield "Time", time_of(facts)
    speeds = [value for record in facts.log if (value := number(record, "images_per_second")) is not None]
    yield "Speed", f"{short(median(speeds))} images per second, typically" if speeds else ""
    device = joined([text_of(hardware, "device"), sized("{} threads", number(hardware, "threads"))])
    yield "Hardware", joined([device, text_of(hardware, "precision")])
    yield "Seed", sized("{:.0f}", number(settings, "seed"))


def text_of(table: Mapping[str, Any], key: str) -> str:
    """The text under a key, if it is one."""
    value = table.get(key)
    return value if isinstance(value, str) else ""


def sized(form: str, value: float | None) -> str:
    """A number in a phrase; empty for None."""
    return "" if value is None else form.format(f"{value:g}" if form.count("{}") else value)


def joined(parts: Iterable[str]) -> str:
    """Parts that aren't empty, with commas."""
    return ", ".join(part for part in parts if part)


def time_of(facts: RunFacts) -> str:
    """How long training took: as measured last, or else by the speeds of the log."""
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
    """Lines about the data."""
    lines = [note for note in notes if isinstance(note, str)][:MOST_LISTED] if isinstance(notes, list) else []
    return f"<ul>{''.join(f'<li>{escaped(line)}</li>' for line in lines)}</ul>\n" if lines else ""


def left_out_list(files: Any) -> str:
    """How many files were left out, by reason, with an example of each."""
    counts, examples = (files.get(key) if isinstance(files, dict) else None for key in ("left_out", "examples"))
    if not (isinstance(counts, dict) and isinstance(examples, dict)):
        return ""
    rows = [(str(category), number(counts, category), examples.get(category)) for category in counts]
    items = "".join(
        f"<li>{escaped(category)} ({thousands(count)}){example_of(example)}</li>\n"
        for category, count, example in rows[:MOST_REASONS]
        if count is not None
    )
    if not items:
        return ""
    count = thousands(sum(count for _, count, _ in rows if count is not None))
    reasons = more(len(rows) - MOST_REASONS, "reasons")
    of = f" of {thousands(found)}" if (found := number(files, "found")) is not None else ""
    return (
        f"<details><summary>{count}{of} files of the data were left out</summary>\n<ul>\n{items}</ul>{reasons}"
        f"</details>\n"
    )


def example_of(record: Any) -> str:
    """A file that was left out and why, after what it is an example of."""
    file, why = (text_of(record, key) if isinstance(record, dict) else "" for key in ("file", "reason"))
    return f", such as {escaped(file)}: {escaped(why)}" if file and why else ""


def pairs_of(value: Any) -> list[list[Any]]:
    """Members of a list that are lists of two."""
    return [pair for pair in value if isinstance(pair, list) and len(pair) == 2] if isinstance(value, list) else []


def more(count: int, what: str = "") -> str:
    """What tells that a list goes on."""
    return f" and {thousands(count)} more {what}".rstrip() if count > 0 else ""


def compared_by(facts: RunFacts) -> str:
    """What the distances are of."""
    names = [name for record in facts.metrics[-1:] if (name := text_of(record, "compared_by"))]
    said = f"Distance: {escaped(names[0])}. " if names else ""
    return f"{said}Dashed lines: the same measure of real samples against other real ones."


def charts_section(
    title: str, records: Sequence[Record], kinds: Sequence[ChartKind], facts: RunFacts, intro: str = ""
) -> str:
    """Charts of the numbers that there are."""
    images = images_seen(facts)
    figures = "".join(figure(kind, records, images) for kind in kinds)
    return section(title, f'<div class="charts">\n{figures}</div>' if figures else "", intro)


def figure(kind: ChartKind, records: Sequence[Record], images: float) -> str:
    """One chart with its title, legend and help; nothing where none of its numbers were recorded."""
    rows = rows_of(records, tuple(kind.labels))
    found = {key for _, values in rows for key in values}
    if not found:
        return ""
    levels = {
        key: level for key in kind.labels if key in found and (level := real_level(kind, records, key)) is not None
    }
    legend = "".join(
        f'<span><i class="s{colour}"></i>{label}</span>'
        + (f'<span><i class="level s{colour}"></i>of real ones {short(levels[key])}</span>' if key in levels else "")
        for colour, (key, label) in enumerate(kind.labels.items())
        if key in found
    )  # fmt: skip
    svg = chart(rows, kind.labels, levels, images, dots=len(rows) <= 40)
    return (
        f'<figure>\n<h3>{kind.title}</h3>\n<p class="legend">{legend}</p>\n{svg}\n'
        f"<figcaption>{kind.help}</figcaption>\n</figure>\n"
    )


def real_level(kind: ChartKind, records: Sequence[Record], key: str) -> float | None:
    """What real samples have of a measure: as measured last, or else as the chart knows."""
    floor, known = curve(records, "floor", key).last, kind.real.get(key)
    if floor is not None or known is None:
        return floor
    return curve(records, known).last if isinstance(known, str) else known


def grids_section(grids: Sequence[Picture]) -> str:
    """Snapshots, the newest first; a slider shows one at a time where scripts may run."""
    figures = "".join(
        f"<figure>\n{picture_tag(grid, f'Samples after {thousands(grid.images)} images')}\n"
        f"<figcaption>after {thousands(grid.images)} images</figcaption>\n</figure>\n"
        for grid in reversed(grids)
    )
    last = len(grids) - 1
    slider = (
        f'<p id="control" hidden><label for="time">Time</label><input id="time" type="range" min="0" max="{last}" '
        f'value="{last}" step="1"><output for="time" id="when"></output></p>\n'
    )
    intro = "The same latents every time, so the same samples as they come on; the newest first."
    return section("Samples over time", f'{slider}<div id="grids">\n{figures}</div>' if grids else "", intro)


def picture_tag(picture: Picture, alt: str) -> str:
    """An image that is part of the page."""
    content = base64.b64encode(picture.content).decode()
    return f'<img alt="{alt}" width="{picture.width}" height="{picture.height}" src="data:image/jpeg;base64,{content}">'


def nearest_section(facts: RunFacts) -> str:
    """Samples beside what is nearest to them in the training data."""
    if facts.nearest is None:
        return ""
    intro = (
        "Each sample, with its nearest training sample to the right of it. Where both are the same picture, the sample "
        "is a copy; where both merely are of one kind, all is well. If many samples have one neighbour, variety lacks."
    )
    alt = f"Samples and their nearest training samples after {thousands(facts.nearest.images)} images"
    content = f"<figure>\n{picture_tag(facts.nearest, alt)}\n<figcaption>after {thousands(facts.nearest.images)} images"
    return section("Nearest training samples", f"{content}{closest(facts.metrics[-1:])}</figcaption>\n</figure>", intro)


def closest(newest: Sequence[Record]) -> str:
    """How many different neighbours there are, and the closest pairs."""
    given = newest[0].get("neighbours") if newest else None
    pairs = [
        (float(distance), position + 1, int(index))
        for position, (index, distance) in enumerate(pairs_of(given))
        if None not in (number({"n": index}, "n"), number({"n": distance}, "n"))
    ]
    if not pairs:
        return ""
    different, (repeated, times) = len({index for *_, index in pairs}), most_common(pairs)
    said = f". Different neighbours: {different} of {len(pairs)} samples"
    said += f", training sample {repeated} {times} times" if times > 1 else ""
    listed = "; ".join(
        f"sample {place} to training sample {index} ({short(d)})" for d, place, index in sorted(pairs)[:5]
    )
    return f"{said}. Closest: {listed}."


def most_common(pairs: Sequence[tuple[float, int, int]]) -> tuple[int, int]:
    """The training sample that most pairs share, and how many do."""
    return Counter(index for *_, index in pairs).most_common(1)[0]


def events_section(events: Sequence[Record]) -> str:
    """What happened on the way, the newest first."""
    rows = "".join(
        f"<tr><td>{thousands(event['images'])}</td><td>{escaped(text_of(event, 'kind')[:MOST_KIND])}</td>"
        f"<td>{escaped(text_of(event, 'text'))}</td></tr>\n"
        for event in reversed(events[-MOST_EVENTS:])
    )
    head = "<tr><th>Images</th><th>What</th><th>Details</th></tr>"
    table = (
        f"<table>\n<thead>{head}</thead>\n<tbody>\n{rows}</tbody>\n</table>{more(len(events) - MOST_EVENTS, 'before')}"
    )
    return section("Events", table if rows else "")


def omissions_section(omissions: Sequence[str]) -> str:
    """What this page had to leave out."""
    return section("Not in this report", "".join(f"<p>{escaped(line)}</p>\n" for line in omissions))
