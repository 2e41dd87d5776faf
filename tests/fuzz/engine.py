"""
``python -m tests.fuzz.engine TARGET FOLDER [option of libFuzzer]...``: one run of the engine.

It never returns: the engine ends its process, with another status than 0 where something was found.
Code is instrumented as it is imported, so nothing of unirt may be imported before.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

__all__ = ["fuzz"]


def fuzz(target: str, folder: Path, options: list[str]) -> None:
    """
    Search for inputs that break a target.

    Args:
        target: Its name.
        folder: The inputs to begin with; those that reach something new are added.
        options: Of libFuzzer.
    """
    with atheris.instrument_imports(include=["unirt", "unirt_google", "unirt_openai"]):
        from tests.fuzz.targets import TARGETS
    from tests.fuzz.mutation import Mutator

    known = [path.read_bytes() for path in sorted(folder.iterdir())]
    run = TARGETS[target]

    def once(data: bytes) -> None:
        run(data)

    def change_bytes(data: bytes, most: int) -> bytes:
        return bytes(atheris.Mutate(data, most))  # looked up late: Setup() puts another one there

    mutator = Mutator(known, change_bytes)
    atheris.Setup([sys.argv[0], str(folder), *options], once, custom_mutator=mutator.change)
    atheris.Fuzz()


if __name__ == "__main__":
    fuzz(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
