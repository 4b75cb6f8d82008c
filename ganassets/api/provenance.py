"""Origin of an asset, as exporters write it into files. Importing this needs the standard library alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Provenance:
    """Origin of an asset; exporters write it into every file format that can store it.

    Attributes:
        generator: Name and version of the plugin, "faces 0.1.0".
        model_digest: SHA-256 of the model file, hex.
        seed: Seed of the asset.
        truncation: Truncation that the asset was generated with, 0 to 1.
        sliders: Condition values of the asset, by column name.
        licence: SPDX expression or sentence for the asset's use.
        software: "ganassets 0.1.0".
        morph: Second seed and position between the two, 0 to 1; None for a single seed.
        recipe: JSON that generates the same file again (see ganassets.inference.recipe), or "".

    >>> origin = Provenance(generator="faces 0.1.0", seed=7, licence="CC0-1.0")
    >>> keywords = origin.keywords("faces-00000007")
    >>> keywords["Seed"], keywords["Copyright"]
    ('7', 'CC0-1.0')
    """

    generator: str = ""
    model_digest: str = ""
    seed: int = 0
    truncation: float = 1.0
    sliders: Mapping[str, float] = field(default_factory=dict[str, float])
    licence: str = ""
    software: str = ""
    morph: tuple[int, float] | None = None
    recipe: str = ""

    def keywords(self, title: str) -> dict[str, str]:
        """Return the provenance as texts by keyword, for formats that store notes as text.

        Args:
            title: Title of the file.
        """
        return {
            "Title": title,
            "Software": self.software,
            "Copyright": self.licence,
            "Generator": self.generator,
            "Model": self.model_digest,
            "Seed": str(self.seed),
            **({"Morph": "seed {}, {:g} of the way".format(*self.morph)} if self.morph else {}),
            "Truncation": f"{self.truncation:g}",
            "Sliders": json.dumps(dict(self.sliders)),
            **({"Recipe": self.recipe} if self.recipe else {}),
        }

    def sidecar(self, file: str) -> dict[str, bytes]:
        """Return a JSON file for formats that can't store the provenance; empty without a recipe.

        Args:
            file: Name of the asset's file.

        Returns:
            Content by file name: the name with ".json" after it.
        """
        text = json.dumps(self.keywords(file), indent=1) + "\n"
        return {f"{file}.json": text.encode()} if self.recipe else {}
