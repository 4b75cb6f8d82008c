"""The contract of a generator plugin. Importing this needs the standard library alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from .conditions import Condition
from .errors import InputError
from .functions import FunctionField
from .outputs import Output

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from .assets import Option
    from .data import TrainingData
    from .manifest import Manifest, NoiseInfo
    from .provenance import Provenance

API_VERSION = 1
CHOOSING = 16  # latents that choose among a linear model's clusters
OBJECTIVES = ("rpgan", "minimax", "nonsaturating")  # see ganassets.training.loss
PRECISIONS = ("auto", "float32", "bfloat16")  # see ganassets.training.hardware

# Annotations are evaluated by type checkers only: numpy and Pillow are not imported to list plugins.
FloatArray: TypeAlias = "NDArray[np.float32]"
Arrays: TypeAlias = "Mapping[str, NDArray[np.float32]]"
Report = Callable[[int, int], None]
Settings = Mapping[str, Any]  # bool, int, float or str, as each Option says
# Assets of a plugin's own kind need no base class.
Assets = Sequence[Any]
# The plugin's torch modules and what the core hands to them: torch is not known here.
Domain = Any
LinearFit = Any
NetworkSettings = Any
Networks = tuple[Any, Any]

DatasetFunction: TypeAlias = "Callable[[Preset, Mapping[str, Any], int, Report], TrainingData]"
DecodeFunction: TypeAlias = "Callable[[Arrays, Manifest, Sequence[str], Sequence[Provenance], Settings], Assets]"
NoiseMap: TypeAlias = "Callable[[int, FloatArray, tuple[int, ...]], FloatArray]"
# The same, or with the arrays of a model file as a fourth argument.
NoiseFunction: TypeAlias = "Callable[..., FloatArray]"
MapSizeFunction: TypeAlias = "Callable[[Settings, FloatArray, NoiseInfo], tuple[int, ...]]"
SnapshotFunction: TypeAlias = "Callable[[Arrays, FloatArray], Image]"
FeaturesFunction: TypeAlias = "Callable[[Arrays, FloatArray], NDArray[np.floating[Any]]]"
TargetFunction: TypeAlias = "Callable[[Path], Target]"
BaselinesFunction: TypeAlias = "Callable[[Preset, Mapping[str, Any], int], Mapping[str, TrainingData]]"


@dataclass(frozen=True)
class Preset:
    """Sizes and lengths of a training run. Schedules are fractions of the run, so they need no numbers here.

    Attributes:
        name: "quick".
        summary: One line: what to expect.
        size: Samples along every axis of the output (texels, frames).
        network_size: Samples along every axis in the adversarial networks; the linear model adds the rest.
        kimg: Length of the training in thousands of images.
        components: Principal components of each signal in the linear model; 0 for no linear model.
        basis_size: Samples along every axis of these components; 0 for the output's size.
        clusters: Number of clusters of the linear model's samples; 0 for a single Gaussian.
        width: Channels at full network_size; doubled at each halving of the size up to max_width.
        max_width: Largest number of channels.
        z_dim: Size of the latent z.
        w_dim: Size of the latent w.
        samples: Number of training samples to prepare where the source is endless.
        batch: Images per step.
        gamma: Gradient penalty weight at the start; falls tenfold.
        learning_rate: Learning rate of both networks at the start; falls to a quarter.
        penalty_interval: Steps between gradient penalties (their weight is scaled up by it).
        objective: One of OBJECTIVES.
        regression: Share of the run, 0 to 1, in which the generator alone learns to reproduce samples of known latents;
            1 for a run without a discriminator.
        regression_weight: Weight of the same distance in the adversarial rest of the run.
        regression_rate: Learning rate of the regression; falls to a tenth.
        feature_weight: Weight of the distance of pretrained features, where the generator reproduces samples.
        matching_weight: Weight of the distance between the distributions of pretrained features, where it makes new
            ones.
        paired: Share of the adversarial steps, 0 to 1, that compare samples of known latents with fakes of these.
        augmentation: Largest share of samples, 0 to 1, that are augmented for the discriminator; 0 for never.
        codes: Most samples that get a learned code each, from which a generator of their own kind mixes new samples; 0
            for generators without codes. Such a run learns through the features of a pretrained network: it
            reproduces the samples with codes, and after the share `regression` it also matches mixtures to the data.
        adversarial_weight: With codes: weight of the adversarial loss.

    >>> quick = Preset("quick", "Some minutes.", size=64, network_size=64, kimg=20)
    >>> quick.batch, quick.objective
    (16, 'rpgan')
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
    feature_weight: float = 0.0
    matching_weight: float = 0.0
    paired: float = 1.0
    augmentation: float = 0.0
    codes: int = 0
    adversarial_weight: float = 0.0


@dataclass(frozen=True)
class DataOption:
    """An option of `ganassets train NAME` for the plugin's dataset (a folder or file).

    Attributes:
        name: Option name without dashes, "data".
        help: One line for --help.

    >>> DataOption("data", "Folder or zip of material sets.").name
    'data'
    """

    name: str
    help: str


@dataclass(frozen=True, eq=False)
class Target:
    """A file that `ganassets invert` approximates with a model.

    Attributes:
        features: Function of assets that returns the (n, k) numbers to compare.
        reference: (k,) numbers of the file.
        unit: Unit of the numbers, for people.
        conditions: Values of sliders that the file determines, by name (see ganassets.inference.conditions).
        settings: Values of the plugin's settings that the file determines, such as its length, by name.
        draft: Settings during the comparison; the result is made without them.
        size: Samples along each axis during the comparison; size-free models only.
        shares: Function of one asset that returns shares from 0 to 1 of what else it meets of the file, by name, such
            as "structure"; None for none.
        exact: Whether features compare places, so that each layer may be changed on its own. Features that compare
            only the overall look would be met by another look that way.
        note: Hint for the user about the file, such as that only its first clip counts; "" for none.

    >>> import numpy as np
    >>> def brightness(pictures):
    ...     return np.array([[picture.pixels.mean() / 255] for picture in pictures])
    >>> target = Target(brightness, np.array([0.5]), "grey level")
    >>> target.unit, target.exact
    ('grey level', True)
    """

    features: Callable[[Assets], NDArray[np.floating[Any]]]
    reference: NDArray[np.floating[Any]]
    unit: str
    conditions: Mapping[str, Any] = field(default_factory=dict[str, Any])
    settings: Settings = field(default_factory=dict[str, Any])
    draft: Settings = field(default_factory=dict[str, Any])
    size: tuple[int, ...] | None = None
    exact: bool = True
    note: str = ""
    shares: Callable[[Any], Mapping[str, float]] | None = None


@dataclass(frozen=True)
class GeneratorSpec:
    """A generator (entry-point group `ganassets.generators`).

    Each function is a callable or a path, "package.module:function". The module of a path is imported at the first
    call, which keeps listing plugins quick. Functions are called with positional arguments.

    Attributes:
        name: Name on the command line, "faces".
        summary: One line.
        version: Version of the plugin, "0.1.0".
        api_version: The API_VERSION that the plugin was written for.
        asset_kind: Kind of the assets that decode returns, "mesh".
        outputs: Outputs of the model file.
        conditions: Sliders and categories.
        wraps: For each axis of the signals (time; or height and width), whether it wraps.
        presets: Sizes of training; the first is the default.
        dataset: (preset, options by name, seed, report) -> training samples; calls report(done, total).
        domain: (preset, LinearFit of the data) -> torch module that turns raw samples into the outputs and into what
            the discriminator sees (see Domain in ganassets.training.networks).
        decode: (arrays by output name, manifest, names, provenances, settings by name) -> one asset for each name.
            Must not import torch.
        preview: assets -> one PIL image of them all.
        data_options: Options of the dataset.
        animation: assets -> an animated WebP of the first ones, or None if no asset moves.
        static_digests: () -> SHA-256 in hex of the package data that a model file depends on, by name.
        noise: (seed, (c,) physical conditions, size of each axis) -> (channels, *size) float32 noise map that a
            size-free generator starts from; it wraps where the axes do. For a model that carries arrays (see
            Domain.model_arrays in ganassets.training.networks) they are a fourth argument, by name. None for standard
            normals. Must not import torch.
        settings: Options of `generate` beside the sliders, such as the length of a clip.
        map_size: (settings by name, (c,) physical conditions, NoiseInfo) -> size of the noise map of a size-free
            generator. None where the user gives the size.
        snapshot: (arrays by output name, (n, c) physical conditions) -> PIL image of samples during training. None
            shows the first colour picture among the outputs, if there is one.
        features: (arrays by output name, (n, c) physical conditions) -> (n, k) numbers that `ganassets evaluate`
            compares; None compares the outputs. Samples of data that don't tile are windows. Must not import torch.
        networks: (preset, domain, NetworkSettings) -> generator and discriminator (see BaseGenerator and PlainGenerator
            in ganassets.training.networks); None for those of the core.
        measures: assets -> further numbers for `ganassets evaluate`, by name; None for none.
        baselines: (preset, options by name, seed) -> samples like those of the dataset, preset.samples of each, by
            the name of a method other than the model, which `ganassets evaluate` measures beside it; None for none.
        target: path of a file -> Target for `ganassets invert`; None where no file can be one.
        exporter: Name of the default format.
        data_preset: Name of the default preset with data of the user's own; "" for the first of `presets`.

    >>> spec = GeneratorSpec(
    ...     name="planks", summary="Wooden planks.", version="1.0", api_version=API_VERSION, asset_kind="mesh",
    ...     outputs=(Output("albedo", ("channel", "height", "width"), "sRGB", 0.0, 1.0),),
    ...     conditions=(Condition("warmth", "0 is grey wood, 1 is warm wood."),),
    ...     wraps=(True, False),
    ...     presets=(Preset("quick", "Some minutes.", size=32, network_size=32, kimg=4),),
    ...     dataset="planks.dataset:paint_planks", domain="planks.domain:PlanksDomain",
    ...     decode="planks.decode:decode_planks", preview="planks.preview:contact_sheet",
    ... )
    >>> spec.preset("quick").size, spec.condition_width
    (32, 1)
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
    dataset: FunctionField[DatasetFunction] = FunctionField()
    domain: FunctionField[Callable[[Preset, LinearFit], Domain]] = FunctionField()
    decode: FunctionField[DecodeFunction] = FunctionField()
    preview: FunctionField[Callable[[Assets], Image]] = FunctionField()
    data_options: tuple[DataOption, ...] = ()
    animation: FunctionField[Callable[[Assets], bytes | None] | None] = FunctionField(None)
    static_digests: FunctionField[Callable[[], dict[str, str]]] = FunctionField(dict)
    noise: FunctionField[NoiseFunction | None] = FunctionField(None)
    settings: tuple[Option, ...] = ()
    map_size: FunctionField[MapSizeFunction | None] = FunctionField(None)
    snapshot: FunctionField[SnapshotFunction | None] = FunctionField(None)
    features: FunctionField[FeaturesFunction | None] = FunctionField(None)
    networks: FunctionField[Callable[[Preset, Domain, NetworkSettings], Networks] | None] = FunctionField(None)
    measures: FunctionField[Callable[[Assets], Mapping[str, float]] | None] = FunctionField(None)
    baselines: FunctionField[BaselinesFunction | None] = FunctionField(None)
    target: FunctionField[TargetFunction | None] = FunctionField(None)
    exporter: str = "gltf"
    data_preset: str = ""

    def preset(self, name: str) -> Preset:
        """Return the preset of that name.

        Raises:
            InputError: There is none; the message lists all.
        """
        for preset in self.presets:
            if preset.name == name:
                return preset
        known = ", ".join(p.name for p in self.presets)
        raise InputError(f"{self.name} has no preset {name!r}; choose one of {known}.")

    @property
    def folder_option(self) -> str | None:
        """Name of the data option that takes a folder to learn from; None without one."""
        names = [option.name for option in self.data_options]
        return "data" if "data" in names else next(iter(names), None)

    @property
    def condition_width(self) -> int:
        """Number of columns of the model's `condition` input."""
        return sum(condition.width for condition in self.conditions)


def with_overrides(preset: Preset, **changes: Any) -> Preset:
    """Return a preset with the given fields replaced; None leaves a field as it is.

    >>> with_overrides(Preset("quick", "At once.", 4, 4, 1.0), kimg=3.0, batch=None).kimg
    3.0
    """
    return replace(preset, **{k: v for k, v in changes.items() if v is not None})
