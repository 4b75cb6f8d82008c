"""What became of each file of training data: used as what, or left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..errors import InputError
from ..texts import shell_command

# Categories: reasons that many files share.
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
    """A file can't be used, for a reason that many files share.

    Args:
        reason: why, in words.
        category: of the reason, such as TOO_SMALL.
    """

    def __init__(self, reason: str, category: str) -> None:
        super().__init__(reason)
        self.category = category


@dataclass(frozen=True)
class FileRecord:
    """What became of a file of training data, or of one part of it such as a clip.

    Attributes:
        file: name within what the user gave, with "/" between folders and after the name of a zip.
        part: name of the part, such as a clip of a GLB; "" for the file itself.
        use: what it became: "picture", "normal map", "clip", "labels"; "" where it is left out.
        facts: what was understood, by name, such as {"set": "brick/wall", "map": "normal"} or {"action": "walk"}.
        reason: how that was decided; or, where it is left out, why.
        category: reason that many files share, such as HIDDEN, where the file is left out.
        count: of files that the record stands for, the named one among them, where each is left out for that reason.
    """

    file: str
    use: str = ""
    part: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    category: str = ""
    count: int = 1

    @property
    def label(self) -> str:
        """The file's name, with the part's after a colon."""
        return f"{self.file}: {self.part}" if self.part else self.file


def left_out(file: str, error: InputError, part: str = "") -> FileRecord:
    """The record of a file, or of a part of it, that an error keeps from being used."""
    category = error.category if isinstance(error, LeftOutError) else UNREADABLE
    return FileRecord(file, part=part, reason=str(error), category=category)


@dataclass(frozen=True)
class FileTotals:
    """A count of files that adds up: found = used + the sum of left_out.

    Attributes:
        found: files that there are.
        used: those of which at least one part is used.
        left_out: number of the others by category, the largest first.
        uses: number of used files by what they became, the largest first; a file counts once, under its first use.
        examples: the first record of each category of files that are left out.
    """

    found: int
    used: int
    left_out: Mapping[str, int]
    uses: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, FileRecord] = field(default_factory=dict)


def count_files(records: Iterable[FileRecord]) -> FileTotals:
    """Count each file once, however many parts it has; one that is left out counts under its first category. A record
    of many files counts as these.
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
    """Why files are left out, in one phrase for an error: each reason that files share with an example; "" for none."""
    totals = count_files(records)
    return "; ".join(
        f"{example.label}: {example.reason}"
        if (count := totals.left_out[category]) == 1
        else f"{count:,} files: {category}, such as {example.label} ({example.reason})"
        for category, example in ((category, totals.examples[category]) for category in totals.left_out)
    )


def summarize_left_out(records: Iterable[FileRecord], generator: str, folder: str | None) -> list[str]:
    """A line about the files that are left out, with the command that lists them all; none where all are used.

    Args:
        records: of all files.
        generator: that is trained.
        folder: of the data as the user gave it; None where the generator chose it.
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
