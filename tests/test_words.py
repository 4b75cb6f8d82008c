"""Content that must not get into the project: paths of one machine, hosts, notes on its making, large files."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LARGEST = 16 * 2**20  # bytes

# Written so that they do not match themselves.
UNWANTED = {
    "a path of one machine": r"(?<![\w.])/(?:wor[k]|roo[t]|op[t]|hom[e]/\w+|user[s]/\w+)/",
    "a package index's host": r"https?://[\w.-]*(?:pyp[i]|npmj[s]|pythonhoste[d]|registr[y])[\w.-]*",
    "talk about how the project was made": r"\b(?:agen[t] session|coding agen[t]|a[i] assistant|issu[e] \d+)\b",
    "a secret": r"-----begi[n] [a-z ]*private key-----",
    "a merge conflict": r"^(?:<<<<<<[<]|>>>>>>[>]) ",
}


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """Files that git tracks or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [path for name in listing.split("\0") if name and (path := ROOT / name).is_file()]


def found(text: str) -> list[str]:
    """Yield each unwanted text and its kind."""
    return [
        f"{what}: {match[0]!r}"
        for what, pattern in UNWANTED.items()
        for match in re.finditer(pattern, text, re.I | re.M)
    ]


@pytest.mark.parametrize(
    "text",
    ["see /" + "work/main", "in '/" + "root/.cache'", "https://py" + "pi.example.org/simple", "as in iss" + "ue 12"],
)
def test_unwanted_words_are_seen(text: str):
    assert found(text)


def test_no_unwanted_words(tracked: list[Path]):
    hits = []
    for path in tracked:
        content = path.read_bytes()
        if b"\0" not in content:
            hits += [f"{path.relative_to(ROOT)}: {hit}" for hit in found(content.decode("utf-8"))]
    assert not hits, "\n".join(hits)


def test_no_large_files(tracked: list[Path]):
    large = [f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes" for path in tracked]
    large = [line for line, path in zip(large, tracked, strict=True) if path.stat().st_size > LARGEST]
    assert not large, "\n".join(large)
