# USD's modules fill themselves from C++ when they are loaded, where pyright can't look.
from typing import Any

def __getattr__(name: str) -> Any: ...
