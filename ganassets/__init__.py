"""Train small GANs on your own art and generate assets for games and Blender.

Everything is loaded at first use: `import ganassets` loads neither numpy nor torch nor onnxruntime.

>>> import ganassets
>>> for asset in ganassets.generate("faces", seeds=[7], age=70):
...     print(asset.name, asset.recipe.condition["age"])
faces-00000007 70.0
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .inference.generated import GeneratedAsset, LoadedModel
    from .training.trained_run import TrainedRun

__version__ = "0.1.0"
__all__ = ["export", "exporters", "generate", "generators", "load_model", "train"]

# Variables that switch off the telemetry of dependencies, which read them when they load, later than this module.
QUIET = {
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime: a device id in the user's cache folder, facts about the machine
}
os.environ.update(QUIET)


def generate(
    model: str | Path, seeds: str | int | Iterable[int] | None = None, **options: Any
) -> Iterator[GeneratedAsset]:
    """Generate assets one by one, the same as `ganassets generate` makes.

    Args:
        model: Name of a generator ("faces"), a run's folder or a model file. The file is trusted.
        seeds: "1-200", one number or several; one asset each. None for seed 1, or `count` seeds.
        options: Conditions of the model and settings of its generator by name (`age=70`, `seconds=2.0`), or fields of
            GenerationRequest (`truncation=0.7`, `size="1024x512"`, `count=8`).

    Returns:
        An iterator of assets, each with `save(folder, to=...)`; a notebook shows them as pictures.

    Raises:
        InputError: The model can't be opened, a name is unknown, or a value doesn't fit.

    >>> import ganassets
    >>> [asset.name for asset in ganassets.generate("textures", seeds="3-4", size=64, material="brick")]
    ['textures-00000003', 'textures-00000004']
    """
    return load_model(model).generate(seeds, **options)


def load_model(model: str | Path) -> LoadedModel:
    """Open a model.

    Args:
        model: Name of a generator ("faces"), a run's folder or a model file. The file is trusted.

    Returns:
        The model: `manifest` (conditions, outputs, training data, licence) and `generate(seeds, ...)`.

    Raises:
        InputError: There is no such model, or it can't be used.

    >>> import ganassets
    >>> ganassets.load_model("poses").manifest.generator
    'poses'
    """
    from .inference.generated import load_model

    return load_model(model)


def train(generator: str, *, out: str | Path | None = None, **options: Any) -> TrainedRun:
    """Train a model, as `ganassets train` does; Ctrl-C saves the run.

    Args:
        generator: Name of the generator ("portraits").
        out: Run folder to create; None for runs/GENERATOR-DATE-N.
        options: `preset`, `kimg` (thousand images), `seed`, `objective`, `device`, `threads`, `precision`, `devices`,
            `start` (model to start from), `quiet`, and the generator's data options (`data="my-portraits"`).

    Returns:
        The run: `folder`, `export()`, `report`.

    Raises:
        InputError: An option or the data can't be used.
        GanassetsError: Training isn't installed (extra `train`), or fails.

    >>> import ganassets
    >>> run = ganassets.train("portraits", data="my-portraits", kimg=0.032, quiet=True)
    >>> run.export().name
    'model.onnx'
    """
    from .training.trained_run import train as train_run

    return train_run(generator, out=out, **options)


def export(run: TrainedRun | str | Path, out: str | Path | None = None, **options: Any) -> Path:
    """Export a run's model as ONNX, checked against torch, as `ganassets export --onnx` does.

    Args:
        run: What `train` returned, or a run's folder.
        out: The file; None for model.onnx in the run's folder.
        options: `best` (the checkpoint nearest to the data), `licence` and `source` of your own data.

    Returns:
        Path of the model file.

    Raises:
        InputError: There is no run, or it can't be read.
        GanassetsError: The exported model differs from torch's.
    """
    from .training.trained_run import TrainedRun

    if not isinstance(run, (TrainedRun, str, Path)):
        from .api.errors import InputError

        raise InputError(f"a run is what train returned, or the path of its folder, not of type {type(run).__name__}.")
    return (run if isinstance(run, TrainedRun) else TrainedRun(Path(run))).export(out, **options)


def generators() -> list[str]:
    """Names of the installed generators.

    >>> import ganassets
    >>> ganassets.generators()
    ['faces', 'portraits', 'poses', 'textures']
    """
    from .api.registry import generator_names

    return generator_names()


def exporters() -> list[str]:
    """Names of the installed formats.

    >>> import ganassets
    >>> "gltf" in ganassets.exporters()
    True
    """
    from .api.registry import exporter_names

    return exporter_names()
