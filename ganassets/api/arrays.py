"""Types of arrays in assets, and checks of their type, shape and values. numpy is imported at the first check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

from .errors import ContractError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FloatArray: TypeAlias = "NDArray[np.float32]"
IntArray: TypeAlias = "NDArray[np.int32]"
ByteArray: TypeAlias = "NDArray[np.uint8]"

UNIT_TOLERANCE = 1e-3  # largest difference between 1 and the squared length of a unit vector or quaternion


def check_array(name: str, array: object, dtype: str, shape: tuple[int | None, ...]) -> None:
    """Raise ContractError unless array is a numpy array of finite numbers with the given type and shape.

    Args:
        name: Name of the array, for the message.
        array: Object to check.
        dtype: Name of the type, "float32".
        shape: Length of each axis; None allows any length.
    """
    import numpy as np

    if not isinstance(array, np.ndarray):
        raise ContractError(f"{name} must be a {dtype} array, not {type(array).__name__}.")
    values = cast("NDArray[Any]", array)
    if values.dtype != dtype:
        raise ContractError(f"{name} must be a {dtype} array, not {values.dtype}.")
    fits = values.ndim == len(shape) and all(
        size in (None, length) for size, length in zip(shape, values.shape, strict=True)
    )
    if not fits:
        expected = "x".join("any" if size is None else str(size) for size in shape)
        raise ContractError(f"{name} must have shape {expected}, not {'x'.join(map(str, values.shape))}.")
    if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
        raise ContractError(f"{name} holds numbers that are not finite.")


def check_indices(name: str, array: IntArray, below: int) -> None:
    """Raise ContractError unless all indices of an array lie in [0, below)."""
    if array.size and (array.min() < 0 or array.max() >= below):
        raise ContractError(f"{name} holds indices outside 0..{below - 1}.")


def check_unit(name: str, array: FloatArray, kind: str) -> None:
    """Raise ContractError unless the rows of an array have unit length.

    Args:
        name: Name of the array, for the message.
        array: (..., k) rows.
        kind: What a row is, for the message: "vectors" or "quaternions".
    """
    if abs((array**2).sum(-1) - 1).max() > UNIT_TOLERANCE:
        raise ContractError(f"{name} must be unit {kind}.")
