"""Generated assets for Python: save them in any format, show them in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..api.errors import InputError
from ..api.options import as_texts, option_values
from ..api.plugin_calls import draw_preview, export_asset
from ..api.registry import load_format, load_generator
from ..api.writer import write_files
from .model import Model, check_generator, open_model
from .model_search import find_model
from .pipeline import make_assets
from .recipe import FileFormat, Recipe
from .request import GenerationRequest, Scalar
from .resolve import resolve_with_model

if TYPE_CHECKING:
    from ..api.assets import Asset
    from ..api.manifest import Manifest
    from ..api.spec import GeneratorSpec


@dataclass(frozen=True, eq=False)
class GeneratedAsset:
    """One generated asset and the recipe that makes it again.

    Attributes:
        asset: The Mesh, TextureSet, MotionClip or Picture (see ganassets.api.assets).
        recipe: Model, seed, conditions and everything else that the asset depends on.
        spec: The generator.
    """

    asset: Asset
    recipe: Recipe
    spec: GeneratorSpec

    @property
    def name(self) -> str:
        """Name of the asset and stem of its files, "faces-00000007"."""
        return self.asset.name

    def save(
        self, folder: str | Path, to: str | None = None, *, overwrite: bool = False, **options: Scalar
    ) -> list[Path]:
        """Write the asset's files.

        Args:
            folder: Where the files go; it is created if needed.
            to: Name of the format, such as "gltf"; None for the generator's default.
            overwrite: Replace existing files.
            options: Options of the format, with underscores for hyphens: `texture_size=512`.

        Returns:
            Paths of the files.

        Raises:
            InputError: The format or an option is unknown, or a file exists or can't be written.
        """
        exporter = load_format(self.spec, to)
        values = option_values(exporter.options, as_texts({name.replace("_", "-"): v for name, v in options.items()}))
        recipe = self.recipe.model_copy(update={"file": FileFormat(to=exporter.name, options=values)})
        provenance = replace(self.asset.provenance, recipe=recipe.to_json())
        files = export_asset(exporter, replace(self.asset, provenance=provenance), values)
        return write_files(Path(folder), files, overwrite)

    def _repr_png_(self) -> bytes:
        """Draw the asset for a notebook: a PNG."""
        return draw_preview(self.spec, [self.asset])


class LoadedModel:
    """An opened model with its generator.

    Attributes:
        manifest: Description of the model: conditions, outputs, training data, licence.
        spec: The generator.
        path: The model file.
    """

    def __init__(self, model: Model, spec: GeneratorSpec) -> None:
        check_generator(model, spec)
        self._model, self.spec = model, spec

    @property
    def manifest(self) -> Manifest:
        """Manifest of the model file."""
        return self._model.manifest

    @property
    def path(self) -> Path:
        """The model file."""
        return self._model.path

    def __repr__(self) -> str:
        return f"<ganassets model of {self.spec.name}: {self.path}>"

    def generate(self, seeds: str | int | Iterable[int] | None = None, **options: Any) -> Iterator[GeneratedAsset]:
        """Generate assets one by one, the same as the command line makes.

        Args:
            seeds: "1-200", one number or several; one asset each. None for seed 1, or `count` seeds.
            options: Conditions of the model and settings of its generator by name (`age=70`, `seconds=2.0`), or fields
                of GenerationRequest (`truncation=0.7`, `size="1024x512"`, `count=8`).

        Raises:
            InputError: A name is unknown, or a value doesn't fit; raised before the first asset is made.
        """
        request = make_request(self.spec, str(self.path), seeds, options)
        resolved = resolve_with_model(request, self._model, self.spec)
        resolved.check(self.spec)
        recipes = (resolved.recipe(resolved.unit(i)) for i in range(len(resolved)))
        return (self._make(recipe) for recipe in recipes)

    def _make(self, recipe: Recipe) -> GeneratedAsset:
        # One at a time, because the number of assets in a batch may change the last bits of each.
        return GeneratedAsset(make_assets(self._model, self.spec, [recipe])[0], recipe, self.spec)


def load_model(model: str | Path) -> LoadedModel:
    """Open a model by a generator's name, a run's folder or a file; see ganassets.load_model."""
    if not isinstance(model, (str, Path)):
        raise InputError(f"a model is a text or a Path, not of type {type(model).__name__}.")
    text = str(model.absolute()) if isinstance(model, Path) else model  # a Path is never a generator's name
    loaded = open_model(find_model(text), threads=1)  # one thread gives the same bytes as the command line
    return LoadedModel(loaded, load_generator(loaded.manifest.generator))


def make_request(
    spec: GeneratorSpec, model: str, seeds: str | int | Iterable[int] | None, options: dict[str, Any]
) -> GenerationRequest:
    """Sort keyword arguments into fields of a request, settings of the generator, and conditions."""
    known = {option.name.replace("-", "_"): option.name for option in spec.settings}
    fields = {name: value for name, value in options.items() if name in GenerationRequest.model_fields}
    settings = {known[name]: value for name, value in options.items() if name in known and name not in fields}
    conditions = {name: value for name, value in options.items() if name not in fields and name not in known}
    for field, values in (("settings", settings), ("conditions", conditions)):
        fields[field] = _merge_values(field, fields.get(field, {}), values)
    chosen = tuple(seeds) if isinstance(seeds, Iterable) and not isinstance(seeds, (str, bytes)) else seeds
    return GenerationRequest(model=model, seeds=chosen, **fields)


def _merge_values(field: str, values: object, named: dict[str, Any]) -> object:
    """Merge keyword arguments into the field of a request that they belong to; the request checks the result."""
    if not named:
        return values
    if not isinstance(values, dict):
        raise InputError(f"{field} must be a dict of names and values, not of type {type(values).__name__}.")
    for name in values.keys() & named.keys():
        raise InputError(f"{name} is given twice: by itself and in {field}; leave one of them out.")
    return {**values, **named}
