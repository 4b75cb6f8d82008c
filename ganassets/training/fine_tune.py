"""Starting a run from another model's generator: what a model file holds is enough."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from ..api.data import TrainingData
from ..api.errors import InputError
from ..api.manifest import SHARED_KEY
from ..api.spec import Preset
from ..inference.model import check_plugin, open_model, read_model_file
from .initialization import fit_of
from .networks import LinearFit, fit_linear
from .networks.linear import CLUSTER_ARRAYS
from .trainer import Trainer, load_parameters

if TYPE_CHECKING:
    from ..api.spec import GeneratorSpec

LINEAR = "domain.linear."


@dataclass(frozen=True, eq=False)
class Start:
    """Numbers of a model file.

    Attributes:
        path: of the file.
        arrays: by the name that the parameter or buffer has in the generator.
        zeros: names of parameters that are zero, which the file leaves out.
    """

    path: Path
    arrays: dict[str, NDArray]
    zeros: frozenset[str] = frozenset()

    def fit(self, preset: Preset, data: TrainingData, rng: np.random.Generator) -> LinearFit:
        """What the run's networks add to.

        A linear model of the new data, because that takes on their look at once; where they are too few for as many
        components, or the networks have none, what the model's own networks were trained with.

        Raises:
            InputError: the data have other conditions than the model, or the file lacks a part of its linear model.
        """
        own = self.own_fit(data)
        new = fit_of(preset, data, rng)
        alike = own.means and {k: b.shape for k, b in own.bases.items()} == {k: b.shape for k, b in new.bases.items()}
        return new if alike else own

    def own_fit(self, data: TrainingData) -> LinearFit:
        """The model's own linear model and constants; see fit."""
        plain = fit_linear(data, 1, 0, np.random.default_rng(0))
        none = np.zeros(0, np.float32)  # a model without conditions has no use for their statistics
        statistics = {name: self.arrays.get(f"domain.{name}", none) for name in ("condition_mean", "condition_std")}
        if statistics["condition_mean"].shape != plain.condition_mean.shape:
            raise InputError(f"{self.path} was trained with other sliders or labels than these data have.")
        constants = {name: self.arrays.get(f"domain.{name}", value) for name, value in data.constants.items()}
        for name, value in constants.items():
            if value.shape != data.constants[name].shape:
                raise InputError(f"{self.path} was trained on data of another kind ({name}).")
        fit = replace(plain, **statistics, constants={name: as_float32(value) for name, value in constants.items()})
        return fit if f"{LINEAR}offset" not in self.arrays else self.with_linear(fit, data)

    def with_linear(self, fit: LinearFit, data: TrainingData) -> LinearFit:
        """A fit with the model's linear model in it."""
        means = {name: self.linear(f"mean_{name}") for name in data.signals}
        bases = {}
        for name, mean in means.items():
            scaled = self.linear(f"basis_{name}") * self.linear(f"scale_{name}")[:, None]
            size = round((scaled.shape[1] / len(mean)) ** (1 / (mean.ndim - 1)))
            bases[name] = scaled.reshape(-1, len(mean), *[size] * (mean.ndim - 1))
        clusters = CLUSTER_ARRAYS if f"{LINEAR}centres" in self.arrays else ()
        weights = {name: self.linear(name) for name in ("offset", "from_latent", "from_condition", *clusters)}
        if clusters:
            weights["directions"] = weights["directions"].T.copy()
        return replace(fit, means=means, bases=bases, **weights)

    def linear(self, name: str) -> NDArray[np.float32]:
        """A buffer of the linear model; InputError where the file has none of that name."""
        if LINEAR + name not in self.arrays:
            raise InputError(f"{self.path} lacks a part of its linear model ({name}), so no run can start from it.")
        return as_float32(self.arrays[LINEAR + name])

    def load(self, trainer: Trainer) -> None:
        """Give a trainer this model's generator; the discriminator starts anew.

        Raises:
            InputError: the model has other networks than the trainer's preset.
        """
        tensors = {name: torch.from_numpy(as_float32(array)) for name, array in self.arrays.items()}
        for network in (trainer.generator, trainer.average):
            tensors |= {name: torch.zeros_like(p) for name, p in network.named_parameters() if name in self.zeros}
            load_parameters(network, tensors, "", str(self.path))


def as_float32(array: NDArray) -> NDArray[np.float32]:
    """A copy in float32."""
    return np.array(array, np.float32)


def read_start(path: Path, spec: GeneratorSpec) -> Start:
    """The numbers of a model file of this generator; InputError where it is another's or not readable."""
    import onnx
    from onnx import numpy_helper

    model = open_model(path)
    if model.manifest.generator != spec.name:
        raise InputError(f"{path} is a model of {model.manifest.generator}, not of {spec.name}.")
    check_plugin(model, spec)
    proto = onnx.load_model_from_string(read_model_file(path))
    arrays = {one.name: numpy_helper.to_array(one) for one in proto.graph.initializer}
    texts = [one.value for one in proto.metadata_props if one.key == SHARED_KEY]
    try:
        shared = TypeAdapter(dict[str, str]).validate_json(texts[-1] if texts else "{}")
    except ValidationError as error:
        raise InputError(f"{path} carries broken metadata ({SHARED_KEY}).") from error
    alike = {name: arrays[other] for name, other in shared.items() if other in arrays}
    return Start(path, alike | arrays, frozenset(name for name, other in shared.items() if not other))
