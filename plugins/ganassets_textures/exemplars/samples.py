"""Training samples of exemplars: parts of them with their own cells, and new layouts beside other parts."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganassets.api.data import TrainingData
from ganassets.api.errors import InputError
from ganassets.api.spec import Preset

from ..materials import MATERIAL_CLASSES
from ..sets import MaterialSet, SetReport, read_sets
from .cells import (
    CELL,
    FINE_COMPONENTS,
    HEIGHT_UNIT,
    MAP_CHANNELS,
    MARGIN,
    NOISE_CHANNELS,
    VALUES,
    encode_cells,
    fit_basis,
    join_cells,
    level_matrix,
    split_cells,
)
from .layout import Layout
from .noise import GUIDE_COMPONENTS, Exemplars, Structure, exemplar_arrays, layout_structure
from .sliders import NEUTRAL, exemplar_conditions

FloatArray = NDArray[np.float32]

# Most sets of one model, and texels of the longer side of an exemplar by their number, so that its file stays small.
MOST_SETS = 500
LONGEST = ((24, 512), (96, 256), (MOST_SETS, 128))
# Bytes of the model file for the exemplars' components, fewest and most components of a cell.
MOST_CODES, COMPONENTS = 16 * 10**6, (16, VALUES)
# Variation of the height that is wider than this share of an exemplar is left out: it doesn't repeat.
HEIGHT_WAVES = 3 / 32
# Maps that a set lacks.
DEFAULT_ROUGHNESS, DEFAULT_METALLIC = 0.7, 0.0
# Units of a material's pattern along an exemplar, by which its size in metres is guessed; and the size of a unit in
# metres where the class of material is unknown.
UNITS, DEFAULT_UNIT = 16, 0.12
# Layouts of each exemplar to learn from.
LAYOUTS = 4
# Most materials for a short run, and the samples of a long one.
FEW_MATERIALS, MANY_SAMPLES = 3, 1024
# Characters of mixtures and of a shell's words, which a name on the command line can't have, and its most characters.
SEPARATORS, MOST_LETTERS = re.compile(r"[\s:,=\x00-\x1f\x7f-\x9f]+"), 60


@dataclass(frozen=True, eq=False)
class Exemplar:
    """A material set as cells.

    Attributes:
        name: Its name among the conditions.
        cells: (rows, columns, 96).
        tiles: Whether it wraps.
        texel_size: Guess of the width of a texel in metres.
    """

    name: str
    cells: FloatArray
    tiles: bool
    texel_size: float


def exemplar_data(preset: Preset, folder: Path, seed: int, report: Callable[[int, int], None]) -> TrainingData:
    """Read material sets, and cut samples out of them.

    Half of the samples are parts with their own cells: the generator can reproduce them. The others are new layouts
    beside another part of the same material: only their statistics can agree.

    Args:
        preset: Size and number of samples.
        folder: Folder or zip of material sets.
        seed: Random seed.
        report: Called with (done, total) samples.

    Raises:
        InputError: The folder holds no usable material set.
    """
    sets, found, longest = read_exemplar_sets(folder)
    notes = [*found.found, *missing_maps(sets)]
    if longest < LONGEST[0][1]:
        notes.append(f"{len(sets)} materials are many: the longer side of each is reduced to at most {longest} texels.")
    notes.append(describe_expectation(len(sets), preset))
    exemplars = make_exemplars(sets)
    rng = np.random.default_rng([seed, 5])
    arrays = encode_exemplars(exemplars)
    count = preset.samples
    samples = Samples(Exemplars(arrays), exemplars, preset.network_size, rng)
    rows: list[Sample] = []
    # Filled sample by sample: it is by far the largest array.
    structure = np.empty((count, *samples.structure_shape), np.float32)
    for index in report_each(count, report):
        drawn = samples.draw(index)
        structure[index] = drawn.structure
        rows.append(replace(drawn, structure=structure[index]))
    signals = {name: np.stack([row.maps[name] for row in rows]) for name in rows[0].maps}
    names = [exemplar.name for exemplar in exemplars]
    return TrainingData(
        signals=signals,
        vectors={},
        conditions=condition_rows([row.exemplar for row in rows], len(names)),
        name=f"material sets from {folder.name}",
        licence="as the material sets given",
        source="the user's material sets",
        latents=np.array([[0.0] if row.paired else [np.nan] for row in rows], np.float32),
        tiles=np.zeros(count, np.bool_),
        structure=structure,
        constants=arrays,
        notes=tuple(notes),
        conditions_of=exemplar_conditions(names),
        files=found.records,
    )


def describe_expectation(count: int, preset: Preset) -> str:
    """Say what a run makes of a number of materials, and which preset suits it."""
    text = "Expect new arrangements and mixtures of your own surfaces, not surfaces that you don't have"
    if count > FEW_MATERIALS and preset.samples < MANY_SAMPLES:
        return f"{text}; for {count} materials --preset materials learns longer. Pictures: docs/expectations.md."
    return f"{text}. Pictures: docs/expectations.md."


def read_exemplar_sets(folder: Path) -> tuple[list[MaterialSet], SetReport, int]:
    """Read the material sets of a folder or zip; returns sets, report, and the most texels of a longer side."""
    longest = LONGEST[0][1]

    def choose_longest(found: int) -> int:
        nonlocal longest
        if found > MOST_SETS:
            raise InputError(f"{folder} holds {found:,} materials, but a model takes at most {MOST_SETS}; use a part.")
        longest = next(texels for most, texels in LONGEST if found <= most)
        return longest

    sets, report = read_sets(folder, choose_longest)
    return sets, report, longest


def read_exemplar_maps(folder: Path) -> list[FloatArray]:
    """Return the (6, h, w) maps of each exemplar of a folder or zip, as exemplar_data uses them."""
    return [stack_maps(source) for source in read_exemplar_sets(folder)[0]]


def condition_rows(exemplars: Sequence[int] | NDArray[np.int64], count: int) -> FloatArray:
    """Return rows of conditions: one of `count` exemplars each, with neutral sliders."""
    materials = np.eye(count, dtype=np.float32)[np.asarray(exemplars)]
    neutral = np.broadcast_to(np.array(NEUTRAL, np.float32), (len(materials), len(NEUTRAL)))
    return np.concatenate([materials, neutral], 1)


def encode_maps(maps: FloatArray) -> dict[str, NDArray]:
    """Return (6, h, w) maps by name, in the types of training data."""
    named = {"albedo": maps[:3], "height": maps[3:4], "roughness": maps[4:5], "metallic": maps[5:6]}
    return {
        name: values.astype(np.float16) if name == "height" else np.rint(values * 255).clip(0, 255).astype(np.uint8)
        for name, values in named.items()
    }


def report_each(count: int, report: Callable[[int, int], None]) -> Iterator[int]:
    """Yield 0 to count - 1, and report progress."""
    for index in range(count):
        yield index
        report(index + 1, count)


def missing_maps(sets: Sequence[MaterialSet]) -> list[str]:
    """Say which sets lack a map, and what stands in for it."""
    notes = []
    stand_ins = {"height": "flat", "roughness": f"{DEFAULT_ROUGHNESS:g}", "metallic": f"{DEFAULT_METALLIC:g}"}
    for name, value in stand_ins.items():
        lacking = [source.name for source in sets if getattr(source, name) is None]
        if lacking:
            shown = ", ".join(lacking[:3]) + (f" and {len(lacking) - 3} more" if len(lacking) > 3 else "")
            notes.append(f"No {name} map: {shown}; {value} everywhere stands in for it.")
    return notes


def make_exemplars(sets: Sequence[MaterialSet]) -> list[Exemplar]:
    """Cut material sets into cells, with a name of its own for each."""
    names = unique_names([source.name for source in sets])
    return [
        Exemplar(name, split_cells(stack_maps(source)), source.tiles, guess_texel_size(source))
        for name, source in zip(names, sets, strict=True)
    ]


def unique_names(names: Sequence[str]) -> list[str]:
    """Return names for the command line: the last part of each, or all of it where that is taken."""
    short = [clean_name(name.rsplit("/", 1)[-1]) for name in names]
    chosen = [a if short.count(a) == 1 else clean_name(b) for a, b in zip(short, names, strict=True)]
    single = {name for name in chosen if chosen.count(name) == 1}
    taken, found = set(single), []
    for name in chosen:
        numbered = (f"{name}-{i}" for i in itertools.count(1))
        found.append(name if name in single else next(text for text in numbered if text not in taken))
        taken.add(found[-1])
    return found


def clean_name(name: str) -> str:
    """Return a name without characters that have a meaning on the command line, of limited length."""
    return SEPARATORS.sub("-", name).strip("-/")[:MOST_LETTERS] or "material"


def stack_maps(source: MaterialSet) -> FloatArray:
    """Return a set's (6, h, w) maps: colours and shares in [0, 1], height in units of the cells; whole cells only."""
    height, width = (side // CELL * CELL for side in source.albedo.shape[:2])
    empty = np.zeros((height, width), np.float32)

    def share(plane: NDArray[np.uint8] | None, default: float) -> FloatArray:
        return empty + np.float32(default) if plane is None else plane[:height, :width] * np.float32(1 / 255)

    albedo = source.albedo[:height, :width].transpose(2, 0, 1) * np.float32(1 / 255)
    relief = empty if source.height is None else flatten_waves(source.height[:height, :width], source.tiles)
    others = share(source.roughness, DEFAULT_ROUGHNESS), share(source.metallic, DEFAULT_METALLIC)
    return np.concatenate([albedo, np.stack([relief / np.float32(HEIGHT_UNIT), *others])])


def flatten_waves(height: FloatArray, tiles: bool) -> FloatArray:
    """Remove the variation of a height that is as wide as the exemplar."""
    from scipy.ndimage import gaussian_filter

    wide = gaussian_filter(height, min(height.shape) * HEIGHT_WAVES, mode="wrap" if tiles else "reflect")
    return np.subtract(height, wide, dtype=np.float32)


def guess_texel_size(source: MaterialSet) -> float:
    """Guess the width of a texel in metres: an exemplar shows some 16 units of its class of material."""
    unit = MATERIAL_CLASSES[source.material].unit_height if source.material else DEFAULT_UNIT
    return unit * UNITS / max(source.albedo.shape[:2])


def encode_exemplars(exemplars: Sequence[Exemplar]) -> dict[str, FloatArray]:
    """Encode the exemplars' cells; returns the arrays for the domain by name."""
    cells = np.concatenate([exemplar.cells.reshape(-1, VALUES) for exemplar in exemplars])
    basis = fit_basis(cells, int(np.clip(MOST_CODES // len(cells) - FINE_COMPONENTS, *COMPONENTS)))
    encoded = encode_cells(cells, basis)
    factors, mean = level_matrix(encoded, GUIDE_COMPONENTS)
    table, first = [], 0
    for exemplar in exemplars:
        rows, columns = exemplar.cells.shape[:2]
        table.append((first, rows, columns, exemplar.tiles))
        first += rows * columns
    arrays = exemplar_arrays(
        encoded.codes[:, :GUIDE_COMPONENTS],
        np.linalg.norm(encoded.steps[:, :GUIDE_COMPONENTS], axis=0),
        factors,
        mean,
        np.array(table, np.float32),
        np.array([exemplar.texel_size for exemplar in exemplars], np.float32),
    )
    by_map = cells.reshape(len(cells), MAP_CHANNELS, -1)
    constants = {
        **arrays,
        "map_low": by_map.min((0, 2)),
        "map_high": by_map.max((0, 2)),
        "codes": encoded.codes,
        "code_steps": encoded.steps,
        "cell_mean": encoded.mean,
    }
    return {name: np.asarray(array, np.float32) for name, array in constants.items()}


@dataclass(frozen=True, eq=False)
class Sample:
    """One training sample.

    Attributes:
        exemplar: Index of its exemplar.
        maps: Maps by name, (channels, size, size).
        structure: (9, side, side) structure channels of the noise map, with the margin around the maps.
        paired: Whether the maps are what the structure stands for.
    """

    exemplar: int
    maps: dict[str, NDArray]
    structure: FloatArray
    paired: bool


class Samples:
    """Draws training samples.

    Args:
        exemplars: Exemplars as the model file carries them.
        sources: The same with all of their cells.
        size: Texels along a sample.
        rng: Random state.
    """

    def __init__(self, exemplars: Exemplars, sources: Sequence[Exemplar], size: int, rng: np.random.Generator) -> None:
        self.exemplars, self.sources, self.rng = exemplars, sources, rng
        self.cells, self.margin = size // CELL, MARGIN // CELL
        self.layouts: dict[tuple[int, int], Structure] = {}

    @property
    def structure_shape(self) -> tuple[int, int, int]:
        """Shape of a sample's structure channels, with the margin around its maps."""
        side = CELL * (self.cells + 2 * self.margin)
        return NOISE_CHANNELS - 1, side, side

    def draw(self, index: int) -> Sample:
        """Draw the sample of a number: exemplars in turn, and of each in turn a pair and a new layout."""
        exemplar = index % len(self.sources)
        paired = index // len(self.sources) % 2 == 0
        top, left = self.place(exemplar)
        structure = self.own_structure(exemplar, top, left) if paired else self.new_structure(exemplar)
        if not paired:
            top, left = self.place(exemplar)
        return Sample(exemplar, self.cut_maps(exemplar, top, left), structure, paired)

    def place(self, exemplar: int) -> tuple[int, int]:
        """Draw the first row and column of a part without its margin; parts of exemplars that don't tile fit in."""
        source = self.sources[exemplar]
        whole = self.cells + 2 * self.margin
        ends = (n if source.tiles else max(n - whole, 0) + 1 for n in source.cells.shape[:2])
        shift = 0 if source.tiles else self.margin
        top, left = (int(self.rng.integers(end)) + shift for end in ends)
        return top, left

    def cut_maps(self, exemplar: int, top: int, left: int) -> dict[str, NDArray]:
        """Cut the maps of a part, in the types of training data."""
        return encode_maps(join_cells(window(self.sources[exemplar].cells, top, left, self.cells)))

    def own_structure(self, exemplar: int, top: int, left: int) -> FloatArray:
        """Return the structure of a part of an exemplar: its own cells."""
        rows, columns = self.exemplars.shape(exemplar)
        size = self.cells + 2 * self.margin
        y, x = (np.arange(size) + top - self.margin) % rows, (np.arange(size) + left - self.margin) % columns
        places = self.exemplars.table[exemplar, 0] + y[:, None] * columns + x
        unchanged = Layout(places, places, np.zeros((CELL * size, CELL * size), np.float32))
        return Structure(unchanged, np.zeros((size, size, MAP_CHANNELS), np.float32)).channels()

    def new_structure(self, exemplar: int) -> FloatArray:
        """Return a random part of one of the exemplar's layouts."""
        key = (exemplar, int(self.rng.integers(LAYOUTS)))
        if key not in self.layouts:
            pieces = float(self.rng.random())
            seed = int(self.rng.integers(2**62))
            shape = self.exemplars.shape(exemplar)
            self.layouts[key] = layout_structure(self.exemplars, exemplar, shape, seed, pieces)
        whole = self.layouts[key].channels().transpose(1, 2, 0)
        top, left = (CELL * int(self.rng.integers(n // CELL)) for n in whole.shape[:2])
        return window(whole, top, left, CELL * (self.cells + 2 * self.margin)).transpose(2, 0, 1)


def window(cells: FloatArray, top: int, left: int, size: int) -> FloatArray:
    """Cut (size, size, ...) out of (rows, columns, ...), going on at the other side."""
    rows, columns = cells.shape[:2]
    return cells[np.ix_((top + np.arange(size)) % rows, (left + np.arange(size)) % columns)]
