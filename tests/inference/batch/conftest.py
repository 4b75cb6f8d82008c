"""Jobs of squares for the tests of batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ganassets.api.registry import load_generator
from ganassets.api.spec import GeneratorSpec
from ganassets.inference.batch.plan import ResolvedRequest
from ganassets.inference.model import ModelFile, inspect_model
from ganassets.inference.request import GenerationRequest

# Default options of the raw exporter.
OPTIONS = {"copies": 1, "style": "plain", "noisy": False, "scale": 1.0}


@pytest.fixture
def file(squares, make_model) -> ModelFile:
    """A model of squares."""
    return inspect_model(make_model())


@pytest.fixture
def spec(file) -> GeneratorSpec:
    """The squares' plugin."""
    return load_generator("squares")


@pytest.fixture
def make_job(file, spec) -> Callable[..., ResolvedRequest]:
    """Return make(seeds, fields of the request, of the resolved request), which builds a checked job of squares."""

    def make(seeds: Any = (1, 2, 3), request: dict[str, Any] | None = None, **fields: Any) -> ResolvedRequest:
        texts = {name: fields.pop(name) for name in ("name", "folder", "title") if name in fields}
        asked = GenerationRequest(model="squares", to="raw", **texts, **(request or {}))
        fields = {"exporter": "raw", "options": OPTIONS, "conditions": asked.conditions, **fields}
        job = ResolvedRequest(asked, file, seeds=tuple(seeds), title=asked.title, **fields)
        job.check(spec)
        return job

    return make
