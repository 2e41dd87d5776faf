"""What can be fuzzed, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from tests.fuzz.cassettes import read_any
from tests.fuzz.translators import converse
from unirt.registry import load

__all__ = ["TARGETS"]

TARGETS: Final[Mapping[str, Callable[[bytes], int]]] = {
    "google": partial(converse, load("google")),
    "openai": partial(converse, load("openai")),
    "cassette": read_any,
}
"Each takes an input, and raises where something does not hold."
