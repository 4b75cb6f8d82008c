"""Pictures of a folder or zip as training samples: any size, shape and mode, brought to one square size."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import InputError
from .images import SIGNATURES, SUFFIXES, opened_image, upright_size, visible_image
from .records import COPY, TOO_MANY, TOO_SMALL, FileRecord, LeftOutError, explain_left_out, left_out
from .sources import Container, Opener, list_containers, opened, read_file, unread_records

WANTED = "a folder or a zip of pictures"
SMALLEST = 4  # pixels of a side; less shows nothing
MOST_BYTES = 4 * 2**30  # that the samples may take
LABEL_FILE = "dataset.json"  # of StyleGAN's data sets
MOST_LABEL_BYTES = 16 * 2**20
FEWEST_LABELS, MOST_LABELS = 2, 64
NO_LABEL = "picture without a label"
INVISIBLE = "picture of which nothing can be seen"
MOST_STRAYS = 2  # pictures of a folder beside a much larger one that is no label of its own
STRAY_SHARE = 0.1  # of the pictures in labels' folders that may lie outside of any, to be left out
LONGEST_LABEL = 80  # letters
# How pictures of different shapes become alike; see read_pictures.
POLICIES = ("auto", "centre", "stretch", "pad")
ALIKE = 0.05  # natural logarithm of the aspect by which shapes count as the same
SHARE_ALIKE = 0.95  # of the pictures that has one shape, for `auto` to show them whole
LONGEST = 4.0  # longer side by shorter that a shape may have
FEW_COLOURS = 256  # what has no more is drawn pixel by pixel

ByteArray = NDArray[np.uint8]


@dataclass(frozen=True)
class Found:
    """A picture file.

    Attributes:
        container: folder or zip that it is in.
        name: within the container.
        width, height: pixels, upright.
        mode: Pillow's, "RGB", "L", "P", ...
        label: what it shows, None where nothing says it.
    """

    container: Container
    name: str
    width: int
    height: int
    mode: str
    label: str | None = None

    @property
    def full_name(self) -> str:
        """Name within what the user gave."""
        return self.container.full_name(self.name)


@dataclass(frozen=True)
class Scan:
    """Pictures of a folder or zip by their files' headers alone.

    Attributes:
        pictures: whose headers can be read, all with a label or none.
        records: of all other files.
        notes: lines for the user.
    """

    pictures: tuple[Found, ...]
    records: tuple[FileRecord, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures brought to one size.

    Attributes:
        pixels: (n, channels, size, size) uint8 sRGB; a fourth channel is alpha, not multiplied into the colours.
        names: of their files within what the user gave.
        labels: (n,) int64 indices into classes; None where there are no classes.
        classes: names of the labels in lower case, or empty.
        aspect: width by height of what the square pictures show.
        records: of all files, the used ones among them.
        notes: lines for the user.
    """

    pixels: ByteArray
    names: tuple[str, ...]
    labels: NDArray[np.int64] | None
    classes: tuple[str, ...]
    aspect: float
    records: tuple[FileRecord, ...]
    notes: tuple[str, ...]


def scan_pictures(path: Path) -> Scan:
    """Look at the headers of all pictures in a folder or zip, at any depth.

    Labels are those of StyleGAN's dataset.json where there is one, else the names of the first folders that differ,
    where there are 2 to 64 of them and few pictures lie outside.

    Raises:
        InputError: path is neither a readable folder nor a zip, or holds no picture that can be used.
    """
    containers, records = list_containers(path, WANTED)
    found: list[Found] = []
    for container in containers:
        with opened(container) as open_file:
            for name in container.names:
                try:
                    if is_picture(name, open_file):
                        found.append(header(container, name, open_file))
                except InputError as error:
                    records.append(left_out(container.full_name(name), error))
    given = given_labels(containers, records)
    notes: tuple[str, ...] = ()
    if given is not None:
        found, notes = with_given_labels(found, given, records)
    else:
        told = folder_labels([picture.full_name for picture in found])
        found, notes = with_folder_labels(found, told, records), told.notes
    known = {picture.full_name for picture in found}.union(record.file for record in records)
    records += unread_records(containers, known)
    if not found:
        raise no_picture(path, records)
    return Scan(tuple(found), tuple(records), notes)


def no_picture(path: Path, records: Sequence[FileRecord]) -> InputError:
    """The error where no picture can be used."""
    why = explain_left_out(records)
    return InputError(f"{path} holds no picture that can be used{why and f' ({why})'}; put PNG or JPEG files there.")


def header(container: Container, name: str, open_file: Opener) -> Found:
    """What a picture's header says; InputError says why it can't be used."""
    with open_file(name) as stream, opened_image(stream, PurePosixPath(name).suffix.lower()) as image:
        width, height = upright_size(image)
        if min(width, height) < SMALLEST:
            raise LeftOutError(f"only {width} x {height} pixels; {SMALLEST} a side are needed", TOO_SMALL)
        return Found(container, name, width, height, image.mode)


def with_folder_labels(found: Sequence[Found], told: FolderLabels, records: list[FileRecord]) -> list[Found]:
    """The pictures with their folders' labels; those without one get records where the others have any."""
    if told.labels is None:
        return list(found)
    pairs = list(zip(found, told.labels, strict=True))
    why = "lies in no label's folder"
    records += [FileRecord(picture.full_name, reason=why, category=NO_LABEL) for picture, label in pairs if not label]
    return [replace(picture, label=label) for picture, label in pairs if label]


def with_labels(found: Iterable[Found], labels: Sequence[str]) -> list[Found]:
    """The pictures with their labels."""
    return [replace(picture, label=label) for picture, label in zip(found, labels, strict=True)]


@dataclass(frozen=True)
class FolderLabels:
    """What the folders of pictures say.

    Attributes:
        labels: of each picture, None for one that lies in no label's folder; None where folders say nothing.
        notes: lines for the user.
    """

    labels: tuple[str | None, ...] | None
    notes: tuple[str, ...] = ()


def folder_labels(names: Sequence[str]) -> FolderLabels:
    """Label of each picture by the first folder that differs.

    A few pictures may lie outside of these folders; where many do, or there are too many folders, labels are not used.
    """
    folders = first_folders([name.split("/") for name in names])
    labelled = sum(folder is not None for folder in folders)
    by_folder, notes = label_names(folder for folder in folders if folder is not None)
    count = len(set(by_folder.values()))
    if count < FEWEST_LABELS:
        return FolderLabels(None)
    if count > MOST_LABELS:
        told = f"the folders give {count:,} of them, {FEWEST_LABELS} to {MOST_LABELS} can be"
        return FolderLabels(None, (f"Labels are not used: {told}.",))
    if not are_strays(strays := len(folders) - labelled, labelled):
        told = f"{strays:,} of {len(folders):,} pictures lie in no label's folder"
        return FolderLabels(None, (f"Labels are not used: {told}.",))
    return FolderLabels(tuple(None if folder is None else by_folder[folder] for folder in folders), tuple(notes))


def first_folders(parts: Sequence[Sequence[str]]) -> list[str | None]:
    """The first folder of each picture below the folder that all but a few strays share; None for those outside of any.

    Folders are not passed over where there aren't several below them.
    """
    level, above = 0, None
    while True:
        folders = [part[level] if len(part) > level + 1 else None for part in parts]
        counts = Counter(folder for folder in folders if folder is not None)
        if above is not None and not are_strays(len(parts) - counts.total(), counts.total()):
            return above
        several = len(counts) >= FEWEST_LABELS
        shared, count = next(iter(counts.most_common(1)), (None, 0))
        largest_other = max((number for folder, number in counts.items() if folder != shared), default=0)
        if not counts or largest_other > MOST_STRAYS or (several and not are_strays(len(parts) - count, count)):
            return folders
        above = folders if several and above is None else above
        level += 1
        # What lies beside the shared folder lies in none of those below it.
        parts = [part if folder == shared else part[:level] for part, folder in zip(parts, folders, strict=True)]


def are_strays(outside: int, inside: int) -> bool:
    """Whether so few pictures lie outside of labels' folders that they may be left out."""
    return outside <= STRAY_SHARE * inside


def label_names(folders: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Label of each folder, and notes. Folders that differ by case and separators alone share a label; signs that can't
    be part of one don't make two the same.
    """
    labels: dict[str, str] = {}
    taken: dict[str, str] = {}  # what stands for the folder's own name, by label
    notes: list[str] = []
    for folder in sorted(set(folders)):
        own = re.sub(r"[\s_-]+", "-", unicodedata.normalize("NFC", folder).casefold().removesuffix(".zip")).strip("-")
        base = label_name(folder)
        names = itertools.chain([base], (f"{base}-{n}" for n in itertools.count(2)))
        label = next(name for name in names if taken.get(name, own) == own)
        if label != base:
            notes.append(f"The folder {folder} has the label {label}, because another one is called {base} already.")
        if label in taken:
            notes.append(f"The folder {folder} shares the label {label} with another one.")
        taken[label] = own
        labels[folder] = label
    return labels, notes


def label_name(folder: str) -> str:
    """A folder's or zip's name as the user can type it, in any script: "dark-elves" of "Dark Elves.zip"."""
    name = unicodedata.normalize("NFC", folder).lower().removesuffix(".zip")
    letters = [c if c.isalnum() or unicodedata.category(c).startswith("M") else "-" for c in name]
    return re.sub("-+", "-", "".join(letters)).strip("-")[:LONGEST_LABEL] or "other"


def given_labels(containers: Sequence[Container], records: list[FileRecord]) -> dict[str, str] | None:
    """Labels by full name as the files dataset.json give them; None where there is no such file."""
    labels: dict[str, str] = {}
    files = [(c, name) for c in containers for name in c.names if PurePosixPath(name).name == LABEL_FILE]
    for container, name in files:
        try:
            with opened(container) as open_file:
                pairs = read_labels(read_file(open_file, name, MOST_LABEL_BYTES))
        except InputError as error:
            records.append(left_out(container.full_name(name), error))
            continue
        records.append(FileRecord(container.full_name(name), "labels", reason=f"labels of {len(pairs):,} pictures"))
        folder = PurePosixPath(name).parent
        labels |= {container.full_name((folder / picture).as_posix()): label for picture, label in pairs}
    return labels if files else None


def read_labels(content: bytes) -> list[tuple[str, str]]:
    """Names and labels of a dataset.json: {"labels": [["00000/img00000000.png", 6], ...]}, or null for none.

    Raises:
        InputError: it holds something else.
    """
    try:
        pairs = json.loads(content)["labels"] or []
        if all(isinstance(name, str) and type(label) is int for name, label in pairs):
            return [(name.replace("\\", "/"), str(label)) for name, label in pairs]
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise InputError('not labels such as {"labels": [["a.png", 0], ["b.png", 1]]}; it is not used')


def with_given_labels(
    found: Sequence[Found], given: dict[str, str], records: list[FileRecord]
) -> tuple[list[Found], tuple[str, ...]]:
    """Pictures with the labels of dataset.json, and notes; those that it leaves out get records."""
    count = len(set(given.values()))
    if not FEWEST_LABELS <= count <= MOST_LABELS:
        wrong = f"Labels are not used: {LABEL_FILE} has {count:,} of them, {FEWEST_LABELS} to {MOST_LABELS} can be."
        return list(found), (wrong,) if count else ()
    why = f"{LABEL_FILE} gives it no label"
    records += [FileRecord(p.full_name, reason=why, category=NO_LABEL) for p in found if p.full_name not in given]
    labelled = [picture for picture in found if picture.full_name in given]
    return with_labels(labelled, [given[picture.full_name] for picture in labelled]), ()


def read_pictures(
    path: Path,
    size: int,
    crop: str = "auto",
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Pictures:
    """Read all pictures of a folder or zip, each brought to size x size.

    They are read one after the other, so memory holds the samples (at most MOST_BYTES of them) and one picture. Pixel
    art is enlarged without blur; what is reduced becomes the mean of the pixels under each new one, weighted by alpha.

    Args:
        path: of the folder or the zip.
        size: pixels of a side.
        crop: "auto": whole where nearly all have one shape (the others are cut to it), else as "centre"; "centre": the
            largest square in the middle; "stretch": whole, whatever the shape; "pad": whole, with transparency or the
            colour of its edge around it.
        report: called with (done, total).

    Raises:
        InputError: an unknown crop; path is no folder or zip, or holds no picture that can be used.
    """
    if crop not in POLICIES:
        raise InputError(f"--crop is one of {', '.join(POLICIES)}, not {crop!r}.")
    scan = scan_pictures(path)
    records = list(scan.records)
    chosen, notes = within_memory(scan.pictures, size, records)
    aspect = common_aspect(chosen, crop)
    kept: list[Found] = []
    used: list[FileRecord] = []
    pixels = np.empty((len(chosen), 4, size, size), np.uint8)
    first: dict[bytes, str] = {}
    for container, part in by_container(chosen):
        with opened(container) as open_file:
            for found in part:
                try:
                    sample, note = read_sample(open_file, found, size, crop, aspect)
                except InputError as error:
                    records.append(left_out(found.full_name, error))
                    continue
                original = first.setdefault(hashlib.sha256(sample.tobytes()).digest(), found.full_name)
                if original != found.full_name:
                    records.append(FileRecord(found.full_name, reason=f"the same pixels as {original}", category=COPY))
                    continue
                pixels[len(kept)] = sample
                kept.append(found)
                used.append(used_record(found, sample, note))
                report(len(kept), len(chosen))
    if not kept:
        raise no_picture(path, records)
    pixels = pixels[: len(kept)]
    channels = 4 if (pixels[:, 3] < 255).any() else 3
    labels, classes = label_indices([found.label for found in kept])
    return Pictures(
        pixels[:, :channels], tuple(found.full_name for found in kept), labels, classes, aspect,
        (*used, *records), (*scan.notes, *notes, *one_colour_notes(used)),
    )  # fmt: skip


def is_picture(name: str, open_file: Opener) -> bool:
    """Whether a file is a picture by its name's ending or, without one, by how it begins."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix:
        return suffix in SUFFIXES
    with open_file(name) as stream:
        return stream.read(len(SIGNATURES[0])).startswith(SIGNATURES)


def used_record(found: Found, sample: ByteArray, note: str) -> FileRecord:
    """The record of a picture that is used."""
    facts = {"size": f"{found.width} x {found.height}", "mode": found.mode}
    facts |= {"label": found.label} if found.label else {}
    facts |= {"colours": "one"} if (sample == sample[:, :1, :1]).all() else {}
    return FileRecord(found.full_name, "picture", facts=facts, reason=note)


def one_colour_notes(used: Sequence[FileRecord]) -> list[str]:
    """A note where pictures show nothing but one colour."""
    flat = [record.label for record in used if "colours" in record.facts]
    return [f"{len(flat):,} of {len(used):,} pictures are of one colour, such as {flat[0]}."] if flat else []


def within_memory(
    pictures: Sequence[Found], size: int, records: list[FileRecord]
) -> tuple[Sequence[Found], tuple[str, ...]]:
    """As many of the pictures as memory may hold, evenly picked; a note and records where some are left out."""
    most = MOST_BYTES // (4 * size * size)
    if len(pictures) <= most:
        return pictures, ()
    numbers = {i * len(pictures) // most for i in range(most)}
    picked = [picture for i, picture in enumerate(pictures) if i in numbers]
    why = "the pictures would not fit in memory; some, evenly picked, are left out"
    records += [
        FileRecord(picture.full_name, reason=why, category=TOO_MANY)
        for i, picture in enumerate(pictures)
        if i not in numbers
    ]
    return picked, (f"{most:,} of {len(pictures):,} pictures are used; more would not fit in memory.",)


def by_container(pictures: Sequence[Found]) -> list[tuple[Container, list[Found]]]:
    """Pictures by the container they are in, both in order."""
    parts: dict[int, tuple[Container, list[Found]]] = {}
    for picture in pictures:
        parts.setdefault(id(picture.container), (picture.container, []))[1].append(picture)
    return list(parts.values())


def common_aspect(pictures: Sequence[Found], crop: str) -> float:
    """Width by height that the pictures are shown at; see read_pictures."""
    if crop in ("centre", "pad"):
        return 1.0
    logs = np.log([picture.width / picture.height for picture in pictures])
    middle = float(np.median(logs))
    if crop == "auto" and (np.abs(logs - middle) <= ALIKE).mean() < SHARE_ALIKE:
        return 1.0
    return round(float(np.exp(np.clip(middle, -np.log(LONGEST), np.log(LONGEST)))), 6)


def label_indices(labels: Sequence[str | None]) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """(n,) indices into the names of the classes, numbers by size; none where fewer than two are left."""
    known = {label for label in labels if label is not None}
    classes = tuple(sorted(known, key=lambda label: (not label.isdigit(), len(label) * label.isdigit(), label)))
    if len(classes) < FEWEST_LABELS:
        return None, ()
    return np.array([classes.index(label) for label in labels if label is not None], np.int64), classes


def label_counts(pictures: Pictures) -> dict[str, int]:
    """How many pictures each class has."""
    counts = Counter([] if pictures.labels is None else pictures.labels.tolist())
    return {name: counts[i] for i, name in enumerate(pictures.classes)}


def read_sample(open_file: Opener, found: Found, size: int, crop: str, aspect: float) -> tuple[ByteArray, str]:
    """(4, size, size) of a picture and a note about it; InputError says what is wrong with the file."""
    with open_file(found.name) as stream:
        picture, note = read_upright(stream, PurePosixPath(found.name).suffix.lower(), size)
    framed = padded(picture, size) if crop == "pad" else fitted(picture, size, crop, aspect)
    sample = np.array(framed.convert("RGBA")).transpose(2, 0, 1)
    sample[:, sample[3] == 0] = 0  # whatever an editor left there is not seen
    if not sample[3].any():
        raise LeftOutError("all of it is transparent", INVISIBLE)
    return np.ascontiguousarray(sample), note


def read_upright(stream: BinaryIO, suffix: str, size: int) -> tuple[Image.Image, str]:
    """An 8-bit RGB or RGBA picture, and a note; a JPEG perhaps smaller than it is, but of at least twice the size."""
    with opened_image(stream, suffix) as image:
        # JPEG alone can be decoded smaller, in a fraction of time and memory; the last halving stays an area mean.
        image.draft(None, (2 * size, 2 * size))
        return visible_image(image)


def fitted(picture: Image.Image, size: int, crop: str, aspect: float) -> Image.Image:
    """A picture as a square that shows its middle of the aspect, or all of it."""
    width, height = picture.size
    whole = crop == "stretch" or (crop == "auto" and abs(np.log(width / height / aspect)) <= ALIKE)
    inner_width, inner_height = (width, height) if whole else (min(width, height * aspect), min(height, width / aspect))
    left, top = (width - inner_width) / 2, (height - inner_height) / 2
    return scaled(picture, (size, size), (left, top, left + inner_width, top + inner_height))


def padded(picture: Image.Image, size: int) -> Image.Image:
    """A picture in the middle of a square, with transparency around it, or the mean colour of its edge."""
    share = size / max(picture.size)
    inner = scaled(picture, tuple(max(round(side * share), 1) for side in picture.size), (0, 0, *picture.size))
    paper = (0, 0, 0, 0) if is_transparent(inner) else edge_colour(inner)
    square = Image.new(inner.mode, (size, size), paper)
    square.paste(inner, ((size - inner.width) // 2, (size - inner.height) // 2))
    return square


def is_transparent(picture: Image.Image) -> bool:
    """Whether something shines through an 8-bit RGB or RGBA picture."""
    return picture.mode == "RGBA" and bool((np.asarray(picture)[..., 3] < 255).any())


def edge_colour(picture: Image.Image) -> tuple[int, ...]:
    """Mean colour of the outermost pixels."""
    pixels = np.asarray(picture)
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return tuple(round(value) for value in edge.mean(0).tolist())


def scaled(picture: Image.Image, size: tuple[int, ...], box: tuple[float, ...]) -> Image.Image:
    """A part of a picture brought to (width, height); Pillow weighs colours by alpha."""
    left, top, right, bottom = box
    if right - left > size[0] or bottom - top > size[1]:
        method = Image.Resampling.BOX
    else:
        method = Image.Resampling.BICUBIC if picture.getcolors(FEW_COLOURS) is None else Image.Resampling.NEAREST
    inside = left, top, min(right, picture.width), min(bottom, picture.height)  # rounding may lead out
    return picture.resize((size[0], size[1]), method, box=inside)
