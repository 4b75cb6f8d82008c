"""What every scene has: its layer's metadata, its first prim and the pictures that its materials name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ganassets.api.assets import Asset
from ganassets.api.errors import InputError

if TYPE_CHECKING:
    from pxr import Usd

NOTES = "ganassets"  # key of the provenance


@dataclass(frozen=True)
class Scene:
    """A scene as it grows.

    Attributes:
        stage: in memory; its default prim holds everything.
        root: path of that prim.
        pictures: files by name, to lie beside the layer.
    """

    stage: Usd.Stage
    root: str
    pictures: dict[str, bytes] = field(default_factory=dict)


def check_installed() -> None:
    """InputError unless USD's Python modules are there."""
    try:
        import pxr  # noqa: F401
    except ImportError as error:
        raise InputError("USD needs a library: pip install 'ganassets[usd]'.") from error


def new_scene(asset: Asset, root_type: str) -> Scene:
    """A scene in metres, Y up, whose default prim has the asset's name and provenance.

    Args:
        asset: what it is to show.
        root_type: of the default prim, "Xform" or "SkelRoot".
    """
    from pxr import Kind, Usd, UsdGeom

    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    (name,) = identifiers([asset.name])
    prim = stage.DefinePrim(f"/{name}", root_type)
    stage.SetDefaultPrim(prim)
    model = Usd.ModelAPI(prim)
    model.SetKind(Kind.Tokens.component)
    model.SetAssetName(asset.name)
    notes = asset.provenance.keywords(asset.name)
    # A layer's own notes stay behind where another scene refers to it; those of the prim come along.
    stage.GetRootLayer().customLayerData = {NOTES: notes}
    prim.SetCustomDataByKey(NOTES, notes)
    return Scene(stage, f"/{name}")


def identifiers(names: Sequence[str]) -> list[str]:
    """Names that every version of USD takes for prims (ASCII letters, digits, underscores; no digit first), in the same
    order, each once even where capitals don't count.
    """
    made: dict[str, str] = {}
    for name in names:
        base = re.sub(r"\W", "_", name, flags=re.ASCII)
        identifier = base = f"_{base}" if not base or base[0].isdigit() else base
        number = 1
        while identifier.lower() in made:
            number += 1
            identifier = f"{base}_{number}"
        made[identifier.lower()] = identifier
    return list(made.values())
