"""The classes of materials and the conditions of the generator. Needs the standard library and ganassets.api.spec."""

from __future__ import annotations

from dataclasses import dataclass

from ganassets.api.conditions import Condition


@dataclass(frozen=True)
class MaterialClass:
    """A class of materials.

    Attributes:
        unit_height: Metres that one unit of its pattern is high in the real world: a brick's course, a tile, a cobble,
            a plank, a thread's crossing; for materials without units, the scale of their coarsest features.
        words: Words for it in names of files and folders, lower case; its own name counts as well.
    """

    unit_height: float
    words: tuple[str, ...] = ()


MATERIAL_CLASSES: dict[str, MaterialClass] = {
    "brick": MaterialClass(0.075, ("bricks", "brickwall", "wall")),
    "cobble": MaterialClass(
        0.14, ("cobblestone", "paving", "pavement", "pavingstones", "stones", "flagstone", "stone")
    ),
    "tile": MaterialClass(
        0.2, ("tiles", "ceramic", "porcelain", "terrazzo", "floor", "pattern", "facade", "roof", "roofing")
    ),
    "plank": MaterialClass(0.13, ("planks", "wood", "parquet", "woodfloor", "siding", "timber", "board", "boards")),
    "bark": MaterialClass(0.06, ("trunk",)),
    "fabric": MaterialClass(0.003, ("cloth", "textile", "wool", "felt", "carpet", "denim", "linen", "rug", "weave")),
    "leather": MaterialClass(0.006, ("hide", "skin")),
    "brushed-metal": MaterialClass(
        0.05, ("metal", "steel", "aluminium", "aluminum", "iron", "chrome", "gold", "copper")
    ),
    "painted-metal": MaterialClass(0.12, ("paintedmetal", "painted", "plastic", "container", "plate", "corrugated")),
    "rusted-metal": MaterialClass(0.12, ("rust", "rusty", "rusted", "corroded")),
    "marble": MaterialClass(0.3, ("onyx", "granite", "travertine", "quartz")),
    "concrete": MaterialClass(0.3, ("cement", "asphalt", "road", "tarmac")),
    "plaster": MaterialClass(0.08, ("stucco", "plastered", "paint", "wallpaper")),
    "rock": MaterialClass(0.3, ("rocks", "cliff", "boulder", "lava")),
    "ground": MaterialClass(0.12, ("soil", "dirt", "mud", "forest", "leaves", "earth", "terrain", "trail", "snow")),
    "gravel": MaterialClass(0.03, ("pebbles", "pebble", "rubble", "scree")),
    "sand": MaterialClass(0.08, ("beach", "desert", "dune")),
    "grass": MaterialClass(0.05, ("lawn", "moss", "meadow")),
}

CLASSES = tuple(MATERIAL_CLASSES)
METALS = ("brushed-metal", "rusted-metal")  # classes with a bare metal surface
# Texels that one unit of the pattern is high, at the ends of the slider `scale`.
SCALE_TEXELS = (16.0, 64.0)

CONDITIONS = (
    Condition("material", "Kind of material.", choices=CLASSES),
    Condition("hue", "Colour around the wheel: 0 red, 1/3 green, 2/3 blue; matters as much as saturation."),
    Condition("saturation", "0 is grey, 1 is vivid."),
    Condition("lightness", "0 is dark, 1 is light."),
    Condition("roughness", "0 is polished, 1 is dull."),
    Condition("relief", "How deep the surface is: 0 is flat."),
    Condition("wear", "0 is new; 1 is worn, chipped, stained."),
    Condition("scale", "Texels that one unit of the pattern is high.", *SCALE_TEXELS, "texels"),
    Condition("aspect", "Width of a unit by its height.", 0.5, 8.0),
    Condition("stagger", "0: units stand in columns; 0.5: running bond; 1: every row at random."),
)
COLUMNS = tuple(column for condition in CONDITIONS for column in condition.columns)
