"""Resolve a request: find and read its model, check the request against it, and make the recipes of its assets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..api.errors import InputError
from ..api.options import as_texts, option_values
from ..api.registry import load_exporter, load_format, load_generator
from ..api.texts import suggest_name
from .batch.plan import Interval, ResolvedRequest
from .conditions import ConditionValue, encode_conditions, find_condition, parse_condition
from .directions import offset_of_amounts
from .model import check_generator, inspect_model
from .model_search import find_model
from .pipeline import check_recipe, condition_of, limit_batch, make_assets, map_size, recipe_size
from .provenance import recipe_in
from .recipe import Recipe, SharedOptions
from .request import ConditionChoices, ConditionRange, GenerationRequest
from .seeds import parse_seeds

if TYPE_CHECKING:
    from ..api.assets import Asset, Exporter
    from ..api.conditions import Condition
    from ..api.spec import GeneratorSpec
    from .model import Model, ModelFile


def resolve_request(
    request: GenerationRequest, folder: Path = Path(), file: ModelFile | None = None, title: str = ""
) -> ResolvedRequest:
    """Check a request against its model and its format.

    Args:
        request: What the user asked for.
        folder: Folder in which relative paths of the model and of recipes are looked for first.
        file: The request's model, where it was read already.
        title: Title of the job, where the request has none.

    Raises:
        InputError: The model, the format or a value doesn't fit.
    """
    if request.to:
        load_exporter(request.to)  # reports a wrong name before the model is read
    file = file or inspect_model(find_model(request.model, folder))
    spec = load_generator(file.manifest.generator)
    check_generator(file, spec)
    exporter = load_format(spec, request.to)
    check_option_names(exporter, request.options)
    options = option_values(exporter.options, as_texts(request.options))
    resolved = replace(
        resolve_with_model(request, file, spec, folder),
        exporter=exporter.name,
        options=options,
        title=request.title or title,
    )
    resolved.check(spec)
    return resolved


def resolve_with_model(
    request: GenerationRequest, file: ModelFile, spec: GeneratorSpec, folder: Path = Path()
) -> ResolvedRequest:
    """Resolve a request for a model that was read already, without a format and without the final check.

    Args:
        request: What the user asked for; its `model` and `to` are not read.
        file: The model, checked against spec.
        spec: Its plugin.
        folder: Folder in which recipes with relative paths are looked for.

    Raises:
        InputError: A condition, a setting, a direction or a recipe doesn't fit the model.
    """
    fixed: dict[str, ConditionValue] = {}
    grid: dict[str, list[ConditionValue]] = {}
    drawn: dict[str, Interval | list[str]] = {}
    for name, value in request.conditions.items():
        condition = find_condition(file.manifest.conditions, name)
        if isinstance(value, list):
            grid[name] = [parse_condition(condition, one) for one in value]
        elif isinstance(value, (ConditionRange, ConditionChoices)):
            drawn[name] = check_drawn(condition, value)
        else:
            fixed[name] = parse_condition(condition, value)
    resolved = ResolvedRequest(
        request,
        file,
        settings=option_values(spec.settings, as_texts(request.settings)),
        seeds=request.chosen_seeds(),
        conditions=fixed,
        grid=grid,
        drawn=drawn,
        size=recipe_size(file.manifest, spec, request),
        offset=offset_of_amounts(file, request.directions),
    )
    if not request.recipes:
        return resolved
    return with_recipes(resolved, [read_look(resolved, spec, folder / text) for text in request.recipes])


def check_option_names(exporter: Exporter, names: Iterable[str]) -> None:
    """Raise InputError where a format has no option of a name."""
    known = [option.name for option in exporter.options]
    for name in names:
        if name not in known:
            advice = suggest_name(name, known) if known else "leave it out."
            raise InputError(f"{exporter.name} has no option {name!r}; {advice}")


def check_drawn(condition: Condition, value: ConditionRange | ConditionChoices) -> Interval | list[str]:
    """Return the interval or the choices that seeds draw a condition from; InputError for the wrong kind."""
    if condition.switch:
        raise InputError(f"{condition.name} takes yes or no, or a list of both.")
    if isinstance(value, ConditionChoices):
        if not condition.choices:
            raise InputError(f"{condition.name} takes {{ from = ..., to = ... }}, not choices.")
        return value.any
    if condition.choices:
        raise InputError(f"{condition.name} takes {{ any = [...] }}, not a range.")
    if value.low > value.high:
        raise InputError(f"{condition.name} goes from {value.low:g} to {value.high:g}; write the smaller one first.")
    return value.low, value.high


def with_recipes(resolved: ResolvedRequest, recipes: Sequence[Recipe]) -> ResolvedRequest:
    """Replace the seeds by recipes, which are made as they are."""
    return replace(resolved, seeds=(), recipes=tuple(recipes), offset=None)


def read_look(resolved: ResolvedRequest, spec: GeneratorSpec, source: str | Path) -> Recipe:
    """Read the recipe of a seed or of a file, changed by the options that the request names.

    Args:
        resolved: Resolved request whose options are applied.
        spec: The model's plugin.
        source: A seed as text, a recipe file, or a file that carries a recipe.

    Raises:
        InputError: There is no recipe, or it is of another model.
    """
    if isinstance(source, str) and source.isascii() and source.isdigit():
        recipe = resolved.seed_recipe(parse_seeds(source)[0])
    else:
        recipe = recipe_in(Path(source))
        check_recipe(resolved.file, spec, recipe)
        recipe = override_recipe(resolved, recipe)
    return resolved.add_offset(recipe)


def override_recipe(resolved: ResolvedRequest, recipe: Recipe) -> Recipe:
    """Replace in a recipe what the request names: conditions, settings, truncation and the shared options."""
    manifest, request = resolved.file.manifest, resolved.request
    fixed = encode_conditions(manifest.conditions, resolved.conditions)
    row = np.where(np.isfinite(fixed), fixed, recipe.row).astype(np.float32)
    settings = {**recipe.settings, **{name: resolved.settings[name] for name in request.settings}}
    names = request.model_fields_set & {"truncation", *SharedOptions.model_fields}
    options = {name: getattr(request, name) for name in names}
    return recipe.changed(condition=condition_of(manifest, row), settings=settings, file=None, **options)


def seed_recipe(file: ModelFile, spec: GeneratorSpec, request: GenerationRequest, seed: int, name: str = "") -> Recipe:
    """Return the recipe of one seed of a request for a model that was read already."""
    return resolve_with_model(request, file, spec).seed_recipe(seed, name)


def generate_assets(
    model: Model, spec: GeneratorSpec, request: GenerationRequest, batch: int = 8
) -> Iterator[list[Asset]]:
    """Make assets in memory.

    Args:
        model: Opened and checked against spec.
        spec: The plugin that decodes.
        request: What to make; the request is checked before the first asset is made.
        batch: Assets that run through the network at once, at most. The number may change the last bits of an asset.

    Returns:
        Assets batch by batch, in the order of the seeds.
    """
    if batch < 1:
        raise InputError(f"a batch of {batch} is not possible; use 1 or more.")
    resolved = resolve_with_model(request, model, spec)
    resolved.check(spec)
    batch = limit_batch(batch, map_size(model.manifest, spec, request))
    recipes = (resolved.recipe(resolved.unit(i)) for i in range(len(resolved)))
    return (make_assets(model, spec, part) for part in _split(recipes, batch))


def _split(recipes: Iterable[Recipe], size: int) -> Iterator[list[Recipe]]:
    rest = iter(recipes)
    while part := list(islice(rest, size)):
        yield part
