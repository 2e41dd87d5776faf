"""
``python -m tests.fuzz.engine TARGET PROGRAM [argument of libFuzzer]...``: one run of the engine.

It never returns: the engine ends its process, with another status than 0 where something was found.
Code is instrumented as it is imported, so nothing of unirt may be imported before.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import atheris

__all__ = ["fuzz"]

_TRANSLATION: Final = ("unirt.composer", "unirt.envelope", "unirt.wire")
WATCHED: Final[Mapping[str, tuple[str, ...]]] = {
    "google": (*_TRANSLATION, "unirt_google"),
    "openai": (*_TRANSLATION, "unirt_openai"),
    "cassette": ("unirt.cassettes", "unirt.wire"),
}
"What makes of bytes what they mean, by target; all else would be watched for nothing."


def fuzz(target: str, program: str, *arguments: str) -> None:
    """
    Run the engine.

    Args:
        target: The name of what is fuzzed.
        program: What the engine starts to have this again, which it does to merge folders.
        arguments: Of libFuzzer: folders of inputs, and options.
    """
    with atheris.instrument_imports(include=list(WATCHED[target])):
        from tests.fuzz.targets import SEARCHED
    from tests.fuzz.mutation import Mutator

    folders = [Path(argument) for argument in arguments if not argument.startswith("-")]
    known = [path.read_bytes() for path in sorted(folders[0].iterdir())]
    run, lines, counter = SEARCHED[target], 0, _counter()

    def once(data: bytes) -> None:
        nonlocal lines
        lines += run(data)
        struct.pack_into("<Q", counter, 0, lines)

    def change_bytes(data: bytes, most: int) -> bytes:
        return bytes(atheris.Mutate(data, most))  # looked up late: Setup() puts another one there

    mutator = Mutator(known, change_bytes)
    atheris.Setup([program, *arguments], once, custom_mutator=mutator.change)
    atheris.Fuzz()


def _counter() -> mmap.mmap | bytearray:
    """The number of lines tried, outside of this process: the engine ends it, and counts inputs."""
    path = os.environ.get("UNIRT_FUZZ_COUNTER")
    if path is None:
        return bytearray(8)
    with open(path, "r+b") as file:
        return mmap.mmap(file.fileno(), 8)


if __name__ == "__main__":
    fuzz(*sys.argv[1:])
