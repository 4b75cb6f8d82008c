"""GAN inversion: find the latent, sliders and offset in w whose asset comes nearest to a file.

Only onnxruntime is needed: the derivatives are finite differences of the model's outputs, and the steps are those of
Levenberg and Marquardt (Marquardt 1963, "An algorithm for least-squares estimation of nonlinear parameters").
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..api.errors import InputError
from ..api.latents import choice_columns, latent
from ..api.plugin_calls import compare_with_target, measure_target_shares
from .callbacks import ignore
from .latent_edits import pack_offset
from .pipeline import condition_of, make_assets, recipe_offset
from .recipe import Recipe, pack_floats, unpack_floats

if TYPE_CHECKING:
    from ..api.manifest import Manifest
    from ..api.spec import GeneratorSpec, Target
    from .batch.plan import ResolvedRequest
    from .model import Model

FloatArray = NDArray[np.floating]

BATCH_SIZE = 16  # assets per pass of the network
STEP = 0.05  # step of a finite difference, in standard deviations
# Weight of the latent prior, relative to the mean square of the features' derivatives: small where positions are
# compared, which determine the latent well; larger where only the appearance is, which unlikely latents can match.
POSITION_PRIOR, APPEARANCE_PRIOR = 1e-3, 0.5
MAX_DEVIATION = 2.5  # standard deviations of a number of the latent
DAMPINGS = (1e-3, 1e-1, 10.0)  # relative to the mean square of the derivatives; the best one is taken
MIN_GAIN = 1e-3  # a step that reduces the distance by a smaller share is the last of its stage
W_SAMPLES = 256
MAX_AXES = 32  # principal axes of w


@dataclass(frozen=True)
class Inversion:
    """The result of an inversion.

    Attributes:
        recipe: Recipe of the nearest asset.
        nearest: Distance of the best seed that was tried first.
        distance: Distance of the asset in the target's unit: root mean square over all features.
        explained: Share of the squared distance between the file and the model's average asset that the result
            removes, 0 to 1.
        shares: Shares of what else the result meets, 0 to 1, by name; see Target.shares.
    """

    recipe: Recipe
    nearest: float
    distance: float
    explained: float
    shares: Mapping[str, float]


class InversionSearch:
    """Search for the recipe whose asset comes nearest to a target.

    Args:
        model: Opened.
        spec: Its plugin.
        target: The file to approximate.
        progress: Called with the current stage and the smallest distance so far.
        deadline: Time of time.monotonic after which no step starts.
    """

    def __init__(
        self, model: Model, spec: GeneratorSpec, target: Target, progress: Callable[[str, float], None], deadline: float
    ) -> None:
        self.model, self.spec, self.target = model, spec, target
        self.progress, self.deadline = progress, deadline
        self.prior = POSITION_PRIOR if target.exact else APPEARANCE_PRIOR
        self.unit = 1 / np.sqrt(len(target.reference))

    def features(self, recipes: Sequence[Recipe]) -> FloatArray:
        """Make the assets of recipes and return their features (n, k), which the target compares."""
        parts = []
        for start in range(0, len(recipes), BATCH_SIZE):
            assets = make_assets(self.model, self.spec, recipes[start : start + BATCH_SIZE])
            parts.append(compare_with_target(self.spec, self.target, assets))
        return np.concatenate(parts)

    def begin(self, recipes: Iterator[Recipe]) -> tuple[Recipe, float, FloatArray]:
        """Try recipes until the deadline.

        Returns:
            The nearest recipe, its distance, and the mean features of all that were tried.
        """
        total, count = np.zeros(len(self.target.reference)), 0
        nearest: Recipe | None = None
        least = np.inf
        while (part := list(islice(recipes, BATCH_SIZE))) and (time.monotonic() < self.deadline or nearest is None):
            features = self.features(part)
            if features.shape[1] != len(total):
                raise InputError("this file can't be compared with the model's assets; it shows another kind of thing.")
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
        """Return the root mean square distances (n,) of features (n, k) to the target."""
        return self.unit * np.linalg.norm(features - self.target.reference, axis=1)

    def descend(self, recipe: Recipe, moves: Moves, stage: str) -> Recipe:
        """Move a recipe step by step as long as it comes nearer to the target."""
        features = self.features([recipe])[0]
        best = float(self.distances(features[None])[0])
        while time.monotonic() < self.deadline:
            self.progress(stage, best)
            steps = np.eye(moves.count) * STEP
            slopes = (self.features([moves.move(recipe, step) for step in steps]) - features).T / STEP
            tried = [moves.move(recipe, step) for step in self.steps(slopes, features, moves.position(recipe))]
            made = self.features(tried)
            distances = self.distances(made)
            k = int(distances.argmin())
            if distances[k] >= best * (1 - MIN_GAIN):
                break
            recipe, features, best = tried[k], made[k], float(distances[k])
        return recipe

    def steps(self, slopes: FloatArray, features: FloatArray, position: FloatArray) -> list[FloatArray]:
        """Return steps (m,) to try: a full and a half one for each damping.

        They reduce the mean square distance plus the weighted latent prior.

        Args:
            slopes: (k, m) derivatives of the features.
            features: (k,) of the current recipe.
            position: (m,) of the current recipe, see Moves.position.
        """
        k = len(features)
        square = slopes.T @ slopes / k
        prior = self.prior * float(np.trace(square)) / len(square)
        downhill = slopes.T @ (self.target.reference - features) / k - prior * position
        mean = float(np.trace(square)) / len(square)
        full_steps = [
            np.linalg.solve(square + (prior + damping * mean + 1e-12) * np.eye(len(square)), downhill)
            for damping in DAMPINGS
        ]
        return [share * step for step in full_steps for share in (1.0, 0.5)]


class Moves:
    """Directions to move a recipe in, each about one standard deviation long.

    Attributes:
        count: Number of directions.
    """

    count: int

    def move(self, recipe: Recipe, step: FloatArray) -> Recipe:
        """Move a recipe by a step (count,)."""
        raise NotImplementedError

    def position(self, recipe: Recipe) -> FloatArray:
        """Return how far a recipe is from the most likely one, (count,)."""
        raise NotImplementedError


class LatentMoves(Moves):
    """Moves the latent and the numeric sliders that are not fixed.

    Args:
        model: Model of the recipes.
        fixed: Names of columns that stay.
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

    def move(self, recipe: Recipe, step: FloatArray) -> Recipe:
        """Move a recipe by a step (count,)."""
        z = np.clip(unpack_floats(recipe.z or "") + step[: self.manifest.z_dim], -MAX_DEVIATION, MAX_DEVIATION)
        row = recipe.row.astype(np.float64)
        row[self.free] += step[self.manifest.z_dim :] * self.spread[self.free]
        row[self.free] = np.clip(row, self.low, self.high)[self.free]
        condition = condition_of(self.manifest, row.astype(np.float32).round(5))
        return recipe.changed(z=pack_floats(z.astype(np.float32)), condition=condition)

    def position(self, recipe: Recipe) -> FloatArray:
        """Return how far a recipe is from the most likely one, (count,)."""
        row = (recipe.row - self.mean) / self.spread
        return np.concatenate([unpack_floats(recipe.z or ""), row[self.free]])


class OffsetMoves(Moves):
    """Moves the offset of each layer along the principal axes of w.

    Args:
        model: Model of the recipes.
        recipe: The recipe whose conditions w is sampled under.
    """

    def __init__(self, model: Model, recipe: Recipe) -> None:
        manifest = model.manifest
        self.manifest = manifest
        z = np.stack([latent(seed, manifest.z_dim) for seed in range(1, W_SAMPLES + 1)])
        w = model.w(z, np.repeat(recipe.row[None], len(z), 0)).astype(np.float64)
        _, sizes, axes = np.linalg.svd(w - w.mean(0), full_matrices=False)
        kept = min(MAX_AXES, manifest.w_dim)
        self.axes = axes[:kept] * (sizes[:kept, None] / np.sqrt(len(w)))
        self.count = manifest.layers * kept

    def move(self, recipe: Recipe, step: FloatArray) -> Recipe:
        """Move a recipe by a step (count,)."""
        offset = recipe_offset(self.manifest, recipe) + step.reshape(self.manifest.layers, -1) @ self.axes
        return recipe.changed(w_offset=pack_offset(offset.astype(np.float32)))

    def position(self, recipe: Recipe) -> FloatArray:
        """Return how far a recipe is from the most likely one, (count,)."""
        squares = np.maximum((self.axes**2).sum(1), 1e-12)
        return ((recipe_offset(self.manifest, recipe) @ self.axes.T) / squares).ravel()


def known_values(manifest: Manifest, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of conditions and choices that a model has; its data may have given it others."""
    choices = {condition.name: set(condition.choices) for condition in manifest.conditions}
    return {
        name: value
        for name, value in values.items()
        if name in choices and (not isinstance(value, Mapping) or choices[name].issuperset(value))
    }


def invert(
    model: Model,
    spec: GeneratorSpec,
    target: Target,
    request: ResolvedRequest,
    seeds: int,
    seconds: float,
    progress: Callable[[str, float], None] = ignore,
) -> Inversion:
    """Find the recipe of a model whose asset comes nearest to a target.

    Args:
        model: Opened and checked.
        spec: Its plugin.
        target: The file to approximate.
        request: Values to keep; its conditions override those of the target, and the result has its size.
        seeds: Number of seeds to try first, as far as there is time.
        seconds: Seconds after which no step starts.
        progress: Receives the current stage and the smallest distance so far.

    Raises:
        InputError: The target can't be compared with what the model makes.
    """
    search = InversionSearch(model, spec, target, progress, time.monotonic() + seconds)
    final = replace(request, settings={**request.settings, **target.settings})
    conditions = {**known_values(model.manifest, target.conditions), **request.conditions}
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
    shares = {}
    if target.shares is not None:
        (asset,) = make_assets(model, spec, [found])
        shares = measure_target_shares(spec, target, asset)
    return Inversion(recipe, least, distance, max(0.0, 1 - (distance / max(average, 1e-12)) ** 2), shares)
