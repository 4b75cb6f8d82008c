"""`ganassets generate`: assets from a model."""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import GanassetsError, InputError
from ..options import SWITCHES, describe_option, option_values
from ..plugins import find_exporters, generator_names, load_exporter, load_generator, nearest, run_plugin
from ..spec import Condition
from .base import GeneratorCommand, complete_generators, debug_option, make_console, parse_pairs
from .find import MODEL_FILE, find_model

if TYPE_CHECKING:
    from ..assets import Exporter, Option
    from ..generation import Wish
    from ..manifest import Manifest
    from ..spec import GeneratorSpec

SPEC, WORDS = "ganassets.generate.spec", "ganassets.generate.words"
CONTACT_SHEET = "contact-sheet"
MOST_IN_PREVIEW = 64
PREVIEW_TEXELS = 256  # of what is kept for it
RANDOM = "random"

EXAMPLES = """\b
Examples:
  ganassets generate faces
  ganassets generate faces --seeds 1-200 --age 70 --ancestry asian:0.5,african:0.5 -o heads/
  ganassets generate poses --action walk --seconds 2 --loop --to bvh
  ganassets generate runs/faces-20260131-1/model.onnx -n 20 --seeds random --truncation 0.7
  ganassets generate faces --help      (lists its sliders)
"""
# What the words of a dynamic option are kept under, by where they belong.
SLIDER, SETTING, FORMAT = "slider", "setting", "format"


class GenerateCommand(GeneratorCommand):
    """Takes the sliders and settings of the named generator and those of the formats as options of their own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the words that may name a model."""
        ctx.meta[WORDS] = self.free(args)
        return super().parse_args(ctx, args)

    def named(self, args: Sequence[str]) -> str | None:
        """The generator that is named, or that a named model or run is of."""
        return super().named(args) or next((name for arg in self.free(args) if (name := generator_of(arg))), None)

    def learn(self, ctx: click.Context, name: str | None) -> None:
        """Keep the generator's spec; where it has no sliders, with those of the model, which the data alone knew."""
        spec = load_generator(name) if name else None
        if spec and not spec.conditions:
            spec = with_sliders(spec, next((m for word in ctx.meta[WORDS] if (m := manifest_of(word))), None))
        ctx.meta[SPEC] = spec

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own parameters, then those of the generator and the formats."""
        own = super().get_params(ctx)
        return [*own, *dynamic_options(ctx.meta.get(SPEC), {word for param in own for word in param.opts})]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the tables and the examples."""
        spec: GeneratorSpec | None = ctx.meta.get(SPEC)
        for title, rows in tables(spec):
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
        super().format_epilog(ctx, formatter)


def generator_of(text: str) -> str | None:
    """Generator of a model file or of a run with one; None where the text is neither."""
    try:
        if not any(path.is_file() for path in (Path(text), Path(text) / MODEL_FILE)):
            return None
    except OSError:  # long texts are no paths
        return None
    manifest = manifest_of(text)
    return manifest.generator if manifest else None


def manifest_of(text: str) -> Manifest | None:
    """Manifest of the model that a word means; None where it means none of an installed generator."""
    from ..model import read_manifest, read_model_file

    try:
        manifest = read_manifest(read_model_file(find_model(text)), Path(text))
    except (GanassetsError, OSError):  # told when the model is opened
        return None
    return manifest if manifest.generator in generator_names() else None


def with_sliders(spec: GeneratorSpec, manifest: Manifest | None) -> GeneratorSpec:
    """The spec with the sliders and categories of one of its models."""
    if manifest is None or manifest.generator != spec.name:
        return spec
    return replace(spec, conditions=tuple(Condition(**info.model_dump()) for info in manifest.conditions))


def tables(spec: GeneratorSpec | None) -> list[tuple[str, list[tuple[str, str]]]]:
    """Titles and rows of the help's tables: sliders, settings, and what each format takes."""
    found: list[tuple[str, list[tuple[str, str]]]] = []
    if spec:
        sliders = [(option_word(c.name, c.switch), describe_condition(c)) for c in spec.conditions]
        settings = [(option_word(o.name, o.type is bool), describe_option(o)) for o in spec.settings]
        found += [(f"Sliders of {spec.name}", sliders), (f"Settings of {spec.name}", settings)]
    names: dict[tuple[Option, ...], list[str]] = {}
    for exporter in fitting_exporters(spec):
        names.setdefault(fitting_options(exporter, spec), []).append(exporter.name)
    for options, same in names.items():
        rows = [(format_word(spec, o), describe_option(o)) for o in options]
        found.append((f"Settings of --to {', '.join(same)}", rows))
    return found


def fitting_options(exporter: Exporter, spec: GeneratorSpec | None) -> tuple[Option, ...]:
    """A format's settings that change what the generator makes."""
    return tuple(o for o in exporter.options if spec is None or not o.kinds or spec.asset_kind in o.kinds)


def option_word(name: str, switch: bool) -> str:
    """ "--age", or "--[no-]loop" of what is yes or no."""
    return f"--[no-]{name}" if switch else f"--{name}"


def format_word(spec: GeneratorSpec | None, option: Option) -> str:
    """How a format's setting is given: as an option, or by --option where another one is named so."""
    words = {word for param in command.params for word in param.opts}
    words |= {f"--{own.name}" for own in (*spec.conditions, *spec.settings)} if spec else set()
    taken = f"--{option.name}" in words
    return f"--option {option.name}=" if taken else option_word(option.name, option.type is bool)


def fitting_exporters(spec: GeneratorSpec | None) -> list[Exporter]:
    """Formats that take what the generator makes."""
    found = [record.plugin for record in find_exporters() if record.plugin]
    return [exporter for exporter in found if spec is None or spec.asset_kind in exporter.kinds]


def dynamic_options(spec: GeneratorSpec | None, taken: set[str]) -> list[click.Option]:
    """Options that the generator and the formats bring along; where a word is taken, --set and --option remain.

    They stand in tables of the help and not in its list, and are optional texts that are read like --set and --option.
    """
    made: dict[str, click.Option] = {}

    def add(kind: str, name: str, switch: bool, choices: Sequence[str]) -> None:
        word, parameter = f"--{name}", f"{kind}_{name.replace('-', '_')}"
        if word in taken or word in made:
            return
        if switch:
            made[word] = click.Option([f"{word}/--no-{name}", parameter], default=None, hidden=True)
        else:
            complete = lambda ctx, param, incomplete: [c for c in choices if c.startswith(incomplete)]  # noqa: E731
            made[word] = click.Option([word, parameter], hidden=True, shell_complete=complete)

    if spec:
        for condition in spec.conditions:
            add(SLIDER, condition.name, condition.switch, condition.choices)
        for option in spec.settings:
            add(SETTING, option.name, option.type is bool, option.choices)
    for exporter in fitting_exporters(spec):
        for option in fitting_options(exporter, spec):
            add(FORMAT, option.name, option.type is bool, option.choices)
    return list(made.values())


def dynamic_values(kind: str, params: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """NAME=VALUE of the options of a kind that were given, for these names."""
    values = {name: params.get(f"{kind}_{name.replace('-', '_')}") for name in names}
    return [f"{name}={int(v) if isinstance(v, bool) else v}" for name, v in values.items() if v is not None]


def describe_condition(condition: Condition) -> str:
    """One line for a help text."""
    if condition.switch:
        return f"{condition.help} [yes|no]"
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
    **dynamic: Any,
) -> None:
    """Make assets with the newest model of a generator, or with a model file.

    A seed is always the same asset, alone or among others, on every machine.
    """
    from ..generation import Request, check_learnt, map_size, samples_of, wanted_row
    from ..model import check_plugin, open_model
    from ..writer import check_folder

    ends = parse_morph(morph, seeds)
    chosen = () if ends else choose_seeds(seeds, count)
    wanted_size = parse_size(size)
    if target:
        load_exporter(target)  # a wrong name is told before the model is read
    model = open_model(find_model(name_or_model), report=lambda line: click.echo(line, err=True))
    spec = load_generator(model.manifest.generator)
    check_plugin(model, spec)
    exporter, options = chosen_format(spec, target, settings, dynamic)
    wished = [*sliders, *dynamic_values(SLIDER, dynamic, [c.name for c in model.manifest.conditions])]
    asked = dynamic_values(SETTING, dynamic, [option.name for option in spec.settings])
    request = Request(
        chosen,
        truncation,
        parse_wishes(model.manifest, wished),
        batch,
        settings=option_values(spec.settings, parse_pairs("a setting", asked)),
        size=wanted_size,
        crop=crop,
        window=window,
        morph=ends,
        steps=count or 8,
    )
    wanted_row(model.manifest.conditions, request.wishes)
    check_learnt(model.manifest, request.wishes)  # bad wishes and sizes are told before the folder is made
    map_size(model.manifest, spec, request)
    samples = samples_of(request, spec.name)
    stems = {sample.name for sample in samples} | ({CONTACT_SHEET} if preview else set())
    check_folder(out, stems, overwrite)

    assets = write_assets(model, spec, request, exporter, options, out, overwrite, MOST_IN_PREVIEW if preview else 0)
    click.echo(f"{len(samples)} of {spec.name} in {out} (model {model.path}).")
    if preview:
        click.echo(f"Contact sheet: {' and '.join(map(str, draw_contact_sheet(spec, assets, out)))}")


def chosen_format(
    spec: GeneratorSpec, target: str | None, settings: Sequence[str], dynamic: Mapping[str, Any]
) -> tuple[Exporter, dict[str, Any]]:
    """The exporter and the values of all its options."""
    exporter = load_exporter(target or spec.exporter)
    if spec.asset_kind not in exporter.kinds:
        raise InputError(
            f"{exporter.name} takes {' and '.join(exporter.kinds)}, but {spec.name} makes {spec.asset_kind}."
        )
    words = dynamic_values(FORMAT, dynamic, [option.name for option in exporter.options])
    given = {name for name, value in dynamic.items() if name.startswith(f"{FORMAT}_") and value is not None}
    known = {f"{FORMAT}_{option.name.replace('-', '_')}" for option in exporter.options}
    for name in sorted(given - known):
        raise InputError(f"{exporter.name} has no setting {name.removeprefix(f'{FORMAT}_').replace('_', '-')!r}.")
    return exporter, option_values(exporter.options, parse_pairs("--option", [*settings, *words]))


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
    known = {condition.name: condition for condition in manifest.conditions}
    wishes: dict[str, Wish] = {}
    for name, value in parse_pairs("--set", texts).items():
        if name not in known:
            raise InputError(f"there is no slider {name!r}; {nearest(name, list(known))}")
        wishes[name] = _shares(name, value) if known[name].choices else _number(name, value, known[name].switch)
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


def _number(name: str, text: str, switch: bool = False) -> float:
    try:
        return float(SWITCHES[text.lower()] if switch else text)
    except (ValueError, KeyError) as error:
        raise InputError(f"{name} takes {'yes or no' if switch else 'a number'}, not {text!r}.") from error


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


def draw_contact_sheet(spec: GeneratorSpec, assets: list[Any], out: Path) -> list[Path]:
    """Draw the assets into one picture, and what moves into one that moves as well, and write them."""
    from ..writer import write_atomic

    try:
        image = run_plugin(f"{spec.name}'s preview", spec.preview, assets)
        moving = run_plugin(f"{spec.name}'s animation", spec.animation, assets) if spec.animation else None
    except GanassetsError as error:
        raise GanassetsError(
            f"the assets are written, but {str(error).rstrip('.')}; --no-preview leaves it out."
        ) from error
    content = io.BytesIO()
    image.save(content, "PNG")
    written = [write_atomic(out / f"{CONTACT_SHEET}.png", content.getvalue())]
    return [*written, write_atomic(out / f"{CONTACT_SHEET}.webp", moving)] if moving else written
