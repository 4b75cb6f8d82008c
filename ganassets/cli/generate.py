"""`ganassets generate`: make assets with a model."""

from __future__ import annotations

from typing import Any

import click

from .base import complete_generators, debug_option
from .generation import run_plan
from .options import (
    FORMAT_OPTIONS,
    LOOK_OPTIONS,
    NAME_OPTION,
    RECIPE_OPTION,
    RUN_OPTIONS,
    SEED_OPTIONS,
    build_request,
    choose_seeds,
    with_options,
)
from .plugin_options import GenerationCommand

EXAMPLES = """\b
Examples:
  ganassets generate faces
  ganassets generate faces --seeds 1-200 --age 70 --ancestry asian:0.5,african:0.5 -o heads/
  ganassets generate textures -n 10000 --to unity -o library/      (run again to continue where it stopped)
  ganassets generate poses --action walk --seconds 2 --loop --to bvh
  ganassets generate textures --recipe my-look.recipe.json --size 1024
  ganassets generate runs/faces-20260131-1/model.onnx -n 20 --seeds random --truncation 0.7
  ganassets generate faces --help      (lists its sliders)
"""


@click.command(cls=GenerationCommand, name="generate", short_help="Make assets with a model.", epilog=EXAMPLES)
@click.argument("name_or_model", shell_complete=complete_generators)
@with_options(SEED_OPTIONS, (RECIPE_OPTION, NAME_OPTION), LOOK_OPTIONS, FORMAT_OPTIONS, RUN_OPTIONS)
@debug_option
def command(name_or_model: str, **params: Any) -> None:
    """Make assets with the newest model of a generator, or with a model file.

    A seed always gives the same asset, alone or with others. Files that exist already are kept, so the same command
    continues where it was stopped.
    """
    from ..inference.batch.plan import Plan
    from ..inference.resolve import resolve_request

    plan = Plan([resolve_request(build_request(name_or_model, params, **choose_seeds(params)))])
    plan.check_names()
    run_plan(plan, params)
