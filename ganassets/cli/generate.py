"""`ganassets generate`: assets from a model."""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import GanassetsError, InputError
from ..plugins import find_exporters, load_exporter, load_generator, nearest, run_plugin
from .base import GeneratorCommand, complete_generators, debug_option, make_console, parse_pairs
from .find import find_model

if TYPE_CHECKING:
    from ..assets import Exporter
    from ..generation import Wish
    from ..manifest import Manifest
    from ..spec import Condition, GeneratorSpec

SPEC = "ganassets.generate.spec"
CONTACT_SHEET = "contact-sheet"
MOST_IN_PREVIEW = 64
PREVIEW_TEXELS = 256  # of what is kept for it
RANDOM = "random"

EXAMPLES = """\b
Examples:
  ganassets generate faces
  ganassets generate faces --seeds 1-200 --set age=70 --set ancestry=asian:0.5,african:0.5 -o heads/
  ganassets generate runs/faces-20260131-1/model.onnx -n 20 --seeds random --truncation 0.7
  ganassets generate faces --help      (lists its sliders)
"""


class GenerateCommand(GeneratorCommand):
    """Its help ends with the sliders of the named generator and the options of the exporters."""

    def learn(self, ctx: click.Context, name: str | None) -> None:
        """Keep the generator's spec."""
        ctx.meta[SPEC] = load_generator(name) if name else None

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the tables and the examples."""
        from ..options import describe_option

        spec: GeneratorSpec | None = ctx.meta.get(SPEC)
        if spec and spec.conditions:
            with formatter.section(f"Sliders of {spec.name} (--set)"):
                formatter.write_dl([(c.name, describe_condition(c)) for c in spec.conditions])
        fitting = [r for r in find_exporters() if r.plugin and (not spec or spec.asset_kind in r.plugin.kinds)]
        names: dict[tuple[Any, ...], list[str]] = {}
        for record in fitting:
            names.setdefault(record.plugin.options, []).append(record.name)
        for options, same in names.items():
            if options:
                with formatter.section(f"Settings of --to {', '.join(same)} (--option)"):
                    formatter.write_dl([(o.name, describe_option(o)) for o in options])
        super().format_epilog(ctx, formatter)


def describe_condition(condition: Condition) -> str:
    """One line for a help text."""
    values = "|".join(condition.choices) or f"{condition.low:g}..{condition.high:g} {condition.unit}".rstrip()
    return f"{condition.help} [{values}]"


@click.command(cls=GenerateCommand, name="generate", short_help="Make assets with a model.", epilog=EXAMPLES)
@click.argument("name_or_model", shell_complete=complete_generators)
@click.option("-n", "--count", type=click.IntRange(1, 1_000_000), help="How many; seeds 1 to N.  [default: 8]")
@click.option("--seeds", help="Which: 7, 1-200, 1,5,9-12, or random.")
@click.option(
    "--set", "sliders", multiple=True, metavar="NAME=VALUE", help="A slider, a choice or a mix (asian:0.5,african:0.5)."
)
@click.option(
    "--truncation", type=float, default=0.85, show_default=True, help="Variety: 0 is the average, 1 is all of it."
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="Folder to write to."
)
@click.option("--size", metavar="WIDTHxHEIGHT", help="Of what has no size of its own, such as 1024x512 or 512.")
@click.option("--crop", is_flag=True, help="Cut a size that can't be made from the next larger one; it won't tile.")
@click.option("--window", type=click.IntRange(64, 8192), help="Compute in windows of so many texels, to save memory.")
@click.option("--morph", metavar="SEED,SEED", help="Go from one seed to the other in -n steps.")
@click.option("--to", "target", help="Format; see `ganassets plugins list`.  [default: the generator's]")
@click.option("--option", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of the format.")
@click.option("--preview/--no-preview", default=True, help=f"Also draw {CONTACT_SHEET}.png.  [default: preview]")
@click.option("--overwrite", is_flag=True, help="Replace files that are there.")
@click.option("--batch", type=click.IntRange(1, 256), default=8, show_default=True, help="How many at once.")
@debug_option
def command(
    name_or_model: str,
    count: int | None,
    seeds: str | None,
    sliders: tuple[str, ...],
    truncation: float,
    out: Path,
    size: str | None,
    crop: bool,
    window: int | None,
    morph: str | None,
    target: str | None,
    settings: tuple[str, ...],
    preview: bool,
    overwrite: bool,
    batch: int,
) -> None:
    """Make assets with the newest model of a generator, or with a model file.

    A seed is always the same asset, alone or among others, on every machine.
    """
    from ..generation import Request, map_size, samples_of, wanted_row
    from ..model import check_plugin, open_model
    from ..options import option_values
    from ..writer import check_folder

    ends = parse_morph(morph, seeds)
    chosen = () if ends else choose_seeds(seeds, count)
    wanted_size = parse_size(size)
    given = parse_pairs("--option", settings)
    exporter = load_exporter(target) if target else None
    options = option_values(exporter.options, given) if exporter else {}
    model = open_model(find_model(name_or_model), report=lambda line: click.echo(line, err=True))
    spec = load_generator(model.manifest.generator)
    check_plugin(model, spec)
    if exporter is None:
        exporter = load_exporter(spec.exporter)
        options = option_values(exporter.options, given)
    if spec.asset_kind not in exporter.kinds:
        raise InputError(
            f"{exporter.name} takes {' and '.join(exporter.kinds)}, but {spec.name} makes {spec.asset_kind}."
        )
    request = Request(
        chosen,
        truncation,
        parse_wishes(model.manifest, sliders),
        batch,
        size=wanted_size,
        crop=crop,
        window=window,
        morph=ends,
        steps=count or 8,
    )
    wanted_row(model.manifest.conditions, request.wishes)  # bad wishes and sizes are told before the folder is made
    map_size(model.manifest, request)
    samples = samples_of(request, spec.name)
    stems = {sample.name for sample in samples} | ({CONTACT_SHEET} if preview else set())
    check_folder(out, stems, overwrite)

    assets = write_assets(model, spec, request, exporter, options, out, overwrite, MOST_IN_PREVIEW if preview else 0)
    click.echo(f"{len(samples)} of {spec.name} in {out} (model {model.path}).")
    if preview:
        click.echo(f"Contact sheet: {draw_contact_sheet(spec, assets, out)}")


def choose_seeds(text: str | None, count: int | None) -> tuple[int, ...]:
    """Seeds of --seeds and -n together."""
    from ..generation import parse_seeds

    if text == RANDOM:
        return tuple(dict.fromkeys(secrets.randbelow(10**8) for _ in range(count or 8)))
    if text is None:
        return tuple(range(1, (count or 8) + 1))
    if count is not None:
        raise InputError("-n and --seeds say the same; give one of them (or --seeds random -n 20).")
    return parse_seeds(text)


def parse_morph(text: str | None, seeds: str | None) -> tuple[int, int] | None:
    """Both seeds of --morph."""
    from ..generation import parse_seeds

    if text is None:
        return None
    if seeds is not None:
        raise InputError("--morph names its seeds itself; leave out --seeds.")
    ends = [parse_seeds(part) for part in text.split(",")]
    if len(ends) != 2 or any(len(end) != 1 for end in ends):
        raise InputError(f"--morph takes two seeds, such as 7,12, not {text!r}.")
    return ends[0][0], ends[1][0]


def parse_size(text: str | None) -> tuple[int, ...] | None:
    """Rows and columns of --size, which names the width first."""
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,6})(?:x([0-9]{1,6}))?", text.strip().lower())
    if not match or not int(match[1]) or match[2] == "0":
        raise InputError(f"--size takes WIDTHxHEIGHT, such as 1024x512, or one number, not {text!r}.")
    width = int(match[1])
    return int(match[2] or width), width


def parse_wishes(manifest: Manifest, texts: Sequence[str]) -> dict[str, Wish]:
    """Wishes of --set: numbers for sliders; choices and mixes for categories."""
    categories = {condition.name for condition in manifest.conditions if condition.choices}
    known = [condition.name for condition in manifest.conditions]
    wishes: dict[str, Wish] = {}
    for name, value in parse_pairs("--set", texts).items():
        if name not in known:
            raise InputError(f"there is no slider {name!r}; {nearest(name, known)}")
        wishes[name] = _shares(name, value) if name in categories else _number(name, value)
    return wishes


def _shares(name: str, text: str) -> dict[str, float]:
    """{"asian": 0.5, "african": 0.5} of "asian:0.5,african:0.5"; a choice without a share counts 1."""
    shares: dict[str, float] = {}
    for part in text.split(","):
        choice, colon, share = map(str.strip, part.partition(":"))
        if choice in shares:
            raise InputError(f"{name} names {choice} twice.")
        shares[choice] = _number(name, share) if colon else 1.0
    return shares


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"{name} takes a number, not {text!r}.") from error


def write_assets(
    model: Any,
    spec: GeneratorSpec,
    request: Any,
    exporter: Exporter,
    options: Mapping[str, Any],
    out: Path,
    overwrite: bool,
    keep: int,
) -> list[Any]:
    """Generate, export and write all assets with a progress bar; the first `keep` of them come back."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from ..generation import generate
    from ..writer import write_files

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = make_console(stderr=True)
    kept: list[Any] = []
    with (
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress,
        ThreadPoolExecutor(1) as disk,
    ):
        total = request.steps if request.morph else len(request.seeds)
        task = progress.add_task(f"Generating {spec.name}", total=total)
        written: Future[Any] | None = None
        for assets in generate(model, spec, request):
            files = export_assets(exporter, assets, options)
            if written:
                written.result()
            # Waiting for the device takes as long as making the next batch, so both happen at once.
            written = disk.submit(write_files, out, files, overwrite)
            progress.advance(task, len(assets))
            kept += [asset.reduced(PREVIEW_TEXELS) for asset in assets[: keep - len(kept)]]
        if written:
            written.result()
    return kept


def export_assets(exporter: Exporter, assets: Sequence[Any], options: Mapping[str, Any]) -> dict[str, bytes]:
    """Files of all the assets; GanassetsError when two of them would have one name."""
    files: dict[str, bytes] = {}
    for asset in assets:
        made = run_plugin(f"the {exporter.name} exporter", exporter.export, asset, options)
        if files.keys() & made.keys():
            raise GanassetsError(f"the {exporter.name} exporter gives two assets the same file name.")
        files |= made
    return files


def draw_contact_sheet(spec: GeneratorSpec, assets: list[Any], out: Path) -> Path:
    """Draw the assets into one picture and write it."""
    from ..writer import write_atomic

    try:
        image = run_plugin(f"{spec.name}'s preview", spec.preview, assets)
    except GanassetsError as error:
        raise GanassetsError(
            f"the assets are written, but {str(error).rstrip('.')}; --no-preview leaves it out."
        ) from error
    content = io.BytesIO()
    image.save(content, "PNG")
    return write_atomic(out / f"{CONTACT_SHEET}.png", content.getvalue())
