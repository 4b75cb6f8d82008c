"""The options of commands that make assets, and the request that they add up to.

The parameter of an option is called like the field of GenerationRequest that it fills.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .base import parse_pairs
from .plugin_options import FORMAT, SETTING, SLIDER, values_of

if TYPE_CHECKING:
    from ..inference.request import GenerationRequest

RANDOM = "random"
DEFAULT_COUNT = 8

UNTRUSTED_OPTION = click.option(
    "--untrusted/--trusted",
    default=None,
    help="Run the model with or without limits on memory and time.  "
    "[default: with limits, unless the model is in the box or from a run in ./runs]",
)
# For commands that open the model in their own process.
TRUSTED_OPTION = click.option(
    "--trusted",
    is_flag=True,
    help="Open the model without limits, even if it is neither in the box nor from a run in ./runs.",
)
SEED_OPTIONS = (
    click.option("-n", "--count", type=click.IntRange(1, 1_000_000), help="Number of assets.  [default: 8]"),
    click.option("--seed", type=click.IntRange(0), help="First seed.  [default: 1]"),
    click.option("--seeds", help="Seeds, such as 7, 1-200 or 1,5,9-12; or random."),
)
RECIPE_OPTION = click.option(
    "--recipe",
    "recipes",
    multiple=True,
    metavar="FILE",
    help="Recipe, or file that contains one, in place of seeds. May be given more than once.",
)
NAME_OPTION = click.option("--name", help="Template of the assets' names.  [default: {generator}-{seed:08d}]")
LOOK_OPTIONS = (
    click.option(
        "--set",
        "conditions",
        multiple=True,
        metavar="NAME=VALUE",
        help="Value of a slider, a choice, or a mix of choices, such as asian:0.5,african:0.5.",
    ),
    click.option(
        "--slider",
        "directions",
        multiple=True,
        metavar="NAME=AMOUNT",
        help="Amount of a slider found by `ganassets sliders discover`, in standard deviations.",
    ),
    click.option(
        "--truncation",
        type=float,
        help="Variety, from 0 (the average asset) to 1 (all variety of the data).  [default: 0.85]",
    ),
    click.option(
        "--size", metavar="WIDTHxHEIGHT", help="Output size in pixels, such as 1024x512 or 512; size-free models only."
    ),
    click.option("--crop", is_flag=True, help="Cut the size from the next larger one; the result does not tile."),
    click.option(
        "--window", type=click.IntRange(64, 8192), help="Compute in windows of this many pixels, to save memory."
    ),
)
FORMAT_OPTIONS = (
    click.option("--to", help="Format; see `ganassets plugins list`.  [default: the generator's own]"),
    click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="Option of the format."),
)
RUN_OPTIONS = (
    click.option(
        "-o", "--out", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="Output folder."
    ),
    click.option("--preview/--no-preview", default=True, help="Draw contact-sheet.png.  [default: preview]"),
    click.option("--overwrite", is_flag=True, help="Make all assets again and replace existing files."),
    click.option(
        "--workers",
        type=click.IntRange(1, 64),
        help="Number of processes.  [default: as many as processors and memory allow]",
    ),
    UNTRUSTED_OPTION,
    click.option("--dry-run", is_flag=True, help="Estimate number, size and time of the files; write nothing."),
)


def with_options(*groups: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """Return a decorator that adds groups of options to a command."""

    def decorate(command: Any) -> Any:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return decorate


def build_request(model: str, params: Mapping[str, Any], **fields: Any) -> GenerationRequest:
    """Build the request of a command line.

    Args:
        model: a generator's name, a run folder or a model file.
        params: values of the options above and of those of the generator and the formats, by parameter.
        fields: of the request, in place of options.

    Raises:
        InputError: an option has a wrong value, or two options contradict each other.
    """
    from ..inference.request import GenerationRequest

    given = {name: params[name] for name in GenerationRequest.model_fields if is_given(params.get(name))} | fields
    pairs = {
        "conditions": parse_pairs("--set", [*params["conditions"], *values_of(SLIDER, params)]),
        "directions": parse_pairs("--slider", params["directions"]),
        "settings": parse_pairs("a setting", values_of(SETTING, params)),
        "options": parse_pairs("--option", [*params["options"], *values_of(FORMAT, params)]),
    }
    return GenerationRequest(model=model, **{**given, **{name: values for name, values in pairs.items() if values}})


def is_given(value: object) -> bool:
    """Return whether an option has another value than click's for an option that was left out."""
    return value is not None and value is not False and value != ()


def choose_seeds(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the request that say which seeds: those of SEED_OPTIONS, with their defaults."""
    from ..inference.seeds import random_seeds

    count, seed, seeds = params["count"], params["seed"], params["seeds"]
    if seeds == RANDOM and seed is None:
        return {"seeds": random_seeds(count or DEFAULT_COUNT), "count": None}
    if seeds is None and not params.get("recipes"):
        return {"count": count or DEFAULT_COUNT}
    return {}
