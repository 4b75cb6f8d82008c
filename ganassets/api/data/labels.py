"""Labels of pictures: from the names of their folders, or from a file dataset.json."""

from __future__ import annotations

import itertools
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import InputError

LABEL_FILE = "dataset.json"  # labels in the format of StyleGAN
MOST_LABEL_BYTES = 16 * 2**20
FEWEST_LABELS, MOST_LABELS = 2, 64
MOST_STRAYS = 2  # pictures in a folder beside a much larger one up to which it is not a label of its own
STRAY_SHARE = 0.1  # limit of pictures outside of all labels' folders, as a share of those inside
LONGEST_LABEL = 80  # characters


@dataclass(frozen=True)
class FolderLabels:
    """Labels that result from the folders of pictures.

    Attributes:
        labels: Label of each picture, None for one outside of all labels' folders; None if folders give no labels.
        notes: Lines for the user.
    """

    labels: tuple[str | None, ...] | None
    notes: tuple[str, ...] = ()


def folder_labels(names: Sequence[str]) -> FolderLabels:
    """Return the label of each picture: its first folder that differs from those of others.

    A few pictures may lie outside of these folders. If many do, or there are too many folders, no labels are used.

    Args:
        names: Paths of the pictures, with "/" between folders.
    """
    folders = first_folders([name.split("/") for name in names])
    labelled = sum(folder is not None for folder in folders)
    by_folder, notes = label_names(folder for folder in folders if folder is not None)
    count = len(set(by_folder.values()))
    if count < FEWEST_LABELS:
        return FolderLabels(None)
    if count > MOST_LABELS:
        why = f"the folders give {count:,} of them, {FEWEST_LABELS} to {MOST_LABELS} can be"
        return FolderLabels(None, (f"Labels are not used: {why}.",))
    if not are_strays(strays := len(folders) - labelled, labelled):
        why = f"{strays:,} of {len(folders):,} pictures lie in no label's folder"
        return FolderLabels(None, (f"Labels are not used: {why}.",))
    return FolderLabels(tuple(None if folder is None else by_folder[folder] for folder in folders), tuple(notes))


def first_folders(parts: Sequence[Sequence[str]]) -> list[str | None]:
    """Return the first folder of each picture below the folder that all but a few pictures share; None outside of it.

    A shared folder is kept if there are not several folders below it.
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
        # Pictures beside the shared folder are in none of the folders below it.
        parts = [part if folder == shared else part[:level] for part, folder in zip(parts, folders, strict=True)]


def are_strays(outside: int, inside: int) -> bool:
    """Whether the number of pictures outside of labels' folders is small enough to leave them out."""
    return outside <= STRAY_SHARE * inside


def label_names(folders: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Return the label of each folder, and notes for the user.

    Folders that differ only by case and separators share a label. Folders that differ by characters that a label can't
    contain get different labels.
    """
    labels: dict[str, str] = {}
    taken: dict[str, str] = {}  # normalised name of a folder, by label
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
    """Return the name of a folder or zip as a label, in any script: "dark-elves" for "Dark Elves.zip"."""
    name = unicodedata.normalize("NFC", folder).lower().removesuffix(".zip")
    letters = [c if c.isalnum() or unicodedata.category(c).startswith("M") else "-" for c in name]
    return re.sub("-+", "-", "".join(letters)).strip("-")[:LONGEST_LABEL] or "other"


def read_labels(content: bytes) -> list[tuple[str, str]]:
    """Return names and labels of a dataset.json: {"labels": [["00000/img00000000.png", 6], ...]}, or null for none.

    Raises:
        InputError: The file contains something else.
    """
    try:
        pairs: list[tuple[str, int]] = json.loads(content)["labels"] or []
        if all(is_label_pair(name, label) for name, label in pairs):
            return [(name.replace("\\", "/"), str(label)) for name, label in pairs]
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise InputError('not labels such as {"labels": [["a.png", 0], ["b.png", 1]]}; it is not used')


def is_label_pair(name: object, label: object) -> bool:
    """Whether a name and a label from JSON have the right types."""
    return isinstance(name, str) and type(label) is int
