"""Read jobs.toml: a file with several requests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..api.errors import InputError
from ..api.files import read_limited
from ..api.toml_text import parse_toml
from .batch.plan import Plan
from .model import ModelFile, inspect_model
from .model_search import find_model
from .request import GenerationRequest
from .resolve import resolve_request

MAX_BYTES = 2**20
MAX_JOBS = 1000
# Keys that a job with recipes may have; a recipe already says everything else.
RECIPE_KEYS = frozenset({"model", "recipes", "to", "options", "name", "folder", "title"})


def read_jobs(path: Path) -> list[GenerationRequest]:
    """Read the requests of a file of jobs.

    Raises:
        InputError: The file is missing or no TOML, or a job is wrong.
    """
    content = read_limited(path, MAX_BYTES, "a file of jobs")
    try:
        raw = parse_toml(content.decode())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not TOML ({str(error)[:200]}).") from error
    tables = raw.get("job")
    unknown = sorted(raw.keys() - {"job"})
    if unknown:
        raise InputError(f"{path}: there is no {unknown[0][:200]!r} in a file of jobs; write [[job]] tables.")
    if not isinstance(tables, list) or not 1 <= len(tables) <= MAX_JOBS:
        raise InputError(f"{path}: write 1 to {MAX_JOBS:,} [[job]] tables.")
    return [_read_job(path, number, table) for number, table in enumerate(tables, start=1)]


def _read_job(path: Path, number: int, table: Any) -> GenerationRequest:
    title = table.get("title") if isinstance(table, dict) else None
    try:
        if isinstance(table, dict) and table.get("recipes"):
            for key in table:
                if key in {"sliders", *GenerationRequest.model_fields} - RECIPE_KEYS:
                    raise InputError(f"a job with recipes can't set {key}; leave it out.")
        return GenerationRequest.model_validate(table)
    except InputError as error:
        raise InputError(f"{path}, job {str(title or number)[:200]}: {error}") from error


def plan_requests(requests: Sequence[GenerationRequest], folder: Path = Path()) -> Plan:
    """Resolve requests and put them into one plan.

    Args:
        requests: The jobs; one without a title gets its number.
        folder: Folder in which relative paths of models and recipes are looked for first.

    Raises:
        InputError: A request doesn't fit its model, or two assets would have the same name.
    """
    files: dict[Path, ModelFile] = {}  # each model is read once
    jobs = []
    for number, request in enumerate(requests, start=1):
        try:
            path = find_model(request.model, folder)
            files[path] = files.get(path) or inspect_model(path)
            jobs.append(resolve_request(request, folder, files[path], title=f"{number}"))
        except InputError as error:
            raise InputError(f"job {request.title or number}: {error}") from error
    plan = Plan(jobs)
    plan.check_names()
    return plan
