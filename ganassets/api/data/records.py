"""Records of the files of training data: how each is used, or why it is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..errors import InputError
from ..texts import shell_command

# Categories of reasons why files are left out.
HIDDEN = "hidden file"
LEFT_BEHIND = "left by an operating system"
UNREADABLE = "can't be read"
NOT_READ = "kind of file that is not read"
OUTSIDE = "leads out of the data"
LINK = "link to a folder"
TOO_LARGE = "too large"
TOO_SMALL = "too small"
TOO_MANY = "beyond the limit of files"
PREVIEW = "preview or contact sheet"
COPY = "copy of another file"


class LeftOutError(InputError):
    """A file can't be used, for a reason of a common category.

    Args:
        reason: The reason, for the user.
        category: Category of the reason, such as TOO_SMALL.

    >>> error = LeftOutError("only 8 x 8 pixels", TOO_SMALL)
    >>> str(error), error.category == TOO_SMALL
    ('only 8 x 8 pixels', True)
    """

    def __init__(self, reason: str, category: str) -> None:
        super().__init__(reason)
        self.category = category


@dataclass(frozen=True)
class FileRecord:
    """Use of a file of training data, or of one part of it such as a clip.

    Attributes:
        file: Path within the user's folder or zip, with "/" between folders and after the name of a zip.
        use: Purpose of the file: "picture", "normal map", "clip", "labels"; "" if it is left out.
        part: Name of the part, such as a clip of a GLB; "" for the file itself.
        facts: Recognised properties, such as {"set": "brick/wall", "map": "normal"} or {"action": "walk"}.
        reason: Why the file is used that way, or why it is left out.
        category: Category of the reason, such as HIDDEN, if the file is left out.
        count: Number of files that the record covers, all left out for the same reason.

    >>> FileRecord("wall_normal.png", use="normal map", facts={"set": "wall"}).label
    'wall_normal.png'
    >>> FileRecord("hero.glb", use="clip", part="Walk").label
    'hero.glb: Walk'
    """

    file: str
    use: str = ""
    part: str = ""
    facts: Mapping[str, str] = field(default_factory=dict[str, str])
    reason: str = ""
    category: str = ""
    count: int = 1

    @property
    def label(self) -> str:
        """Path of the file, with the part's name after a colon."""
        return f"{self.file}: {self.part}" if self.part else self.file


def left_out(file: str, error: InputError, part: str = "") -> FileRecord:
    """Return the record of a file, or of a part of it, that can't be used because of an error.

    >>> record = left_out("hero.glb", InputError("no skeleton"), part="Wave")
    >>> record.label, record.reason
    ('hero.glb: Wave', 'no skeleton')
    """
    category = error.category if isinstance(error, LeftOutError) else UNREADABLE
    return FileRecord(file, part=part, reason=str(error), category=category)


@dataclass(frozen=True)
class FileTotals:
    """Numbers of files; found = used + the sum of left_out.

    Attributes:
        found: Number of all files.
        used: Number of files of which at least one part is used.
        left_out: Number of the other files by category, the largest first.
        uses: Number of used files by use, the largest first; a file counts once, under its first use.
        examples: First record of each category of files that are left out.
    """

    found: int
    used: int
    left_out: Mapping[str, int]
    uses: Mapping[str, int] = field(default_factory=dict[str, int])
    examples: Mapping[str, FileRecord] = field(default_factory=dict[str, FileRecord])


def count_files(records: Iterable[FileRecord]) -> FileTotals:
    """Count files; each counts once, with any number of parts.

    A file that is left out counts under its first category. A record of several files counts as that many.

    >>> records = [FileRecord("a.png", use="picture"), FileRecord("b.png", reason="damaged", category=UNREADABLE)]
    >>> totals = count_files(records)
    >>> totals.found, totals.used, totals.left_out[UNREADABLE]
    (2, 1, 1)
    """
    used: dict[str, str] = {}
    first: dict[str, FileRecord] = {}
    for record in records:
        first.setdefault(record.file, record)
        if record.use:
            used.setdefault(record.file, record.use)
    unused = [record for file, record in first.items() if file not in used]
    counts: Counter[str] = Counter()
    for record in unused:
        counts[record.category] += record.count
    examples = {record.category: record for record in reversed(unused)}
    return FileTotals(
        len(used) + counts.total(),
        len(used),
        dict(counts.most_common()),
        dict(Counter(used.values()).most_common()),
        examples,
    )


def explain_left_out(records: Iterable[FileRecord]) -> str:
    """Return why files are left out, in one phrase for an error: each category with an example; "" if none is.

    >>> explain_left_out([FileRecord("b.png", reason="damaged", category=UNREADABLE)])
    'b.png: damaged'
    """
    totals = count_files(records)
    return "; ".join(
        f"{example.label}: {example.reason}"
        if (count := totals.left_out[category]) == 1
        else f"{count:,} files: {category}, such as {example.label} ({example.reason})"
        for category, example in ((category, totals.examples[category]) for category in totals.left_out)
    )


def summarize_left_out(records: Iterable[FileRecord], generator: str, folder: str | None) -> list[str]:
    """Return a line about the files that are left out, with the command that lists them; no line if all are used.

    Args:
        records: Records of all files.
        generator: Name of the generator.
        folder: Path of the data as the user wrote it; None if the generator chose the data.
    """
    totals = count_files(records)
    if not totals.left_out:
        return []
    reasons = ", ".join(f"{count:,} {category}" for category, count in totals.left_out.items())
    listed = ""
    if folder:
        command = shell_command("ganassets", "data", folder, "--as", generator, "--seconds", "0", "--json")
        listed = f" To list them: {command}"
    return [f"{totals.found - totals.used:,} of {totals.found:,} files are left out: {reasons}.{listed}"]
