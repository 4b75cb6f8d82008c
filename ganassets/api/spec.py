"""What a generator plugin promises. Importing this needs the standard library alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from PIL.Image import Image

    from .assets import Asset, Option
    from .data import TrainingData
    from .manifest import Manifest, NoiseInfo

API_VERSION = 1
CHOOSING = 16  # latents that choose among a linear model's clusters
OBJECTIVES = ("rpgan", "minimax", "nonsaturating")  # see ganassets.training.loss
PRECISIONS = ("auto", "float32", "bfloat16")  # see ganassets.training.hardware

NoiseMap = Callable[[int, "np.ndarray", tuple[int, ...]], "np.ndarray"]


@dataclass(frozen=True)
class Output:
    """One output of the model file.

    Attributes:
        name: as in the ONNX graph.
        axes: meaning of each axis after the batch, ("channel", "height", "width") or ("vertex", "xyz").
        unit: "m", "sRGB", "linear", ...
        low, high: range that values keep to, or None where there is no bound.
    """

    name: str
    axes: tuple[str, ...]
    unit: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Condition:
    """A named slider, or a choice among categories; a category may also be a mix ("asian:0.5,african:0.5").

    Attributes:
        name: as the user writes it.
        help: one line: what it does.
        low, high: range of a slider; unused by categories.
        unit: of a slider's values, "years", or "".
        choices: names of the categories; empty for a slider.
        switch: of a slider from 0 to 1 that the data have at its ends alone: the user says yes or no.
    """

    name: str
    help: str
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    choices: tuple[str, ...] = ()
    switch: bool = False

    @property
    def width(self) -> int:
        """Columns it takes in the `condition` input: 1, or one per category."""
        return len(self.choices) or 1

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its columns: ("age",) or ("ancestry:african", ...)."""
        return tuple(f"{self.name}:{choice}" for choice in self.choices) or (self.name,)


@dataclass(frozen=True)
class Preset:
    """Sizes and lengths of a training run. Schedules are fractions of the run, so they need no numbers here.

    Attributes:
        name: "quick".
        summary: one line with what to expect.
        size: samples of every axis of the output (texels, frames).
        network_size: samples of every axis that the adversarial networks work at; the linear model adds the rest.
        components: principal components of each signal that the linear model starts from; 0 for no linear model.
        basis_size: samples of every axis of these components; 0 for the output's size.
        clusters: groups that the linear model's samples fall into; 0 for a single Gaussian.
        width: channels at full network_size; doubled at each halving of the size up to max_width.
        max_width: most channels.
        z_dim, w_dim: latent sizes.
        samples: training samples to prepare where the source is endless.
        kimg: thousand images to train for.
        batch: images a step.
        gamma: gradient penalty weight at the start; falls tenfold.
        learning_rate: of both networks at the start; falls to a quarter.
        penalty_interval: steps between gradient penalties (their weight is scaled up by it).
        objective: one of OBJECTIVES.
        regression: share of the run in which the generator alone learns, to reproduce samples whose latents are known.
        regression_weight: of the same distance in the adversarial rest of the run.
        regression_rate: learning rate of that part; falls to a tenth.
        paired: share of the adversarial steps in which samples whose latents are known meet fakes of these latents.
        augmentation: most that what the discriminator sees may be changed, as a share of the samples; 0 for never.
    """

    name: str
    summary: str
    size: int
    network_size: int
    kimg: float
    components: int = 0
    basis_size: int = 0
    clusters: int = 0
    width: int = 32
    max_width: int = 128
    z_dim: int = 64
    w_dim: int = 96
    samples: int = 4096
    batch: int = 16
    gamma: float = 1.0
    learning_rate: float = 1e-3
    penalty_interval: int = 4
    objective: str = "rpgan"
    regression: float = 0.0
    regression_weight: float = 0.0
    regression_rate: float = 1.5e-3
    paired: float = 1.0
    augmentation: float = 0.0


@dataclass(frozen=True)
class DataOption:
    """An option of `ganassets train NAME` that the plugin's dataset understands (a folder or file)."""

    name: str
    help: str


@dataclass(frozen=True, eq=False)
class Target:
    """A file as something that a model is to come near to.

    Attributes:
        features: assets -> (n, k) numbers that are compared.
        wanted: (k,) those of the file.
        unit: of the numbers, for people.
        wishes: sliders that the file tells, by name (see ganassets.inference.conditions.ConditionValue).
        settings: of the plugin that the file tells, such as its length, by name.
        draft: settings while it is compared, which what is found doesn't keep.
        size: of size-free models, samples along each axis while it is compared.
        exact: whether places are compared, so that each layer may be moved by itself; where only the look is, that
            would meet the numbers with another look.
        note: what the user should know about the file, such as that only its first clip counts; "" for nothing.
    """

    features: Callable[[Sequence[Any]], np.ndarray]
    wanted: np.ndarray
    unit: str
    wishes: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    draft: Mapping[str, Any] = field(default_factory=dict)
    size: tuple[int, ...] | None = None
    exact: bool = True
    note: str = ""


@dataclass(frozen=True)
class GeneratorSpec:
    """A generator (entry-point group `ganassets.generators`).

    Functions import what they need when they are called, so that listing plugins stays quick.

    Attributes:
        name: what the user types, "faces".
        summary: one line.
        version: the plugin's.
        api_version: the API_VERSION it was written for.
        asset_kind: kind of the assets that decode makes, "mesh".
        outputs: of the model file.
        conditions: sliders and categories.
        wraps: for each axis of the signals (time; or height and width), whether it wraps.
        presets: the first is the default.
        data_options: options its dataset takes.
        dataset: (preset, options by name, seed, report) -> samples to train on; it calls report(done, total).
        domain: (preset, LinearFit of the data) -> the plugin's torch module: what the networks make, how it becomes the
            outputs, what the discriminator sees (see Domain in ganassets.training.networks).
        networks: (preset, domain, NetworkSettings) -> generator and discriminator of the plugin's own (see
            BaseGenerator in ganassets.training.networks, and PlainGenerator for one without styles); None for the
            core's.
        decode: (arrays by output name, manifest, one name and one provenance for each, settings by name) -> assets. No
            torch.
        preview: assets -> one picture of them all.
        animation: assets that move -> an animated WebP of the first of them, or None where none moves.
        static_digests: digests of package data that a model file depends on, by name.
        noise: of a size-free generator, one whose domain has no size: (seed, (c,) physical conditions, size of each
            axis) -> (channels, *size) float32 noise map that the synthesis starts from, wrapping where the axes do.
            None for plain normals. No torch.
        settings: what a user may ask for beside the sliders, such as how long a clip lasts.
        map_size: of a size-free generator whose settings and conditions say the size: (settings by name, (c,) physical
            conditions, what the manifest says of the noise map) -> size of the noise map. None: the user gives a size.
        snapshot: (arrays by output name, (n, c) physical conditions) -> picture of samples in training; None shows the
            first colour picture among the outputs, if there is one.
        features: (arrays by output name, (n, c) physical conditions) -> (n, k) what the samples of a comparison are
            compared by in place of the outputs; None compares these. Of data that doesn't tile, samples are windows. No
            torch.
        measures: assets -> what else `ganassets evaluate` tells of them, numbers by name; None where there is nothing.
        target: path of a file -> the Target that it is for `ganassets invert`; None where no file can be one.
        exporter: name of the format to write where the user names none.
    """

    name: str
    summary: str
    version: str
    api_version: int
    asset_kind: str
    outputs: tuple[Output, ...]
    conditions: tuple[Condition, ...]
    wraps: tuple[bool, ...]
    presets: tuple[Preset, ...]
    dataset: Callable[[Preset, Mapping[str, Any], int, Callable[[int, int], None]], TrainingData]
    domain: Callable[[Preset, Any], Any]
    decode: Callable[[Mapping[str, np.ndarray], Manifest, Sequence[str], Sequence[Any], Mapping[str, Any]], list[Asset]]
    preview: Callable[[Sequence[Any]], Image]
    data_options: tuple[DataOption, ...] = ()
    animation: Callable[[Sequence[Any]], bytes | None] | None = None
    static_digests: Callable[[], dict[str, str]] = field(default=dict)
    noise: NoiseMap | None = None
    settings: tuple[Option, ...] = ()
    map_size: Callable[[Mapping[str, Any], np.ndarray, NoiseInfo], tuple[int, ...]] | None = None
    snapshot: Callable[[Mapping[str, np.ndarray], np.ndarray], Image] | None = None
    features: Callable[[Mapping[str, np.ndarray], np.ndarray], np.ndarray] | None = None
    networks: Callable[[Preset, Any, Any], tuple[Any, Any]] | None = None
    measures: Callable[[Sequence[Any]], Mapping[str, float]] | None = None
    target: Callable[[Path], Target] | None = None
    exporter: str = "gltf"

    def preset(self, name: str) -> Preset:
        """The preset of that name; InputError names those there are."""
        for preset in self.presets:
            if preset.name == name:
                return preset
        known = ", ".join(p.name for p in self.presets)
        raise InputError(f"{self.name} has no preset {name!r}; choose one of {known}.")

    @property
    def folder_option(self) -> str | None:
        """Name of the data option that takes a folder to learn from; None where there is none."""
        names = [option.name for option in self.data_options]
        return "data" if "data" in names else next(iter(names), None)

    @property
    def condition_width(self) -> int:
        """Columns of the `condition` input."""
        return sum(condition.width for condition in self.conditions)


def with_overrides(preset: Preset, **changes: Any) -> Preset:
    """A preset with the given fields replaced; None leaves a field as it is."""
    return replace(preset, **{k: v for k, v in changes.items() if v is not None})
