"""Read the files of a training run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ganassets.training.checkpoint import list_checkpoints


def read_records(path: Path) -> list[dict[str, Any]]:
    """Read the records of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def count_images(run: Path) -> int:
    """Return the images of the newest checkpoint; -1 before there is one."""
    return max((int(path.stem) for path in list_checkpoints(run / "checkpoints")), default=-1)
