"""`ganassets data`: what a folder of training data holds, and what to do with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..api.errors import InputError
from ..api.registry import generator_names, load_generator
from ..api.texts import shell_command
from .base import debug_option, load_training
from .output import make_console, say, say_json

if TYPE_CHECKING:
    from ..api.data import TrainingData
    from ..api.data.records import FileTotals
    from ..api.spec import GeneratorSpec, Preset

SHARPENED = 1.5  # how much larger than half of the pictures a suggested preset may be

EXAMPLES = """\b
Examples:
  ganassets data my-portraits
  ganassets data my-portraits --sheet sheet.png --seconds 0
  ganassets data my-materials --as textures --json
"""


def complete_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Generators for the shell's completion."""
    return [name for name in generator_names() if name.startswith(incomplete)]


@click.command(name="data", short_help="Say what a folder of training data holds.", epilog=EXAMPLES)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--as", "name", default="portraits", show_default=True, shell_complete=complete_names, help="Generator to train."
)
@click.option("--preset", help="Of the generator.  [default: chosen from the machine and the data]")
@click.option("--sheet", type=click.Path(dir_okay=False, path_type=Path), help="PNG file to draw samples into.")
@click.option(
    "--seconds", type=click.FloatRange(0, 3600), default=20.0, show_default=True,
    help="To train for, to tell how long a run takes; 0 leaves it out.",
)  # fmt: skip
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, mps.")
@click.option("--json", "as_json", is_flag=True, help="All of it as JSON.")
@debug_option
def command(
    folder: Path, name: str, preset: str | None, sheet: Path | None, seconds: float, device: str, as_json: bool
) -> None:
    """Read a folder or zip of training data as a generator would, and tell how long training on it takes here."""
    from ..api.data.records import count_files
    from ..api.plugin_calls import make_dataset

    spec = load_generator(name)
    option = spec.folder_option
    if option is None:
        raise InputError(f"{spec.name} learns from no data of yours.")
    pictures = picture_facts(folder) if spec.asset_kind == "picture" else {}
    hardware = load_training("ganassets.training.hardware", "choose_hardware")(device, None) if seconds else None
    chosen = spec.preset(preset) if preset else suggested(spec, hardware, pictures)
    with make_console(stderr=True).status("reading"):
        data = make_dataset(spec, chosen, {option: str(folder)}, 0, lambda done, total: None)
    facts = {
        "data": str(folder), "generator": spec.name, "preset": chosen.name, **pictures, "samples": len(data),
        "labels": labels_of(data), "notes": data.notes,
        "totals": asdict(count_files(data.files)), "files": [asdict(record) for record in data.files],
    }  # fmt: skip
    if sheet or hardware:
        facts |= rehearsed(spec, chosen, data, hardware, sheet, seconds)
    if as_json:
        say_json(facts)
        return
    for title, text in lines(facts):
        say(f"{title:10}{text}")
    for line in table(count_files(data.files)):
        say(line)
    words = ["ganassets", "train", spec.name, "--preset", chosen.name, f"--{option}", str(folder)]
    say(f"Next: {shell_command(*words)}")


def picture_facts(folder: Path) -> dict[str, Any]:
    """Number, sizes and modes of the pictures in a folder or zip, by their headers."""
    from statistics import median_low

    from ..api.data.pictures import scan_pictures

    pictures = sorted(scan_pictures(folder).pictures, key=lambda picture: picture.width * picture.height)
    sizes = [[picture.width, picture.height] for picture in pictures]
    return {
        "pictures": len(pictures),
        "sizes": {"smallest": sizes[0], "median": sizes[len(sizes) // 2], "largest": sizes[-1]},
        "side": median_low(max(size) for size in sizes),
        "modes": dict(Counter(picture.mode for picture in pictures).most_common()),
    }


def suggested(spec: GeneratorSpec, hardware: Any, pictures: Mapping[str, Any]) -> Preset:
    """The first preset; on a GPU the last one that is not much larger than half of the pictures."""
    if hardware is None or not hardware.device.startswith("cuda"):
        return spec.presets[0]
    most = SHARPENED * pictures.get("side", float("inf"))
    return next((preset for preset in reversed(spec.presets) if preset.size <= most), spec.presets[0])


def labels_of(data: TrainingData) -> dict[str, int]:
    """How many samples each choice has that the data alone know."""
    columns = [column.partition(":")[2] for condition in data.conditions_of or () for column in condition.columns]
    return dict(zip(columns, (data.conditions > 0.5).sum(0).tolist(), strict=False))


def rehearsed(
    spec: GeneratorSpec, preset: Preset, data: TrainingData, hardware: Any, sheet: Path | None, seconds: float
) -> dict[str, Any]:
    """Where the sheet is, and how long a run takes, as far as they are wanted."""
    from ..api.writer import write_atomic

    found: dict[str, Any] = {}
    cpu = load_training("ganassets.training.hardware", "choose_hardware")
    rehearsal = load_training("ganassets.training.preflight", "Preflight")(
        spec, preset, data, hardware or cpu("cpu", None)
    )
    if sheet:
        picture = rehearsal.draw_sheet()
        if picture is None:
            raise InputError(f"{spec.name} has no picture of its data; leave out --sheet.")
        found["sheet"] = str(write_atomic(sheet, picture))
    if hardware:
        with make_console(stderr=True).status(f"training for {seconds:g} seconds"):
            took = rehearsal.estimate_run_seconds(seconds)
        found |= {"run_seconds": round(took, 1), "device": hardware.device, "threads": hardware.threads}
    return found


def lines(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Titles and texts to show."""
    yield "generator", f"{facts['generator']}, preset {facts['preset']}"
    if "pictures" in facts:
        smallest, median, largest = ("x".join(map(str, facts["sizes"][key])) for key in facts["sizes"])
        yield "pictures", f"{facts['pictures']:,}, {smallest} to {largest} pixels, half of them up to {median}"
        yield "modes", counted(facts["modes"])
    yield "samples", f"{facts['samples']:,}"
    if facts["labels"]:
        yield "labels", counted(facts["labels"])
    for note in facts["notes"]:
        yield "note", note
    if "sheet" in facts:
        yield "sheet", facts["sheet"]
    if "run_seconds" in facts:
        yield "time", f"about {duration(facts['run_seconds'])} on {facts['device']}, {facts['threads']} threads"


def table(totals: FileTotals) -> Iterator[str]:
    """List how many files were found, used and left out; the last two add up to the first."""
    if not totals.found:
        return
    yield f"{'files':10}{totals.found:7,} found"
    for use, count in totals.uses.items():
        yield f"{'used':10}{count:7,} {use}"
    for category, count in totals.left_out.items():
        example = totals.examples[category]
        yield f"{'left out':10}{count:7,} {category}, such as {example.label}: {example.reason}"
    if totals.left_out:
        yield f"{'':10}--json lists every file"


def counted(counts: Mapping[str, int]) -> str:
    """ "RGB 12, P 3"."""
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def duration(seconds: float) -> str:
    """ "40 seconds", "12 minutes", "2.5 hours", "3.1 days"."""
    for unit, length, most in (("seconds", 1, 100), ("minutes", 60, 100), ("hours", 3600, 48)):
        if seconds < most * length:
            return f"{seconds / length:.{1 if unit == 'hours' else 0}f} {unit}"
    return f"{seconds / 86400:.1f} days"
