"""From seeds and wishes to assets: latents, likely conditions, the network, the plugin's decoder."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import __version__
from .assets import Asset, Provenance
from .errors import InputError
from .latents import MAX_SEED, condition_row, latent, noise_map
from .manifest import ConditionInfo, Manifest
from .model import noise_axes
from .plugins import nearest, run_plugin
from .windows import run_in_windows

if TYPE_CHECKING:
    from .model import Model
    from .spec import GeneratorSpec

MAX_SEEDS = 1_000_000
DEFAULT_TRUNCATION = 0.85
# Of size-free models.
DEFAULT_SIZES = 4  # training sizes that the default size has
MOST_TEXELS = 16 * 2**20
TEXELS_AT_ONCE = 2**20  # more take too much memory
WINDOW = 1024

# A slider's value, or the shares of a category's choices.
Wish = float | Mapping[str, float]


@dataclass(frozen=True)
class Request:
    """What to generate.

    Attributes:
        seeds: one asset each.
        truncation: 0 (all alike) to 1 (the data's whole variety).
        wishes: by condition name: a slider's value, or shares of a category's choices (scaled to a sum of 1).
            Conditions without a wish are drawn from likely combinations by the seed.
        batch: assets that run through the network at once; no asset depends on it.
        size: of size-free models whose plugin doesn't choose it: samples along each axis (rows, columns); None for four
            times that of training.
        crop: a size that is no multiple of the model's stride is cut from the next larger one.
        window: of size-free models: samples of an axis to compute at once; None chooses by the size.
        settings: of the plugin, all of them, by name.
        morph: two seeds to go from and to in `steps` steps, in place of seeds.
        steps: of the morph, both ends included.
    """

    seeds: Sequence[int]
    truncation: float = DEFAULT_TRUNCATION
    wishes: Mapping[str, Wish] = field(default_factory=dict)
    batch: int = 8
    size: tuple[int, ...] | None = None
    crop: bool = False
    window: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    morph: tuple[int, int] | None = None
    steps: int = 8

    def __post_init__(self) -> None:
        if self.window is not None and self.window < 1:
            raise InputError(f"a window of {self.window} samples is not possible.")
        if self.morph is not None and self.steps < 2:
            raise InputError("a morph has at least two steps.")
        if not 0.0 <= self.truncation <= 1.0:
            raise InputError(f"truncation {self.truncation:g} is outside 0..1.")
        if self.batch < 1:
            raise InputError(f"a batch of {self.batch} is not possible; use 1 or more.")


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds of "7", "1-200" or "1,5,9-12", each once, in the order written; InputError says what is wrong."""
    ranges = [_seed_range(part.strip()) for part in text.split(",")]
    if sum(last - first + 1 for first, last in ranges) > MAX_SEEDS:
        raise InputError(f"seeds {text!r} are more than {MAX_SEEDS:,}; ask for fewer at a time.")
    return tuple(dict.fromkeys(seed for first, last in ranges for seed in range(first, last + 1)))


def _seed_range(part: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,19})(?:-([0-9]{1,19}))?", part)
    if not match:
        raise InputError(f"seeds {part!r} make no sense; write 7, 1-200 or 1,5,9-12 (whole numbers from 0).")
    first, last = int(match[1]), int(match[2] or match[1])
    if first > last:
        raise InputError(f"seeds {part!r} run backwards; write {last}-{first}.")
    if last > MAX_SEED:
        raise InputError(f"seed {last} is larger than {MAX_SEED}.")
    return first, last


def asset_name(generator: str, seed: int) -> str:
    """Name of a seed's asset and the stem of its files, "faces-00000007"."""
    return f"{generator}-{seed:08d}"


def wanted_row(conditions: Sequence[ConditionInfo], wishes: Mapping[str, Wish]) -> NDArray[np.float32]:
    """(c,) float32 the wishes as a row of the `condition` input, NaN where there is none.

    Raises:
        InputError: a name or choice is unknown, or a value is out of range.
    """
    known = {condition.name: condition for condition in conditions}
    for name in wishes:
        if name not in known:
            raise InputError(f"there is no slider {name!r}; {nearest(name, list(known))}")
    parts = [
        _wanted_columns(condition, wishes[name]) if name in wishes else [np.nan] * condition.width
        for name, condition in known.items()
    ]
    return np.array([value for part in parts for value in part], np.float32)


def check_learnt(manifest: Manifest, wishes: Mapping[str, Wish]) -> None:
    """InputError where choices and switches are wished for that no sample of the model's data had, or none together."""
    start = 0
    wished: list[list[tuple[str, int, float]]] = []  # of each condition: what is wished, its column and value there
    for condition in manifest.conditions:
        columns = manifest.rows[:, start : start + condition.width]
        wish = wishes.get(condition.name)
        if isinstance(wish, Mapping):
            chosen = [i for i, choice in enumerate(condition.choices) if wish.get(choice, 0) > 0]
            known = [choice for i, choice in enumerate(condition.choices) if (columns[:, i] > 0).any()]
            for choice in (condition.choices[i] for i in chosen):
                if choice not in known:
                    raise InputError(
                        f"this model has not learnt {condition.name} {choice}; it knows {', '.join(known)}."
                    )
            if np.isin(columns, (0, 1)).all():  # what is mixed in the data goes with anything
                wished.append([(f"{condition.name} {condition.choices[i]}", start + i, 1.0) for i in chosen])
        elif condition.switch and wish is not None:
            wished.append([(condition.name if wish else f"no-{condition.name}", start, float(wish))])
        start += condition.width
    for together in itertools.product(*wished):
        if not np.all([manifest.rows[:, column] == value for _, column, value in together], axis=0).any():
            names = " with ".join(name for name, _, _ in together)
            raise InputError(f"this model has not learnt {names}; leave one of them out.")


def _wanted_columns(condition: ConditionInfo, wish: Wish) -> list[float]:
    """Values of one condition's columns."""
    if isinstance(wish, Mapping) != bool(condition.choices):
        kind = f"one of {', '.join(condition.choices)}" if condition.choices else "a number"
        raise InputError(f"{condition.name} takes {kind}.")
    if not isinstance(wish, Mapping):
        if not condition.low <= wish <= condition.high:
            unit = f" {condition.unit}" if condition.unit else ""
            raise InputError(f"{condition.name} {wish:g} is outside {condition.low:g}..{condition.high:g}{unit}.")
        return [float(wish)]
    for choice, share in wish.items():
        if choice not in condition.choices:
            raise InputError(f"{condition.name} has no {choice!r}; {nearest(choice, list(condition.choices))}")
        if not 0 <= share < np.inf:
            raise InputError(f"{condition.name}: the share of {choice} must be a positive number, not {share:g}.")
    total = sum(wish.values())
    if not total > 0:
        raise InputError(f"{condition.name}: at least one share must be above 0.")
    return [wish.get(choice, 0.0) / total for choice in condition.choices]


def condition_matrix(manifest: Manifest, seeds: Sequence[int], wanted: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, c) float32 physical values: for each seed a likely combination that keeps to the wishes."""
    return np.stack([condition_row(seed, manifest.rows, wanted) for seed in seeds])


def generate(model: Model, spec: GeneratorSpec, request: Request) -> Iterator[list[Asset]]:
    """Assets batch by batch, in the order of the request; wishes and size are checked before the first.

    Args:
        model: opened and checked against spec.
        spec: the plugin that decodes.
        request: what to make.
    """
    wanted = wanted_row(model.manifest.conditions, request.wishes)
    check_learnt(model.manifest, request.wishes)
    size = map_size(model.manifest, spec, request)
    batch = request.batch if size is None else max(1, min(request.batch, TEXELS_AT_ONCE // int(np.prod(size))))
    samples = samples_of(request, model.manifest.generator)
    return (_generate_batch(model, spec, request, part, wanted, size) for part in _batches(samples, batch))


@dataclass(frozen=True)
class Sample:
    """One asset to make: a seed, or a place between two.

    Attributes:
        name: of the asset.
        seed: the (first) seed.
        morph: the second seed and how far it is on the way there, 0 to 1; None for a seed alone.
    """

    name: str
    seed: int
    morph: tuple[int, float] | None = None


def samples_of(request: Request, generator: str) -> list[Sample]:
    """What a request asks for, in order."""
    if request.morph is None:
        return [Sample(asset_name(generator, seed), seed) for seed in request.seeds]
    first, last = request.morph
    stem = f"{asset_name(generator, first)}-{last:08d}"
    shares = np.linspace(0, 1, request.steps)
    return [Sample(f"{stem}-{i:03d}", first, (last, float(share))) for i, share in enumerate(shares)]


def map_size(manifest: Manifest, spec: GeneratorSpec, request: Request) -> tuple[int, ...] | None:
    """Size of the noise maps; None for a model that has a size of its own, or whose plugin chooses one each.

    Raises:
        InputError: the model makes one size only, or the size is no multiple of its stride and may not be cropped.
    """
    noise, size = manifest.noise, request.size
    if noise is None or spec.map_size:
        if size is not None or request.crop or request.window is not None:
            why = "make one size only" if noise is None else "choose their size themselves"
            raise InputError(f"models of {manifest.generator} {why}; leave out --size, --crop and --window.")
        return None
    if size is None:
        return (DEFAULT_SIZES * noise.size,) * noise_axes(manifest)
    if len(size) != noise_axes(manifest) or min(size) < 1 or np.prod(size, dtype=float) > MOST_TEXELS:
        raise InputError(f"a size of {size_text(size)} is not possible; at most {MOST_TEXELS:,} texels are.")
    rounded = tuple(-(-side // noise.stride) * noise.stride for side in size)
    if rounded != tuple(size) and not request.crop:
        below = tuple(max(side // noise.stride, 1) * noise.stride for side in size)
        nearest_sizes = " or ".join(dict.fromkeys((size_text(below), size_text(rounded))))
        raise InputError(
            f"the size {size_text(size)} is no multiple of {noise.stride}; take {nearest_sizes}, "
            f"or --crop, which cuts {size_text(rounded)} and so loses the tiling."
        )
    return rounded


def size_text(size: Sequence[int]) -> str:
    """ "1024x512", the width first, of a size along rows and columns."""
    return "x".join(str(side) for side in reversed(size))


def _batches(samples: Sequence[Sample], size: int) -> Iterator[list[Sample]]:
    rest = iter(samples)
    while part := list(islice(rest, size)):
        yield part


@dataclass(frozen=True, eq=False)
class Inputs:
    """What one sample goes into the network with: latent, physical conditions, and a noise map where the model is
    size-free."""

    z: NDArray[np.float32]
    condition: NDArray[np.float32]
    noise: NDArray[np.float32] | None


def inputs_of(
    manifest: Manifest, spec: GeneratorSpec, seed: int, wanted: NDArray[np.float32], size: tuple[int, ...] | None
) -> Inputs:
    """The inputs of a seed."""
    return _inputs_for(manifest, spec, seed, condition_matrix(manifest, [seed], wanted)[0], size)


def _inputs_for(
    manifest: Manifest, spec: GeneratorSpec, seed: int, condition: NDArray[np.float32], size: tuple[int, ...] | None
) -> Inputs:
    noise = None
    if size is not None and manifest.noise:
        if spec.noise:
            noise = run_plugin(f"{spec.name}'s noise map", spec.noise, seed, condition, size)
        else:
            noise = noise_map(seed, manifest.noise.channels, size)
    return Inputs(latent(seed, manifest.z_dim), condition, noise)


def morphed(a: Inputs, b: Inputs, share: float) -> Inputs:
    """Inputs on the way from a to b; share 0 is a, 1 is b. What wraps at both ends wraps between them."""
    if share in (0, 1):
        return b if share else a  # to the last bit
    z = slerp(a.z, b.z, share)
    condition = (a.condition + np.float32(share) * (b.condition - a.condition)).astype(np.float32)
    if a.noise is None or b.noise is None:
        return Inputs(z, condition, None)
    return Inputs(z, condition, blended_noise(a.noise, b.noise, share))


def slerp(a: NDArray[np.float32], b: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Spherical interpolation of two vectors (Shoemake 1985, "Animating rotation with quaternion curves")."""
    cosine = float(np.clip(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12), -1, 1))
    angle = np.arccos(cosine)
    if np.sin(angle) < 1e-4:  # one direction, or opposite ones
        return (a + np.float32(share) * (b - a)).astype(np.float32)
    weights = np.sin((1 - share) * angle) / np.sin(angle), np.sin(share * angle) / np.sin(angle)
    return (weights[0] * a + weights[1] * b).astype(np.float32)


def blended_noise(a: NDArray[np.float32], b: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Maps (channels, *size) mixed; each channel's spread goes evenly from the one's to the other's, or sums of
    unrelated noise would be flatter in between."""
    axes = tuple(range(1, a.ndim))
    mixed = (1 - share) * a + share * b
    mean = mixed.mean(axes, keepdims=True)
    spread = (1 - share) * a.std(axes, keepdims=True) + share * b.std(axes, keepdims=True)
    return (mean + (mixed - mean) * (spread / np.maximum(mixed.std(axes, keepdims=True), 1e-6))).astype(np.float32)


def _inputs_of_sample(
    manifest: Manifest,
    spec: GeneratorSpec,
    request: Request,
    sample: Sample,
    wanted: NDArray[np.float32],
    size: tuple[int, ...] | None,
) -> Inputs:
    """Inputs of a seed, or between two: both ends' noise is made for the conditions on the way, so that it fits."""
    seeds = [sample.seed] if sample.morph is None else [sample.seed, sample.morph[0]]
    rows = condition_matrix(manifest, seeds, wanted)
    row = rows[0] if sample.morph is None else _row_between(manifest, rows[0], rows[1], sample.morph[1])
    if spec.map_size and manifest.noise:
        size = run_plugin(f"{spec.name}'s size", spec.map_size, request.settings, row, manifest.noise)
    ends = [_inputs_for(manifest, spec, seed, row, size) for seed in seeds]
    return ends[0] if sample.morph is None else morphed(ends[0], ends[1], sample.morph[1])


def _row_between(
    manifest: Manifest, first: NDArray[np.float32], last: NDArray[np.float32], share: float
) -> NDArray[np.float32]:
    """Conditions on the way from one row to another; switches go over in the middle."""
    row = last if share == 1 else (first + np.float32(share) * (last - first)).astype(np.float32)
    switches = [column for c in manifest.conditions for column in [c.switch] * c.width]
    return np.where(switches, last if share > 0.5 else first, row)


def _run(
    model: Model, inputs: Sequence[Inputs], truncation: float, window: int | None
) -> dict[str, NDArray[np.float32]]:
    """Outputs of the model for inputs of one size, in windows where the maps are large."""
    z, condition = (np.stack([getattr(part, name) for part in inputs]) for name in ("z", "condition"))
    info = model.manifest.noise
    if info is None:
        return model.run(z, condition, truncation)
    noise = np.stack([part.noise for part in inputs if part.noise is not None])
    side = window or (max(noise.shape[2:]) if noise[0, 0].size <= TEXELS_AT_ONCE else WINDOW)
    run = lambda part: model.run(z, condition, truncation, noise=part)  # noqa: E731
    return run_in_windows(run, noise, side, info.stride, info.reach)


def _generate_batch(
    model: Model,
    spec: GeneratorSpec,
    request: Request,
    samples: Sequence[Sample],
    wanted: NDArray[np.float32],
    size: tuple[int, ...] | None,
) -> list[Asset]:
    inputs = [_inputs_of_sample(model.manifest, spec, request, sample, wanted, size) for sample in samples]
    assets: dict[int, Asset] = {}
    for alike in _of_one_size(inputs):
        made = _make(model, spec, request, [samples[i] for i in alike], [inputs[i] for i in alike])
        assets |= dict(zip(alike, made, strict=True))
    in_order = [assets[i] for i in range(len(samples))]
    if request.size is None or tuple(request.size) == size:
        return in_order
    return [asset.cropped(request.size) for asset in in_order]  # pyright: ignore[reportAttributeAccessIssue]


def _of_one_size(inputs: Sequence[Inputs]) -> list[list[int]]:
    """Indices of inputs whose noise maps have one size, which can go through the network together."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for i, part in enumerate(inputs):
        groups.setdefault(() if part.noise is None else part.noise.shape, []).append(i)
    return list(groups.values())


def _make(
    model: Model, spec: GeneratorSpec, request: Request, samples: Sequence[Sample], inputs: Sequence[Inputs]
) -> list[Asset]:
    """Assets of inputs of one size."""
    manifest = model.manifest
    arrays = _run(model, inputs, request.truncation, request.window)
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise InputError(f"{model.path} makes {name} with numbers that are not finite; train it again.")
    columns = [column for c in manifest.conditions for column in c.columns]
    provenances = [
        Provenance(
            generator=f"{manifest.generator} {manifest.generator_version}",
            model_digest=model.digest,
            seed=sample.seed,
            morph=sample.morph,
            truncation=request.truncation,
            sliders={column: float(value) for column, value in zip(columns, part.condition, strict=True)},
            licence=manifest.licence,
            software=f"ganassets {__version__}",
        )
        for sample, part in zip(samples, inputs, strict=True)
    ]
    names = [sample.name for sample in samples]
    decoder = f"{spec.name}'s decoder"
    return run_plugin(decoder, spec.decode, arrays, manifest, names, provenances, request.settings)
