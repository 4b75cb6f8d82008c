"""`ganassets generate`: assets from a model."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import click

from ..api.errors import InputError
from .base import complete_generators, debug_option
from .generation import FORMAT_OPTIONS, LOOK_OPTIONS, RUN_OPTIONS, SEED_OPTIONS, carry_out, wanted, with_options
from .plugin_options import MakingCommand

RANDOM = "random"
DEFAULT_COUNT = 8

EXAMPLES = """\b
Examples:
  ganassets generate faces
  ganassets generate faces --seeds 1-200 --age 70 --ancestry asian:0.5,african:0.5 -o heads/
  ganassets generate textures -n 10000 --seed 1 --to unity -o library/      (again: goes on where it stopped)
  ganassets generate poses --action walk --seconds 2 --loop --to bvh
  ganassets generate textures --recipe my-look.recipe.json --size 1024
  ganassets generate runs/faces-20260131-1/model.onnx -n 20 --seeds random --truncation 0.7
  ganassets generate faces --help      (lists its sliders)
"""


@click.command(cls=MakingCommand, name="generate", short_help="Make assets with a model.", epilog=EXAMPLES)
@click.argument("name_or_model", shell_complete=complete_generators)
@with_options(SEED_OPTIONS)
@click.option(
    "--recipe",
    "recipes",
    multiple=True,
    metavar="FILE",
    help="A recipe, or a file that carries one, in place of seeds.",
)
@click.option("--name", "template", default="", help="Names of the assets.  [default: {generator}-{seed:08d}]")
@with_options(LOOK_OPTIONS, FORMAT_OPTIONS, RUN_OPTIONS)
@debug_option
def command(
    name_or_model: str,
    count: int | None,
    seed: int | None,
    seeds: str | None,
    recipes: tuple[str, ...],
    template: str,
    **params: Any,
) -> None:
    """Make assets with the newest model of a generator, or with a model file.

    A seed is always the same asset, alone or among others. What is in the folder already is left as it is, so the same
    command goes on where it was stopped.
    """
    from ..inference.batch.plan import Plan

    chosen = () if recipes else choose_seeds(seeds, count, seed)
    if recipes and (seeds or count or seed is not None):
        raise InputError("--recipe stands in place of seeds; leave out -n, --seed and --seeds.")
    asked = wanted(name_or_model, params, params)
    plan = Plan([asked.job(chosen, [asked.recipe(text) for text in recipes], template)])
    plan.check_names()
    carry_out(plan, params)


def choose_seeds(text: str | None, count: int | None, first: int | None = None) -> Sequence[int]:
    """Seeds of --seeds, --seed and -n together."""
    from ..api.latents import MAX_SEED
    from ..inference.conditions import parse_seeds

    if text == RANDOM and first is None:
        return tuple(dict.fromkeys(secrets.randbelow(10**8) for _ in range(count or DEFAULT_COUNT)))
    if text is None:
        start = 1 if first is None else first
        if start + (count or DEFAULT_COUNT) - 1 > MAX_SEED:
            raise InputError(f"seeds end at {MAX_SEED}.")
        return range(start, start + (count or DEFAULT_COUNT))
    if count is not None or first is not None:
        raise InputError("-n and --seeds say the same; give one of them (or --seeds random -n 20).")
    return parse_seeds(text)
