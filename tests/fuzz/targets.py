"""What can be fuzzed, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from tests.fuzz.cassettes import read_any
from tests.fuzz.translators import converse, search
from unirt.registry import load

__all__ = ["SEARCHED", "TARGETS"]

TARGETS: Final[Mapping[str, Callable[[bytes], int]]] = {
    "google": partial(converse, load("google")),
    "openai": partial(converse, load("openai")),
    "cassette": read_any,
}
"Each takes an input, and raises where something does not hold."

SEARCHED: Final[Mapping[str, Callable[[bytes], int]]] = {
    "google": partial(search, load("google")),
    "openai": partial(search, load("openai")),
    "cassette": read_any,
}
"The same, as a search does it: for less of each input, and so for more of them."
