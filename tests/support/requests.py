"""Requests for models that a test has opened itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ganassets.api.spec import GeneratorSpec
from ganassets.inference.batch.plan import ResolvedRequest
from ganassets.inference.model import Model
from ganassets.inference.request import DEFAULT_TRUNCATION, GenerationRequest
from ganassets.inference.resolve import resolve_with_model


def request_of(
    seeds: Sequence[int] = (), truncation: float = DEFAULT_TRUNCATION, conditions: Mapping[str, Any] = {}, **fields: Any
) -> GenerationRequest:
    """Request some seeds; the model is the one that the test passes beside the request."""
    return GenerationRequest(
        model="opened", seeds=tuple(seeds), truncation=truncation, conditions=dict(conditions), **fields
    )


def resolved_of(model: Model, spec: GeneratorSpec, *args: Any, **fields: Any) -> ResolvedRequest:
    """Resolve such a request; see request_of."""
    return resolve_with_model(request_of(*args, **fields), model, spec)
