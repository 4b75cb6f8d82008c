"""Find the look that a file shows: latent, sliders and offset in w whose asset comes nearest to it.

onnxruntime alone: slopes are differences of what the model makes, and steps are Levenberg and Marquardt's (Marquardt
1963, "An algorithm for least-squares estimation of nonlinear parameters").
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..api.errors import InputError
from ..api.latents import choice_columns, latent
from ..api.plugin_calls import compare_with_target
from .latent_edits import pack_offset
from .pipeline import condition_of, make_assets, offset_of
from .recipe import Recipe, pack_floats, unpack_floats

if TYPE_CHECKING:
    from ..api.spec import GeneratorSpec, Target
    from .batch.plan import ResolvedRequest
    from .model import Model

FloatArray = NDArray[np.floating]

TOGETHER = 16  # assets that are made at once
STEP = 0.05  # of a difference, in standard deviations
# How dear a standard deviation of the latent is, beside the mean square of what it moves: little where places are
# compared, which hold it by themselves, more where only the look is, which strange latents meet in strange ways.
PRIOR_OF_PLACES, PRIOR_OF_LOOKS = 1e-3, 0.5
FARTHEST = 2.5  # standard deviations of a number of the latent
DAMPINGS = (1e-3, 1e-1, 10.0)  # relative to the mean slope; the best one is taken
GAIN = 1e-3  # a step that gains less is the last of its stage
W_SAMPLES = 256
MOST_AXES = 32  # of w


@dataclass(frozen=True)
class Inversion:
    """What came out.

    Attributes:
        recipe: of the look.
        nearest: distance of the best of the seeds that were tried first.
        distance: of the look, in the target's unit: the root of the mean square over all that is compared.
        explained: share of what sets the file apart from the model's average look that the look has as well.
    """

    recipe: Recipe
    nearest: float
    distance: float
    explained: float


class InversionSearch:
    """Looks under way to a target.

    Args:
        model, spec: what makes them.
        target: what is to be met.
        progress: told what is being done and how near the best look is.
        deadline: by time.monotonic, after which no step begins.
    """

    def __init__(
        self, model: Model, spec: GeneratorSpec, target: Target, progress: Callable[[str, float], None], deadline: float
    ) -> None:
        self.model, self.spec, self.target = model, spec, target
        self.progress, self.deadline = progress, deadline
        self.prior = PRIOR_OF_PLACES if target.exact else PRIOR_OF_LOOKS
        self.unit = 1 / np.sqrt(len(target.wanted))

    def features(self, recipes: Sequence[Recipe]) -> FloatArray:
        """(n, k) what the target compares, of looks."""
        parts = []
        for start in range(0, len(recipes), TOGETHER):
            assets = make_assets(self.model, self.spec, recipes[start : start + TOGETHER])
            parts.append(compare_with_target(self.spec, self.target, assets))
        return np.concatenate(parts)

    def begin(self, recipes: Iterator[Recipe]) -> tuple[Recipe, float, FloatArray]:
        """The nearest of some looks, its distance, and the mean of the features of all that there was time for."""
        total, count = np.zeros(len(self.target.wanted)), 0
        nearest: Recipe | None = None
        least = np.inf
        while (part := list(islice(recipes, TOGETHER))) and (time.monotonic() < self.deadline or nearest is None):
            features = self.features(part)
            if features.shape[1] != len(total):
                raise InputError(
                    "this file can't be compared with what the model makes; it shows another kind of thing."
                )
            distances = self.distances(features)
            best = int(distances.argmin())
            if distances[best] < least or nearest is None:
                nearest, least = part[best], float(distances[best])
            total += features.sum(0)
            count += len(part)
            self.progress("seeds", least)
        assert nearest is not None
        return nearest, least, total / count

    def distances(self, features: FloatArray) -> NDArray[np.float64]:
        """(n,) root mean square distances of (n, k) to the target."""
        return self.unit * np.linalg.norm(features - self.target.wanted, axis=1)

    def descend(self, recipe: Recipe, moves: Moves, stage: str) -> Recipe:
        """The recipe moved as far as it comes nearer to the target."""
        features = self.features([recipe])[0]
        best = float(self.distances(features[None])[0])
        while time.monotonic() < self.deadline:
            self.progress(stage, best)
            steps = np.eye(moves.count) * STEP
            slopes = (self.features([moves.moved(recipe, step) for step in steps]) - features).T / STEP
            tried = [moves.moved(recipe, step) for step in self.steps(slopes, features, moves.position(recipe))]
            made = self.features(tried)
            distances = self.distances(made)
            k = int(distances.argmin())
            if distances[k] >= best * (1 - GAIN):
                break
            recipe, features, best = tried[k], made[k], float(distances[k])
        return recipe

    def steps(self, slopes: FloatArray, features: FloatArray, position: FloatArray) -> list[FloatArray]:
        """Steps to try from slopes (k, m): one for each damping, whole and half.

        What is made smaller is the mean square distance and, a little, how unlikely the look is.
        """
        k = len(features)
        square = slopes.T @ slopes / k
        prior = self.prior * float(np.trace(square)) / len(square)
        downhill = slopes.T @ (self.target.wanted - features) / k - prior * position
        mean = float(np.trace(square)) / len(square)
        whole = [
            np.linalg.solve(square + (prior + damping * mean + 1e-12) * np.eye(len(square)), downhill)
            for damping in DAMPINGS
        ]
        return [share * step for step in whole for share in (1.0, 0.5)]


class Moves:
    """Ways to move a look, each about a standard deviation long.

    Attributes:
        count: how many.
    """

    count: int

    def moved(self, recipe: Recipe, step: FloatArray) -> Recipe:
        """A recipe moved by (count,)."""
        raise NotImplementedError

    def position(self, recipe: Recipe) -> FloatArray:
        """(count,) how far a recipe is from the most likely look."""
        raise NotImplementedError


class LatentMoves(Moves):
    """The latent, and the sliders that are numbers and not fixed.

    Args:
        model: whose.
        fixed: names of columns that stay as they are.
    """

    def __init__(self, model: Model, fixed: Sequence[str]) -> None:
        manifest = model.manifest
        self.manifest = manifest
        rows = manifest.rows.astype(np.float64)
        columns = [(c.name, column, c) for c in manifest.conditions for column in c.columns]
        free = [
            not info.choices and not info.switch and column not in fixed and not choice_columns(manifest.rows)[i]
            for i, (_, column, info) in enumerate(columns)
        ]
        self.free = np.flatnonzero(np.array(free, bool))
        self.mean, self.spread = rows.mean(0), np.maximum(rows.std(0), 1e-6)
        self.low = np.array([info.low if not info.choices else 0.0 for _, _, info in columns])
        self.high = np.array([info.high if not info.choices else 1.0 for _, _, info in columns])
        self.count = manifest.z_dim + len(self.free)

    def moved(self, recipe: Recipe, step: FloatArray) -> Recipe:
        z = np.clip(unpack_floats(recipe.z or "") + step[: self.manifest.z_dim], -FARTHEST, FARTHEST)
        row = recipe.row.astype(np.float64)
        row[self.free] += step[self.manifest.z_dim :] * self.spread[self.free]
        row[self.free] = np.clip(row, self.low, self.high)[self.free]
        condition = condition_of(self.manifest, row.astype(np.float32).round(5))
        return recipe.changed(z=pack_floats(z.astype(np.float32)), condition=condition)

    def position(self, recipe: Recipe) -> FloatArray:
        row = (recipe.row - self.mean) / self.spread
        return np.concatenate([unpack_floats(recipe.z or ""), row[self.free]])


class OffsetMoves(Moves):
    """The offset of each layer, along the principal axes of w.

    Args:
        model: whose.
        recipe: whose sliders w is looked at under.
    """

    def __init__(self, model: Model, recipe: Recipe) -> None:
        manifest = model.manifest
        self.manifest = manifest
        z = np.stack([latent(seed, manifest.z_dim) for seed in range(1, W_SAMPLES + 1)])
        w = model.w(z, np.repeat(recipe.row[None], len(z), 0)).astype(np.float64)
        _, sizes, axes = np.linalg.svd(w - w.mean(0), full_matrices=False)
        kept = min(MOST_AXES, manifest.w_dim)
        self.axes = axes[:kept] * (sizes[:kept, None] / np.sqrt(len(w)))
        self.count = manifest.layers * kept

    def moved(self, recipe: Recipe, step: FloatArray) -> Recipe:
        offset = offset_of(self.manifest, recipe) + step.reshape(self.manifest.layers, -1) @ self.axes
        return recipe.changed(w_offset=pack_offset(offset.astype(np.float32)))

    def position(self, recipe: Recipe) -> FloatArray:
        squares = np.maximum((self.axes**2).sum(1), 1e-12)
        return ((offset_of(self.manifest, recipe) @ self.axes.T) / squares).ravel()


def invert(
    model: Model,
    spec: GeneratorSpec,
    target: Target,
    request: ResolvedRequest,
    seeds: int,
    seconds: float,
    progress: Callable[[str, float], None] = lambda stage, distance: None,
) -> Inversion:
    """Find the recipe of a model whose asset comes nearest to a target.

    Args:
        model, spec: opened and checked.
        target: the file to approximate.
        request: values to keep; its conditions override those of the target, and the result has its size.
        seeds: number of seeds to try first, as far as there is time.
        seconds: after which no step begins.
        progress: receives the current stage and the smallest distance so far.

    Raises:
        InputError: the target can't be compared with what the model makes.
    """
    search = InversionSearch(model, spec, target, progress, time.monotonic() + seconds)
    final = replace(request, settings={**request.settings, **target.settings})
    conditions = {**target.wishes, **request.conditions}
    draft = replace(
        final,
        request=request.request.model_copy(update={"truncation": 1.0}),
        conditions=conditions,
        settings={**final.settings, **target.draft},
        size=target.size or request.size,
    )
    nearest, least, mean = search.begin(draft.seed_recipe(seed) for seed in range(1, seeds + 1))
    start = nearest.changed(z=pack_floats(latent(nearest.seed, model.manifest.z_dim)))
    found = search.descend(start, LatentMoves(model, list(conditions)), "latent and sliders")
    if target.exact:
        found = search.descend(found, OffsetMoves(model, found), "layers")
    distance = float(search.distances(search.features([found]))[0])
    average = float(search.distances(mean[None])[0])
    usual = final.seed_recipe(found.seed)
    recipe = found.changed(settings={**found.settings, **usual.settings}, size=usual.size)
    return Inversion(recipe, least, distance, max(0.0, 1 - (distance / max(average, 1e-12)) ** 2))
