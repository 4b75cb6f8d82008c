"""Read and write index.jsonl of an output folder: one line for each asset that was made.

A run starts and ends with a line of its own, so a reader can see whether the last run was interrupted. The files of an
asset are complete before its line is written; what an interrupted run wrote without recording it is made again.
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
FIRST = b'{"begin":'  # start of every index; other files of that name are left alone


class _IndexLine(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class IndexFile(_IndexLine):
    """The size and the digest of an asset's file."""

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class IndexEntry(_IndexLine):
    """The line of an asset.

    Attributes:
        name: Name of the asset, with its subfolder; see ResolvedRequest.path.
        key: See ResolvedRequest.key.
        files: Files by path below the output folder, with slashes.
    """

    name: str = Field(max_length=LONGEST_PATH)
    key: str = Field(pattern="^[0-9a-f]{16}$")
    files: dict[Annotated[str, Field(max_length=LONGEST_PATH)], IndexFile] = Field(max_length=1024)


@dataclass(frozen=True)
class Done:
    """The part of an entry that is kept in memory: its key and the sizes of its files."""

    key: str
    files: Mapping[str, int]

    def is_there(self, out: Path) -> bool:
        """Return whether all files exist with the recorded sizes."""
        try:
            return all((out / path).stat().st_size == size for path, size in self.files.items())
        except (OSError, ValueError):  # a path may hold anything
            return False


class Index:
    """The index of one output folder, open for writing and locked: one run at a time writes to a folder.

    Args:
        out: The folder.

    Attributes:
        done: Entries by name of the asset, with its subfolder.
        cut_off: Whether the last run was interrupted.

    Raises:
        InputError: The file is damaged or in use by another run, or the folder can't be written.
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
        """Whether no other run can be writing to the folder; False where the file system has no locks."""
        return self._journal.locked

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the index and release the folder."""
        self._journal.close()

    def _read(self) -> int:
        """Read the file and return the number of bytes up to the end of the last complete line."""
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
        """Record the start of a run, unless it continues an interrupted one."""
        if not self.cut_off:
            self._journal.write(to_json_line({"begin": __version__}))
        self.cut_off = True

    def enter(self, name: str, key: str, files: Mapping[str, tuple[int, str]], recipe: str) -> None:
        """Record an asset.

        Args:
            name: Name of the asset, with its subfolder.
            key: Key of the unit; see ResolvedRequest.key.
            files: Size in bytes and SHA-256 of each file by its path below the folder.
            recipe: Recipe of the asset, as JSON.
        """
        records = {path: {"bytes": size, "sha256": digest} for path, (size, digest) in files.items()}
        self._journal.write(f'{to_json_line({"name": name, "key": key, "files": records})[:-1]},"recipe":{recipe}}}')

    def end(self) -> None:
        """Record that the run has ended."""
        self._journal.write(to_json_line({"end": __version__}))
        self.cut_off = False


def to_json_line(record: Mapping[str, Any]) -> str:
    """Write JSON on one line."""
    return json.dumps(record, separators=(",", ":"))
