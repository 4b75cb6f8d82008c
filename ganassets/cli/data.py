"""`ganassets data`: read a folder of training data, and suggest how to train on it."""

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
from ..training.loading import load_training
from .base import debug_option
from .output import make_console, say, say_json

if TYPE_CHECKING:
    from ..api.data import TrainingData
    from ..api.data.records import FileTotals
    from ..api.spec import GeneratorSpec, Preset
    from ..training.settings import Hardware

# Largest size of a suggested preset, as a multiple of the images' median side.
MAX_UPSCALING = 1.5

EXAMPLES = """\b
Examples:
  ganassets data my-portraits
  ganassets data my-portraits --sheet sheet.png --seconds 0
  ganassets data my-materials --as textures --json
"""


def complete_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete names of generators."""
    del ctx, param
    return [name for name in generator_names() if name.startswith(incomplete)]


@click.command(name="data", short_help="Check a folder of training data.", epilog=EXAMPLES)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--as", "name", default="portraits", show_default=True, shell_complete=complete_names, help="Generator to train."
)
@click.option("--preset", help="Preset of the generator.  [default: chosen from the machine and the data]")
@click.option("--sheet", type=click.Path(dir_okay=False, path_type=Path), help="PNG file for a sheet of samples.")
@click.option(
    "--seconds", type=click.FloatRange(0, 3600), default=20.0, show_default=True,
    help="Seconds of training to estimate the time of a run; 0 for no estimate.",
)  # fmt: skip
@click.option("--device", default="auto", show_default=True, help="Device: auto, cpu, cuda, cuda:1 or mps.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@debug_option
def command(
    folder: Path, name: str, preset: str | None, sheet: Path | None, seconds: float, device: str, as_json: bool
) -> None:
    """Read a folder or zip of training data as a generator would, and estimate the training time on this machine."""
    from ..api.data.records import count_files
    from ..api.plugin_calls import make_dataset

    spec = load_generator(name)
    option = spec.folder_option
    if option is None:
        raise InputError(f"{spec.name} can't train on your own data; choose another generator with --as.")
    images = read_image_facts(folder) if spec.asset_kind == "picture" else {}
    hardware = load_training("ganassets.training.hardware", "choose_hardware")(device, None) if seconds else None
    chosen = spec.preset(preset) if preset else suggest_preset(spec, hardware, images)
    with make_console(stderr=True).status("reading"):
        data = make_dataset(spec, chosen, {option: str(folder)}, 0, ignore_progress)
    facts = {
        "data": str(folder), "generator": spec.name, "preset": chosen.name, **images, "samples": len(data),
        "labels": count_labels(data), "notes": data.notes,
        "totals": asdict(count_files(data.files)), "files": [asdict(record) for record in data.files],
    }  # fmt: skip
    if sheet or hardware:
        facts |= run_preflight(spec, chosen, data, hardware, sheet, seconds)
    if as_json:
        say_json(facts)
        return
    for title, text in format_facts(facts):
        say(f"{title:10}{text}")
    for line in format_totals(count_files(data.files)):
        say(line)
    words = ["ganassets", "train", spec.name, "--preset", chosen.name, f"--{option}", str(folder)]
    say(f"Next: {shell_command(*words)}")


def ignore_progress(done: int, total: int) -> None:
    """Ignore the progress of a dataset."""
    del done, total


def read_image_facts(folder: Path) -> dict[str, Any]:
    """Read number, sizes and modes of the images in a folder or zip from their headers."""
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


def suggest_preset(spec: GeneratorSpec, hardware: Hardware | None, images: Mapping[str, Any]) -> Preset:
    """Return the default preset for data; on a GPU the last one not much larger than the images' median side."""
    if spec.data_preset:
        return spec.preset(spec.data_preset)
    if hardware is None or not hardware.device.startswith("cuda"):
        return spec.presets[0]
    largest = MAX_UPSCALING * images.get("side", float("inf"))
    return next((preset for preset in reversed(spec.presets) if preset.size <= largest), spec.presets[0])


def count_labels(data: TrainingData) -> dict[str, int]:
    """Count the samples of each label that only the data define."""
    columns = [column for condition in data.conditions_of or () for column in condition.columns]
    counts = zip(columns, (data.conditions > 0.5).sum(0).tolist(), strict=False)
    return {label: count for column, count in counts if (label := column.partition(":")[2])}


def run_preflight(
    spec: GeneratorSpec,
    preset: Preset,
    data: TrainingData,
    hardware: Hardware | None,
    sheet: Path | None,
    seconds: float,
) -> dict[str, Any]:
    """Draw the sheet, and estimate the time of a run, if they are requested.

    Args:
        spec: Generator to train.
        preset: Sizes and length.
        data: Training samples.
        hardware: Where to train for the estimate; None for no estimate.
        sheet: PNG file for the sheet; None for no sheet.
        seconds: Seconds of training for the estimate.

    Returns:
        JSON-able facts.
    """
    from ..api.writer import write_atomic

    found: dict[str, Any] = {}
    choose_hardware = load_training("ganassets.training.hardware", "choose_hardware")
    make_preflight = load_training("ganassets.training.preflight", "Preflight")
    preflight = make_preflight(spec, preset, data, hardware or choose_hardware("cpu", None))
    if sheet:
        png = preflight.draw_sheet()
        if png is None:
            raise InputError(f"{spec.name} can't draw its data; leave out --sheet.")
        found["sheet"] = str(write_atomic(sheet, png))
    if hardware:
        with make_console(stderr=True).status(f"training for {seconds:g} seconds"):
            run_seconds = preflight.estimate_run_seconds(seconds)
        found |= {"run_seconds": round(run_seconds, 1), "device": hardware.device, "threads": hardware.threads}
    return found


def format_facts(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield titles and texts to print."""
    yield "generator", f"{facts['generator']}, preset {facts['preset']}"
    if "pictures" in facts:
        smallest, median, largest = ("x".join(map(str, facts["sizes"][key])) for key in facts["sizes"])
        yield "pictures", f"{facts['pictures']:,}, {smallest} to {largest} pixels, half of them up to {median}"
        yield "modes", format_counts(facts["modes"])
    yield "samples", f"{facts['samples']:,}"
    if facts["labels"]:
        yield "labels", format_counts(facts["labels"])
    for note in facts["notes"]:
        yield "note", note
    if "sheet" in facts:
        yield "sheet", facts["sheet"]
    if "run_seconds" in facts:
        yield "time", f"about {format_duration(facts['run_seconds'])} on {facts['device']}, {facts['threads']} threads"


def format_totals(totals: FileTotals) -> Iterator[str]:
    """Yield lines on files found, used and left out; the last two numbers add up to the first."""
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


def format_counts(counts: Mapping[str, int]) -> str:
    """Format counts, as in "RGB 12, P 3"."""
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def format_duration(seconds: float) -> str:
    """Format a time, as in "40 seconds", "12 minutes", "2.5 hours" or "3.1 days"."""
    for unit, length, most in (("seconds", 1, 100), ("minutes", 60, 100), ("hours", 3600, 48)):
        if seconds < most * length:
            return f"{seconds / length:.{1 if unit == 'hours' else 0}f} {unit}"
    return f"{seconds / 86400:.1f} days"
