"""index.jsonl of an output folder: what was made, one line an asset, each on the device before the next is told.

A run begins with a line and ends with one, so a reader can tell whether the last one was cut off. A unit's files are
whole before its line is written; what a cut-off run wrote and did not enter is made again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ... import __version__
from ...api.errors import InputError
from .journal import Journal, lines_of

INDEX = "index.jsonl"
LONGEST_PATH = 4096
FIRST = b'{"begin":'  # what every index begins with; a stranger's file of that name stays as it is


class _IndexLine(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class IndexFile(_IndexLine):
    """A file of an asset."""

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class IndexEntry(_IndexLine):
    """A line about an asset.

    Attributes:
        name: of the asset, with its folder below the output folder; see plan.Job.path.
        key: see plan.Job.key.
        files: by path below the output folder, with slashes.
        recipe: see ganassets.inference.recipe; kept as it stands.
    """

    name: str = Field(max_length=LONGEST_PATH)
    key: str = Field(pattern="^[0-9a-f]{16}$")
    files: dict[Annotated[str, Field(max_length=LONGEST_PATH)], IndexFile] = Field(max_length=1024)


@dataclass(frozen=True)
class Done:
    """What is kept of an entry: its key and the sizes of its files."""

    key: str
    files: Mapping[str, int]

    def is_there(self, out: Path) -> bool:
        """Whether all files are, in the size that was entered."""
        try:
            return all((out / path).stat().st_size == size for path, size in self.files.items())
        except (OSError, ValueError):  # a path may hold anything
            return False


class Index:
    """The index of one output folder, open for more and locked: one run at a time writes to a folder.

    Args:
        out: the folder.

    Attributes:
        done: by name of the asset, with its folder.
        cut_off: whether the last run did not end.

    Raises:
        InputError: the file is damaged, another run has it, or the folder can't be written.
    """

    def __init__(self, out: Path) -> None:
        self.path = out / INDEX
        self.done: dict[str, Done] = {}
        self.cut_off = False

        def taken() -> None:
            raise InputError(f"another run is writing to {out}; wait until it has ended, or choose another folder.")

        self._journal = Journal(self.path, out, taken)
        try:
            self._journal.cut(self._read())
        except BaseException:
            self.close()
            raise

    @property
    def locked(self) -> bool:
        """Whether no other run can be writing to the folder; False where the file system knows no locks."""
        return self._journal.locked

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the folder back."""
        self._journal.close()

    def _read(self) -> int:
        """Take in what is there; returns the bytes up to the end of the last whole line."""
        end = 0
        for number, line in enumerate(lines_of(self.path), start=1):
            if not line.endswith(b"\n") and (end or line.startswith(FIRST[: len(line)])):
                break  # the run was killed while it wrote
            try:
                self._take(json.loads(line))
            except (ValueError, RecursionError, ValidationError) as error:
                raise InputError(
                    f"{self.path} is damaged in line {number}; move it away, or choose another folder."
                ) from error
            end += len(line)
        return end

    def _take(self, raw: Any) -> None:
        if not isinstance(raw, dict):
            raise ValueError("not an object")
        if "begin" in raw or "end" in raw:
            self.cut_off = "begin" in raw
            return
        entry = IndexEntry.model_validate(raw)
        self.done[entry.name] = Done(entry.key, {path: file.bytes for path, file in entry.files.items()})

    def begin(self) -> None:
        """A run begins, or goes on where the last one was cut off."""
        if not self.cut_off:
            self._journal.write(as_json({"begin": __version__}))
        self.cut_off = True

    def enter(self, name: str, key: str, files: Mapping[str, tuple[int, str]], recipe: str) -> None:
        """An asset was made.

        Args:
            name, key: of the unit, see plan.Job.
            files: bytes and SHA-256 of each by its path below the folder.
            recipe: its JSON.
        """
        told = {path: {"bytes": size, "sha256": digest} for path, (size, digest) in files.items()}
        self._journal.write(f'{as_json({"name": name, "key": key, "files": told})[:-1]},"recipe":{recipe}}}')

    def end(self) -> None:
        """The run has made all that it could."""
        self._journal.write(as_json({"end": __version__}))
        self.cut_off = False


def as_json(record: Mapping[str, Any]) -> str:
    """JSON on one line."""
    return json.dumps(record, separators=(",", ":"))
