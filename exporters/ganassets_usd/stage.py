"""Create stages: metadata of the layer, the first prim, and the images that materials name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ganassets.api.assets import Asset
from ganassets.api.errors import MissingDependencyError

if TYPE_CHECKING:
    from pxr import Usd

PROVENANCE_KEY = "ganassets"


@dataclass(frozen=True)
class AssetStage:
    """A USD stage while it is built.

    Attributes:
        usd: The stage in memory; its default prim holds everything.
        root: Path of the default prim.
        images: PNG files by name, to be written beside the layer.
    """

    usd: Usd.Stage
    root: str
    images: dict[str, bytes] = field(default_factory=dict)


def check_installed() -> None:
    """Check that USD's Python modules are installed.

    Raises:
        InputError: They are not.
    """
    try:
        import pxr  # noqa: F401  # only tried
    except ImportError as error:
        raise MissingDependencyError("USD needs a library: pip install 'ganassets[usd]'.") from error


def new_stage(asset: Asset, root_type: str) -> AssetStage:
    """Create a stage in metres with Y up, whose default prim has the asset's name and provenance.

    Args:
        asset: The asset that the stage will hold.
        root_type: Type of the default prim, "Xform" or "SkelRoot".
    """
    from pxr import Kind, Usd, UsdGeom

    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    (name,) = unique_identifiers([asset.name])
    prim = stage.DefinePrim(f"/{name}", root_type)
    stage.SetDefaultPrim(prim)
    model = Usd.ModelAPI(prim)
    model.SetKind(Kind.Tokens.component)
    model.SetAssetName(asset.name)
    text = asset.provenance.keywords(asset.name)
    # When another stage refers to this one, the layer's own data stay behind; those of the prim come along.
    stage.GetRootLayer().customLayerData = {PROVENANCE_KEY: text}
    prim.SetCustomDataByKey(PROVENANCE_KEY, text)
    return AssetStage(stage, f"/{name}")


def unique_identifiers(names: Sequence[str]) -> list[str]:
    """Turn names into identifiers of prims, in the same order.

    Every version of USD accepts them: ASCII letters, digits and underscores, no digit first. They also differ where
    upper and lower case count as equal.
    """
    identifiers: dict[str, str] = {}
    for name in names:
        base = re.sub(r"\W", "_", name, flags=re.ASCII)
        identifier = base = f"_{base}" if not base or base[0].isdigit() else base
        number = 1
        while identifier.lower() in identifiers:
            number += 1
            identifier = f"{base}_{number}"
        identifiers[identifier.lower()] = identifier
    return list(identifiers.values())
