"""Jobs of squares for the tests of batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ganassets.api.registry import load_generator
from ganassets.api.spec import GeneratorSpec
from ganassets.inference.batch.plan import Job
from ganassets.inference.model import ModelFile, look_into
from ganassets.inference.pipeline import Request

OPTIONS = {"copies": 1, "style": "plain", "noisy": False, "scale": 1.0}  # of the raw exporter


@pytest.fixture
def file(squares, make_model) -> ModelFile:
    """A model of squares."""
    return look_into(make_model())


@pytest.fixture
def spec(file) -> GeneratorSpec:
    """The squares' plugin."""
    return load_generator("squares")


@pytest.fixture
def make_job(file, spec) -> Callable[..., Job]:
    """make(seeds, request's and job's fields) -> checked job of squares."""

    def make(seeds: Any = (1, 2, 3), request: dict[str, Any] | None = None, **fields: Any) -> Job:
        job = Job(file, "raw", OPTIONS, replace(Request(tuple(seeds)), **(request or {})))
        job = replace(job, **fields)
        job.check(spec)
        return job

    return make
