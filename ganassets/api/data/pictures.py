"""Read pictures of a folder or zip as training samples: of any size, shape and mode, fitted to one square size."""

from __future__ import annotations

import hashlib
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
from .labels import FEWEST_LABELS, LABEL_FILE, MOST_LABEL_BYTES, MOST_LABELS, FolderLabels, folder_labels, read_labels
from .records import COPY, TOO_MANY, TOO_SMALL, FileRecord, LeftOutError, explain_left_out, left_out
from .sources import Container, Opener, list_containers, open_container, read_file, unread_records

WANTED = "a folder or a zip of pictures"
SMALLEST = 4  # minimum of pixels per side
MOST_BYTES = 4 * 2**30  # limit of the samples' memory
NO_LABEL = "picture without a label"
INVISIBLE = "picture of which nothing can be seen"
# Ways to fit pictures of different shapes to a square; see read_pictures.
POLICIES = ("auto", "centre", "stretch", "pad")
SAME_ASPECT = 0.05  # largest difference of natural logarithms of aspects that count as the same
SAME_SHARE = 0.95  # share of pictures with one aspect from which `auto` doesn't crop them
LONGEST = 4.0  # limit of the longer side by the shorter
FEW_COLOURS = 256  # number of colours up to which a picture counts as pixel art

ByteArray = NDArray[np.uint8]


@dataclass(frozen=True)
class PictureFile:
    """A picture file.

    Attributes:
        container: Folder or zip of the file.
        name: Name within the container.
        width: Pixels of the upright picture.
        height: Pixels of the upright picture.
        mode: Mode in Pillow, "RGB", "L", "P", ...
        label: Label of the picture; None without one.
    """

    container: Container
    name: str
    width: int
    height: int
    mode: str
    label: str | None = None

    @property
    def full_name(self) -> str:
        """Path within the user's folder or zip."""
        return self.container.full_name(self.name)


@dataclass(frozen=True)
class PictureScan:
    """Pictures of a folder or zip, of which only the headers were read.

    Attributes:
        pictures: Pictures with readable headers; all of them have a label, or none.
        records: Records of all other files.
        notes: Lines for the user.
    """

    pictures: tuple[PictureFile, ...]
    records: tuple[FileRecord, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class PictureSamples:
    """Pictures of one square size.

    Attributes:
        pixels: (n, channels, size, size) uint8 sRGB; a fourth channel is straight (not premultiplied) alpha.
        names: Paths of the files within the user's folder or zip.
        labels: (n,) int64 indices into classes; None without classes.
        classes: Names of the labels in lower case, or empty.
        aspect: Width by height of the pictures before they were made square.
        records: Records of all files, used or left out.
        notes: Lines for the user.

    >>> pixels = np.zeros((2, 3, 64, 64), np.uint8)
    >>> pets = PictureSamples(pixels, ("a.png", "b.png"), np.array([0, 1]), ("cat", "dog"), 1.0, (), ())
    >>> pets.classes[pets.labels[1]]
    'dog'
    """

    pixels: ByteArray
    names: tuple[str, ...]
    labels: NDArray[np.int64] | None
    classes: tuple[str, ...]
    aspect: float
    records: tuple[FileRecord, ...]
    notes: tuple[str, ...]


def scan_pictures(path: Path) -> PictureScan:
    """Read the headers of all pictures in a folder or zip, at any depth.

    Labels come from StyleGAN's dataset.json if there is one. Otherwise they are the names of the first folders that
    differ, if there are 2 to 64 of them and few pictures lie outside.

    Args:
        path: Path of the folder or zip.

    Raises:
        InputError: Path is neither a readable folder nor a zip, or holds no picture that can be used.
    """
    containers, records = list_containers(path, WANTED)
    found: list[PictureFile] = []
    for container in containers:
        with open_container(container) as open_file:
            for name in container.names:
                try:
                    if is_picture(name, open_file):
                        found.append(read_header(container, name, open_file))
                except InputError as error:
                    records.append(left_out(container.full_name(name), error))
    given = given_labels(containers, records)
    notes: tuple[str, ...] = ()
    if given is not None:
        found, notes = with_given_labels(found, given, records)
    else:
        by_folder = folder_labels([picture.full_name for picture in found])
        found, notes = with_folder_labels(found, by_folder, records), by_folder.notes
    known = {picture.full_name for picture in found}.union(record.file for record in records)
    records += unread_records(containers, known)
    if not found:
        raise no_picture_error(path, records)
    return PictureScan(tuple(found), tuple(records), notes)


def no_picture_error(path: Path, records: Sequence[FileRecord]) -> InputError:
    """Return the error for a folder or zip without any usable picture."""
    why = explain_left_out(records)
    return InputError(f"{path} holds no picture that can be used{why and f' ({why})'}; put PNG or JPEG files there.")


def read_header(container: Container, name: str, open_file: Opener) -> PictureFile:
    """Read a picture's header.

    Raises:
        InputError: The picture can't be used.
    """
    with open_file(name) as stream, opened_image(stream, PurePosixPath(name).suffix.lower()) as image:
        width, height = upright_size(image)
        if min(width, height) < SMALLEST:
            raise LeftOutError(f"only {width} x {height} pixels; {SMALLEST} a side are needed", TOO_SMALL)
        return PictureFile(container, name, width, height, image.mode)


def with_folder_labels(
    found: Sequence[PictureFile], by_folder: FolderLabels, records: list[FileRecord]
) -> list[PictureFile]:
    """Return the pictures with their folders' labels; if others have one, those without get a record instead."""
    if by_folder.labels is None:
        return list(found)
    pairs = list(zip(found, by_folder.labels, strict=True))
    why = "lies in no label's folder"
    records += [FileRecord(picture.full_name, reason=why, category=NO_LABEL) for picture, label in pairs if not label]
    return [replace(picture, label=label) for picture, label in pairs if label]


def with_labels(found: Iterable[PictureFile], labels: Sequence[str]) -> list[PictureFile]:
    """Return the pictures with their labels."""
    return [replace(picture, label=label) for picture, label in zip(found, labels, strict=True)]


def given_labels(containers: Sequence[Container], records: list[FileRecord]) -> dict[str, str] | None:
    """Return the labels of all files dataset.json by full name of the picture; None without such a file."""
    labels: dict[str, str] = {}
    files = [(c, name) for c in containers for name in c.names if PurePosixPath(name).name == LABEL_FILE]
    for container, name in files:
        try:
            with open_container(container) as open_file:
                pairs = read_labels(read_file(open_file, name, MOST_LABEL_BYTES))
        except InputError as error:
            records.append(left_out(container.full_name(name), error))
            continue
        records.append(FileRecord(container.full_name(name), "labels", reason=f"labels of {len(pairs):,} pictures"))
        folder = PurePosixPath(name).parent
        labels |= {container.full_name((folder / picture).as_posix()): label for picture, label in pairs}
    return labels if files else None


def with_given_labels(
    found: Sequence[PictureFile], given: dict[str, str], records: list[FileRecord]
) -> tuple[list[PictureFile], tuple[str, ...]]:
    """Return the pictures with the labels of dataset.json, and notes; pictures without a label get a record."""
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
    report: Callable[[int, int], None] | None = None,
) -> PictureSamples:
    """Read all pictures of a folder or zip, each fitted to size x size pixels.

    Memory holds the samples (at most MOST_BYTES) and one picture at a time. Pixel art is enlarged without blur; other
    pictures are reduced to the mean of the pixels under each new one, weighted by alpha.

    Args:
        path: Path of the folder or zip.
        size: Pixels per side.
        crop: "auto": stretch if nearly all pictures have one aspect (the others are cropped to it), else "centre";
            "centre": crop to the largest square in the middle; "stretch": stretch to a square; "pad": add transparency
            or the colour of the edge around the picture.
        report: Called with (done, total) after each picture.

    Raises:
        InputError: The value of crop is unknown, or path is not a folder or zip with a usable picture.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     Image.new("RGB", (40, 40), "red").save(Path(folder, "apple.png"))
    ...     samples = read_pictures(Path(folder), size=32)
    >>> samples.pixels.shape, samples.names
    ((1, 3, 32, 32), ('apple.png',))
    """
    if crop not in POLICIES:
        raise InputError(f"--crop is one of {', '.join(POLICIES)}, not {crop!r}.")
    scan = scan_pictures(path)
    records = list(scan.records)
    chosen, notes = limit_to_memory(scan.pictures, size, records)
    aspect = common_aspect(chosen, crop)
    kept: list[PictureFile] = []
    used: list[FileRecord] = []
    pixels = np.empty((len(chosen), 4, size, size), np.uint8)
    first: dict[bytes, str] = {}
    for container, part in by_container(chosen):
        with open_container(container) as open_file:
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
                if report:
                    report(len(kept), len(chosen))
    if not kept:
        raise no_picture_error(path, records)
    pixels = pixels[: len(kept)]
    channels = 4 if (pixels[:, 3] < 255).any() else 3
    labels, classes = label_indices([found.label for found in kept])
    return PictureSamples(
        pixels[:, :channels], tuple(found.full_name for found in kept), labels, classes, aspect,
        (*used, *records), (*scan.notes, *notes, *one_colour_notes(used)),
    )  # fmt: skip


def is_picture(name: str, open_file: Opener) -> bool:
    """Whether a file is a picture by its suffix or, without one, by its first bytes."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix:
        return suffix in SUFFIXES
    with open_file(name) as stream:
        return stream.read(len(SIGNATURES[0])).startswith(SIGNATURES)


def used_record(found: PictureFile, sample: ByteArray, note: str) -> FileRecord:
    """Return the record of a picture that is used."""
    facts = {"size": f"{found.width} x {found.height}", "mode": found.mode}
    facts |= {"label": found.label} if found.label else {}
    facts |= {"colours": "one"} if (sample == sample[:, :1, :1]).all() else {}
    return FileRecord(found.full_name, "picture", facts=facts, reason=note)


def one_colour_notes(used: Sequence[FileRecord]) -> list[str]:
    """Return a note if some pictures consist of a single colour."""
    flat = [record.label for record in used if "colours" in record.facts]
    return [f"{len(flat):,} of {len(used):,} pictures are of one colour, such as {flat[0]}."] if flat else []


def limit_to_memory(
    pictures: Sequence[PictureFile], size: int, records: list[FileRecord]
) -> tuple[Sequence[PictureFile], tuple[str, ...]]:
    """Return as many pictures, evenly picked, as fit in MOST_BYTES; those left out get records and a note."""
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


def by_container(pictures: Sequence[PictureFile]) -> list[tuple[Container, list[PictureFile]]]:
    """Return the containers with their pictures, both in the given order."""
    parts: dict[int, tuple[Container, list[PictureFile]]] = {}
    for picture in pictures:
        parts.setdefault(id(picture.container), (picture.container, []))[1].append(picture)
    return list(parts.values())


def common_aspect(pictures: Sequence[PictureFile], crop: str) -> float:
    """Return the aspect, width by height, that the pictures are cropped to; see read_pictures."""
    if crop in ("centre", "pad"):
        return 1.0
    logs = np.log([picture.width / picture.height for picture in pictures])
    middle = float(np.median(logs))
    if crop == "auto" and (np.abs(logs - middle) <= SAME_ASPECT).mean() < SAME_SHARE:
        return 1.0
    return round(float(np.exp(np.clip(middle, -np.log(LONGEST), np.log(LONGEST)))), 6)


def label_indices(labels: Sequence[str | None]) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Return (n,) indices into the names of the classes, and the names; none if there are fewer than two classes.

    Names are sorted, numbers by value.
    """
    known = {label for label in labels if label is not None}
    classes = tuple(sorted(known, key=lambda label: (not label.isdigit(), len(label) * label.isdigit(), label)))
    if len(classes) < FEWEST_LABELS:
        return None, ()
    return np.array([classes.index(label) for label in labels if label is not None], np.int64), classes


def label_counts(pictures: PictureSamples) -> dict[str, int]:
    """Return the number of pictures of each class.

    >>> pixels, names = np.zeros((3, 3, 64, 64), np.uint8), ("a.png", "b.png", "c.png")
    >>> pets = PictureSamples(pixels, names, np.array([0, 1, 1]), ("cat", "dog"), 1.0, (), ())
    >>> label_counts(pets)
    {'cat': 1, 'dog': 2}
    """
    counts = Counter([] if pictures.labels is None else pictures.labels.tolist())
    return {name: counts[i] for i, name in enumerate(pictures.classes)}


def read_sample(open_file: Opener, found: PictureFile, size: int, crop: str, aspect: float) -> tuple[ByteArray, str]:
    """Read a picture as a (4, size, size) sample, with a note about it.

    Raises:
        InputError: The file can't be used.
    """
    with open_file(found.name) as stream:
        picture, note = read_upright(stream, PurePosixPath(found.name).suffix.lower(), size)
    square = pad_to_square(picture, size) if crop == "pad" else crop_to_square(picture, size, crop, aspect)
    sample = np.array(square.convert("RGBA")).transpose(2, 0, 1)
    sample[:, sample[3] == 0] = 0  # colours that an editor left there are invisible
    if not sample[3].any():
        raise LeftOutError("all of it is transparent", INVISIBLE)
    return np.ascontiguousarray(sample), note


def read_upright(stream: BinaryIO, suffix: str, size: int) -> tuple[Image.Image, str]:
    """Read an upright 8-bit RGB or RGBA picture, and a note; a JPEG may be reduced to not less than twice the size."""
    with opened_image(stream, suffix) as image:
        # Only JPEG can be decoded at a smaller size, in a fraction of time and memory; the rest is an area mean.
        image.draft(None, (2 * size, 2 * size))
        return visible_image(image)


def crop_to_square(picture: Image.Image, size: int, crop: str, aspect: float) -> Image.Image:
    """Return a square of the picture's middle part of that aspect, or of the whole picture."""
    width, height = picture.size
    whole = crop == "stretch" or (crop == "auto" and abs(np.log(width / height / aspect)) <= SAME_ASPECT)
    inner_width, inner_height = (width, height) if whole else (min(width, height * aspect), min(height, width / aspect))
    left, top = (width - inner_width) / 2, (height - inner_height) / 2
    return resize_part(picture, (size, size), (left, top, left + inner_width, top + inner_height))


def pad_to_square(picture: Image.Image, size: int) -> Image.Image:
    """Return the picture in the middle of a square, with transparency or the mean colour of its edge around it."""
    share = size / max(picture.size)
    inner = resize_part(picture, tuple(max(round(side * share), 1) for side in picture.size), (0, 0, *picture.size))
    paper = (0, 0, 0, 0) if is_transparent(inner) else edge_colour(inner)
    square = Image.new(inner.mode, (size, size), paper)
    square.paste(inner, ((size - inner.width) // 2, (size - inner.height) // 2))
    return square


def is_transparent(picture: Image.Image) -> bool:
    """Whether an 8-bit RGB or RGBA picture has transparent pixels."""
    return picture.mode == "RGBA" and bool((np.asarray(picture)[..., 3] < 255).any())


def edge_colour(picture: Image.Image) -> tuple[int, ...]:
    """Return the mean colour of the outermost pixels."""
    pixels = np.asarray(picture)
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return tuple(round(value) for value in edge.mean(0).tolist())


def resize_part(picture: Image.Image, size: tuple[int, ...], box: tuple[float, ...]) -> Image.Image:
    """Return a part of a picture, resized to (width, height); Pillow weights colours by alpha."""
    left, top, right, bottom = box
    if right - left > size[0] or bottom - top > size[1]:
        method = Image.Resampling.BOX
    else:
        method = Image.Resampling.BICUBIC if picture.getcolors(FEW_COLOURS) is None else Image.Resampling.NEAREST
    inside = left, top, min(right, picture.width), min(bottom, picture.height)  # rounding may lead outside
    return picture.resize((size[0], size[1]), method, box=inside)
