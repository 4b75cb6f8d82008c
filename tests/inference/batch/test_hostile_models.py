"""Models that want all memory or never end: a batch that doesn't trust them says so and ends."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganassets.api.errors import GanassetsError
from ganassets.inference.batch.engine import BatchSettings, run_batch
from ganassets.inference.batch.plan import Plan
from ganassets.inference.batch.worker import LIFT_LIMITS
from ganassets.inference.model import inspect_model
from ganassets.inference.resolve import resolve_request
from support.requests import request_of

pytestmark = pytest.mark.slow
GIGABYTES, SECONDS = 4, 8.0
LOOPS = 2**60


@pytest.fixture
def why(squares: Any, make_model: Callable[..., Path], tmp_path: Path) -> Callable[..., str]:
    """Return a function that edits a model's graph and returns why its assets fail."""

    def run_edited(edit: Callable[[Any], None], patience: float | None = None) -> str:
        file = inspect_model(make_model(edit))
        plan = Plan([resolve_request(request_of((1, 2), to="raw"), file=file)])
        with pytest.raises(GanassetsError) as caught:
            run_batch(plan, tmp_path / "out", BatchSettings(workers=1, memory=GIGABYTES * 2**30, patience=patience))
        return str(caught.value)

    return run_edited


def grown(model: Any, operator: str, *inputs: np.ndarray, constant: bool) -> None:
    """Add the mean of 100 GB to the positions: of numbers that are in the file, or of some that depend on z."""
    from onnx import helper, numpy_helper

    names = [f"hostile{i}" for i in range(len(inputs))]
    model.graph.initializer.extend(map(numpy_helper.from_array, inputs, names))
    seed = [] if operator == "ConstantOfShape" else ["one" if constant else "first_z"]
    if not constant:
        model.graph.initializer.append(numpy_helper.from_array(np.array([0]), "zero"))
        model.graph.node.insert(0, helper.make_node("ReduceMean", ["z"], ["first_z"], keepdims=1))
    else:
        model.graph.initializer.append(numpy_helper.from_array(np.ones((1, 1), np.float32), "one"))
    place = 0 if constant else 1
    model.graph.node.insert(place, helper.make_node(operator, [*seed, *names], ["huge"]))
    model.graph.node.insert(place + 1, helper.make_node("ReduceMean", ["huge"], ["small"], keepdims=0))
    added(model, "small")


def added(model: Any, name: str) -> None:
    """Add a number to the positions, so that it can't be left out."""
    from onnx import helper

    last = next(node for node in model.graph.node if node.output[0] == "positions")
    last.output[0] = "plain_positions"
    model.graph.node.append(helper.make_node("Add", ["plain_positions", name], ["positions"]))


def endless(model: Any) -> None:
    """A loop that adds z to itself for ever."""
    from onnx import TensorProto, helper, numpy_helper

    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Mul", ["x", "x"], ["y"])],
        "body",
        [value("i", TensorProto.INT64, []), value("go", TensorProto.BOOL, []), value("x", TensorProto.FLOAT, [])],
        [value("on", TensorProto.BOOL, []), value("y", TensorProto.FLOAT, [])],
    )
    constants = {"trips": np.array(LOOPS), "yes": np.array(True)}
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in constants.items())
    model.graph.node.insert(0, helper.make_node("ReduceMean", ["z"], ["mean_z"], keepdims=0))
    model.graph.node.insert(1, helper.make_node("Loop", ["trips", "yes", "mean_z"], ["looped"], body=body))
    added(model, "looped")


# Shape of a float32 array of 100 GB.
SHAPE = np.array([160_000, 160_000])


@pytest.mark.skipif(os.name == "nt", reason="Windows doesn't limit a process' memory")
@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("operator", ["ConstantOfShape", "Expand", "Tile"])
def test_a_model_that_needs_all_memory(why, operator, constant):
    text = why(lambda model: grown(model, operator, SHAPE, constant=constant))
    assert re.search(r"can't be (run|opened).*(alloc|bytes)", text), text


def test_a_model_that_never_ends(why):
    assert why(endless, SECONDS) == f"it took more than {SECONDS:g} s; {LIFT_LIMITS}."
