"""
Programs that are not Python's, and which some tests need: what becomes of a test without them.

On anybody's machine it is left out, with a word on how to install them. ``.ci/run`` installs them,
and where it could, it says so to the tests: one that lacks something all the same is an error, so
nothing is left out unnoticed. Where it could not, as without a network, they are left out there
too, and it says that.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

__all__ = ["INSTALLED", "lacking"]

INSTALLED = "TEST_PROGRAMS"
"The variable that is ``installed`` where all of them are said to be there."


def lacking(what: str, install: str) -> NoReturn:
    """
    Leave out the test that is running, for something that is not on this machine.

    Raises:
        RuntimeError: It was said to be there.
    """
    words = f"no {what} on this machine: {install}"
    if os.environ.get(INSTALLED) == "installed":
        raise RuntimeError(words)
    pytest.skip(words)
