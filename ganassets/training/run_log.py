"""The records of a run: log.jsonl, metrics.jsonl and events.jsonl, one JSON object a line."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..api.writer import write_atomic, write_error
from .run_folder import EVENTS, LOG, METRICS


class RunLog:
    """Appends records to the files in a run folder, and reads them back.

    Args:
        folder: Folder of the run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def append(self, name: str, record: Mapping[str, Any]) -> None:
        """Append a record to a file.

        Raises:
            WriteError: The file can't be written.
        """
        try:
            with (self.folder / name).open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise write_error(self.folder, error) from error

    def read(self, name: str) -> list[dict[str, Any]]:
        """Return the records of a file, without lines that were cut off."""
        path = self.folder / name
        if not path.is_file():
            return []
        records = []
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict) and isinstance(record.get("images"), int):
                records.append(record)
        return records

    def rewind(self, images: int) -> None:
        """Drop the records after a number of images, because the run will write them again.

        Events stay, because they record the return; only lines that were cut off are dropped.
        """
        for name, last in ((LOG, images), (METRICS, images), (EVENTS, math.inf)):
            kept = [record for record in self.read(name) if record["images"] <= last]
            if kept:
                write_atomic(self.folder / name, "".join(json.dumps(record) + "\n" for record in kept).encode())
            else:
                (self.folder / name).unlink(missing_ok=True)
