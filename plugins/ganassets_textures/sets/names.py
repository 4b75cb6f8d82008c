"""Interpret names of files and folders: a picture's map, its set, and the class of its material."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..materials import MATERIAL_CLASSES

Words = tuple[str, ...]

# Words for maps that makers of materials and older games use, in English and, without accents, in German, French,
# Spanish and Italian. One picture may hold several maps: `orm` is occlusion, roughness and metallic in red, green and
# blue; `mer` is Bedrock's metallic, emission and roughness; `mask` is Unity's metallic in red and smoothness in alpha.
MAP_WORDS: dict[str, Words] = {
    "albedo": (
        "albedo", "alb", "color", "colour", "col", "basecolor", "basecolour", "basemap", "diffuse", "diff", "dif",
        "albedotransparency", "albedom", "farbe", "couleur", "colore",
    ),
    "normal": (
        "normal", "normals", "norm", "nor", "nrm", "nml", "nm", "normalmap", "local",
        "normalbump", "normale", "normalen", "normales", "normali",
    ),
    "height": (
        "height", "heightmap", "hgt", "displacement", "displace", "disp", "bump", "bumpmap", "parallax",
        "hohe", "hoehe", "verschiebung", "hauteur", "deplacement", "altura", "desplazamiento", "altezza", "spostamento",
    ),
    "roughness": (
        "roughness", "rgh", "rauheit", "rauigkeit", "rugosite", "rugosidad", "rugosita", "ruvidita", "ruvidezza",
    ),
    "gloss": ("gloss", "glossiness", "smoothness", "glanz", "brillance", "brillo", "lucentezza"),
    "metallic": (
        "metallic", "metalness", "metallness", "met", "metallisch", "metallique", "metalico", "metallico",
    ),
    "specular": ("specular", "spec", "specularity"),
    "orm": ("orm", "aorm", "occlusionroughnessmetallic", "metallicroughness"),
    "rma": ("rma", "rmao", "rmo", "roughnessmetallicocclusion"),
    "mra": ("mra", "mrao", "mro"),
    "mer": ("mer", "mers"),
    "mask": ("maskmap", "metallicsmoothness"),
    "albedo and height": ("albht", "albedoheight"),
    "normal and roughness": ("nrmrgh", "normalroughness"),
    "ignored": (
        "ao", "occlusion", "ambient", "ambientocclusion", "occ", "cavity", "curvature", "opacity", "alpha",
        "transparency", "translucency", "transmission", "emissive", "emission", "emit", "glow", "fuzz", "sss",
        "scattering", "thickness", "reflection", "refl", "anisotropy", "clearcoat", "sheen",
        "edge", "edges", "id", "idmap", "matid", "colorid", "materialid", "objectid", "opac", "detailmap", "bentnormal",
        "bentnormals", "worldnormal", "objectnormal", "verdeckung", "umgebungsverdeckung", "oclusion", "occlusione",
        "preview", "thumb", "thumbnail", "render", "sphere",
    ),
}  # fmt: skip
# Words that may belong to a material's name (rusty_metal.png). They count at a name's end, beside another map.
WEAK_WORDS: dict[str, Words] = {
    "albedo": ("d", "base", "bc"),
    "normal": ("n",),
    "height": ("h", "depth", "ht"),
    "roughness": ("r", "rough"),
    "gloss": ("g", "smooth"),
    "metallic": ("m", "metal", "metall"),
    "specular": ("s",),
    "orm": ("arm",),
    "mask": ("mask", "masks"),
    "ignored": ("e", "o"),
}
CONVENTIONS = {"gl": "GL", "ogl": "GL", "opengl": "GL", "dx": "DX", "directx": "DX"}
# Words for a place or a thing and not for its material: "dirt floor" is dirt.
VAGUE = frozenset({
    "wall", "floor", "pattern", "roof", "facade", "metal", "plate", "board", "boards", "stone", "painted", "paint",
    "container", "ground",
})  # fmt: skip
# Words that, before a map's word, mean a map that is not learnt: emission_color, sheen_roughness.
QUALIFIERS = frozenset({
    "emission", "emissive", "sss", "subsurface", "sheen", "clearcoat", "transmission", "scattering", "translucency",
})  # fmt: skip
# Workflows at the end of Poliigon's names, in capitals: Bricks01_COL_2K_METALNESS.
WORKFLOWS = frozenset({"METALNESS", "SPECULAR"})
MAX_PHRASE_TOKENS = 3
MIN_PART_LETTERS = 4

TOKEN = re.compile(r"\d+[A-Za-z](?![a-z])|\d+|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")
RESOLUTION = re.compile(r"\d{1,2}k|(128|256|512|1024|2048|4096|8192|16384)x?|jpe?g|png|tiff?|tga|bmp|webp|exr")


@dataclass(frozen=True)
class NameReading:
    """One way to understand a file's name.

    Attributes:
        kind: Key of MAP_WORDS, or None where the name has no word for a map.
        stem: Lower-case words that all files of the set share.
        title: The stem as it is written in the name.
        convention: "GL" or "DX" where the name says which way a normal map's green points.
        weak: Whether the reading counts only if another file of the same stem agrees.
        reason: Why this is the file's map, for the user.
    """

    kind: str | None
    stem: Words
    title: str = ""
    convention: str | None = None
    weak: bool = False
    reason: str = "its name says so"


@dataclass(frozen=True)
class MapWord:
    """Meaning of a word for a map.

    Attributes:
        kind: Key of MAP_WORDS.
        convention: "GL" or "DX" of a normal map.
        weak: Whether the word may as well belong to a material's name.
    """

    kind: str
    convention: str | None = None
    weak: bool = False


def map_words() -> dict[str, MapWord]:
    """List all words for maps.

    "map" and "texture" may follow a word; a convention may precede or follow the words for normal maps.
    """
    table = {}
    for weak, words_of in ((False, MAP_WORDS), (True, WEAK_WORDS)):
        for kind, words in words_of.items():
            table |= {word: MapWord(kind, None, weak) for word in words}
    for name, word in [(name, word) for name, word in table.items() if word.kind == "normal"]:
        for mark, convention in CONVENTIONS.items():
            table[name + mark] = table[mark + name] = MapWord("normal", convention, word.weak)
    return {word + after: table[word] for after in ("map", "texture") for word in table if not table[word].weak} | table


TABLE = map_words()
MATERIAL_WORDS = {
    word: name for name, kind in MATERIAL_CLASSES.items() for word in (name.replace("-", ""), *kind.words)
}


def tokens(text: str) -> Words:
    """Split a name at separators, capitals and digits, in lower case ("Bricks075B": bricks, 075b)."""
    return tuple(match.group().lower() for match in TOKEN.finditer(strip_accents(text)))


def strip_accents(text: str) -> str:
    """Replace letters with accents by plain Latin letters; the result is as long as the composed text (NFC)."""
    composed = unicodedata.normalize("NFC", text)
    plain = (unicodedata.normalize("NFKD", letter)[0] for letter in composed)
    return "".join(base if base.isascii() else letter for base, letter in zip(plain, composed, strict=True))


def interpret_name(name: str) -> tuple[NameReading, ...]:
    """List the ways to understand a file's name without its suffix, best first; the last one has no map.

    The last word that names a map counts. The words after it may tell sets apart (wall_diff_01, wall_nm_01) or variants
    of one set (wall_diff_red, wall_diff_blue, wall_nm), so both readings are listed.
    """
    name = unicodedata.normalize("NFC", name)
    found = strip_workflow([match for match in TOKEN.finditer(strip_accents(name)) if not is_resolution(match)])
    words = tuple(match.group().lower() for match in found)

    def written(start: int, end: int) -> str:
        return name[found[start].start() : found[end - 1].end()] if start < end else ""

    out = []
    for word, start, end in match_map_words(words):
        before, after = written(0, start), written(end, len(words))
        both = "_".join(part for part in (before, after) if part)
        out.append(NameReading(word.kind, words[:start] + words[end:], both, word.convention, word.weak))
        out.append(NameReading(word.kind, words[:start], before, word.convention, word.weak))
        if not word.weak:
            break
    whole = written(0, len(words)) or name
    return (
        *dict.fromkeys(out),
        NameReading(None, words or (name.lower(),), whole, reason="its name has no word for a map"),
    )


def is_resolution(match: re.Match[str]) -> bool:
    """Return whether a word is a resolution or a format; a number at the start of a name is part of the name."""
    word = match.group().lower()
    return bool(RESOLUTION.fullmatch(word)) and not (word.isdigit() and match.start() == 0)


def strip_workflow(found: list[re.Match[str]]) -> list[re.Match[str]]:
    """Remove the workflow from the end of a name's words where a map's word stands before it."""
    if not found or found[-1].group() not in WORKFLOWS:
        return found
    words = [match.group().lower() for match in found[:-1]]
    while words and (words[-1].isdigit() or words[-1] == "var"):  # a variant's number
        words.pop()
    ends = ["".join(words[-count:]) for count in range(1, MAX_PHRASE_TOKENS + 1)] if words else []
    return found[:-1] if any(word in TABLE for word in ends) else found


def match_map_words(words: Words) -> Iterator[tuple[MapWord, int, int]]:
    """Yield the words that name maps, last first, with the range of tokens that each takes."""
    last = max((i for i, word in enumerate(words) if not word.isdigit()), default=-1)
    for start, end in phrases(len(words)):
        word = TABLE.get("".join(words[start:end]))
        if word and (not word.weak or end == last + 1):
            if is_qualified(word, words[:start]):
                yield MapWord("ignored"), start - 1, end
            else:
                yield word, start, end


def is_qualified(word: MapWord, before: Words) -> bool:
    """Return whether the words before a map's word make it a map that is not learnt."""
    last = before[-1] if before else ""
    return last in QUALIFIERS or (last == "specular" and word.kind == "albedo")


def map_of_folder(name: str) -> MapWord | None:
    """Return the map that a folder is named for, if its name has no other words."""
    return TABLE.get("".join(tokens(name)))


def phrases(count: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of up to three tokens, the last ending first, longer before shorter."""
    for end in range(count, 0, -1):
        for start in range(max(0, end - MAX_PHRASE_TOKENS), end):
            yield start, end


def guess_material(levels: Iterable[str]) -> str | None:
    """Guess the class of a material from names.

    Args:
        levels: The set's own name, then its folders, nearest first; the first that holds a material's word decides.

    Returns:
        One of materials.CLASSES, or None. Whole words come before parts of words (wooden, rustymetal), both before
        vague words (wall, floor, metal); among equals the longest word wins, then the first.
    """
    for level in levels:
        if found := material_words(level):
            best = max(found, key=lambda item: (item[0] not in VAGUE, item[1], len(item[0])))
            return MATERIAL_WORDS[best[0]]
    return None


def material_words(name: str) -> list[tuple[str, bool]]:
    """List the words for materials in a name in order, and whether each stands alone or is part of another word."""
    words = tokens(name)
    alone = ["".join(words[start:end]) for start, end in phrases(len(words))][::-1]
    alone = [word if word in MATERIAL_WORDS else word.removesuffix("s") for word in alone]
    # The last part of a compound is its kind: mossyrock is rock.
    lengths = [(word, length) for word in words for length in range(MIN_PART_LETTERS, len(word))]
    parts = [word[-length:] for word, length in lengths] + [word[:length] for word, length in lengths]
    found = [(word, True) for word in alone] + [(word, False) for word in parts if word not in VAGUE]
    return [(word, whole) for word, whole in found if word in MATERIAL_WORDS]
