"""What became of each file of training data: used as what, or left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

HIDDEN = "hidden file"
UNREADABLE = "can't be read"
NOT_READ = "kind of file that is not read"


@dataclass(frozen=True)
class FileRecord:
    """What became of a file of training data, or of one part of it such as a clip.

    Attributes:
        file: name within what the user gave, with "/" between folders and after the name of a zip.
        part: name of the part, such as a clip of a GLB; "" for the file itself.
        use: what it became: "picture", "normal map", "clip", "labels"; "" where it is left out.
        facts: what was understood, by name, such as {"set": "brick/wall", "map": "normal"} or {"action": "walk"}.
        reason: how that was decided; or, where it is left out, why.
        category: of what is left out: the reason in words that many files share, such as HIDDEN.
    """

    file: str
    use: str = ""
    part: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    category: str = ""

    @property
    def label(self) -> str:
        """The file's name, with the part's after a colon."""
        return f"{self.file}: {self.part}" if self.part else self.file


@dataclass(frozen=True)
class FileTotals:
    """A count of files that adds up: found = used + the sum of left_out.

    Attributes:
        found: files that there are.
        used: those of which at least one part is used.
        left_out: number of the others by category, the largest first.
    """

    found: int
    used: int
    left_out: Mapping[str, int]


def count_files(records: Iterable[FileRecord]) -> FileTotals:
    """Count each file once, however many parts it has; one that is left out counts under its first record's category."""
    used: set[str] = set()
    first: dict[str, str] = {}
    for record in records:
        first.setdefault(record.file, record.category)
        if record.use:
            used.add(record.file)
    left_out = Counter(category for file, category in first.items() if file not in used)
    return FileTotals(len(first), len(used), dict(left_out.most_common()))
