"""Records of files, their counts and their messages."""

from __future__ import annotations

from ganassets.api.data.records import (
    COPY,
    HIDDEN,
    NOT_READ,
    TOO_SMALL,
    UNREADABLE,
    FileRecord,
    LeftOutError,
    count_files,
    explain_left_out,
    left_out,
    summarize_left_out,
)
from ganassets.api.errors import InputError

RECORDS = [
    FileRecord("a.png", "picture"),
    FileRecord("b.png", reason="the same pixels as a.png", category=COPY),
    FileRecord("c.png", reason="the same pixels as a.png", category=COPY),
    FileRecord("d.heic", reason=".heic is not read", category=NOT_READ),
    FileRecord("e.glb", part="Fly", reason="no such action", category="no action"),
    FileRecord("e.glb", "clip", part="Walk"),
    FileRecord("e.glb", "clip", part="Run"),
]


def test_counts_add_up() -> None:
    totals = count_files(RECORDS)
    assert (totals.found, totals.used, totals.left_out) == (5, 2, {COPY: 2, NOT_READ: 1})
    assert totals.uses == {"picture": 1, "clip": 1}, "a file counts once"
    assert totals.found == totals.used + sum(totals.left_out.values()) and totals.used == sum(totals.uses.values())
    assert {category: record.file for category, record in totals.examples.items()} == {
        COPY: "b.png",
        NOT_READ: "d.heic",
    }


def test_a_record_of_many_files_counts_as_these() -> None:
    many = FileRecord(".git/a", reason="hidden", category=HIDDEN, count=1234)
    totals = count_files([*RECORDS, many])
    assert (totals.found, totals.used, totals.left_out) == (1239, 2, {HIDDEN: 1234, COPY: 2, NOT_READ: 1})
    assert explain_left_out([many]) == "1,234 files: hidden file, such as .git/a (hidden)"


def test_errors_become_records() -> None:
    assert left_out("a.png", InputError("damaged")) == FileRecord("a.png", reason="damaged", category=UNREADABLE)
    small = left_out("a.glb", LeftOutError("2 frames", TOO_SMALL), "Walk")
    assert (small.category, small.reason, small.label) == (TOO_SMALL, "2 frames", "a.glb: Walk")


def test_reasons_in_a_phrase() -> None:
    phrase = "2 files: copy of another file, such as b.png (the same pixels as a.png); d.heic: .heic is not read"
    assert explain_left_out(RECORDS) == phrase
    assert explain_left_out(RECORDS[:1]) == ""


def test_a_summary_names_the_command_that_lists_them() -> None:
    counts = "3 of 5 files are left out: 2 copy of another file, 1 kind of file that is not read."
    command = " To list them: ganassets data 'my art' --as portraits --seconds 0 --json"
    assert summarize_left_out(RECORDS, "portraits", "my art") == [counts + command]
    assert summarize_left_out(RECORDS, "portraits", None) == [counts]
    assert summarize_left_out(RECORDS[:1], "portraits", "my art") == []
