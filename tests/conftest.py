"""
What every test runs under: no vendor's key, no setting of this machine, no proxy, no other machine;
nothing of ours holds up an event loop, and no task is lost.

And what is there before the first test stays out of the garbage collector's way: the tests and the
libraries that they import are a million objects, and some tests collect garbage often.
"""

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests import blocking, here, lost
from unirt.provider import Provider
from unirt.registry import load

settings.register_profile(
    "default",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "search", max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("default")

_VENDORS = ("UNIRT_", "OPENAI_", "GOOGLE_", "GEMINI_", "AZURE_")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(_VENDORS) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


here.watch()
blocking.watch()
lost.listen()


@pytest.fixture(autouse=True)
def nothing_hidden() -> Iterator[None]:
    """What no test may do fails it, although somebody caught that, or nobody was told."""
    yield
    if told := [*here.refused(), *blocking.blocked(), *lost.lost()]:
        pytest.fail("\n".join(told), pytrace=False)


@pytest.fixture(params=["openai", "google"])
def provider(request: pytest.FixtureRequest) -> Provider:
    """Each that comes with unirt, for what must be alike on both."""
    return load(request.param)


def pytest_xdist_auto_num_workers() -> int:
    """Two for each processor: while one waits for a socket, or for its time, the other works."""
    return 2 * (os.cpu_count() or 1)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()


def pytest_configure(config: pytest.Config) -> None:
    """Where the environment asks for the debug mode of ``asyncio``, tests' own loops are in it."""
    if os.environ.get("PYTHONASYNCIODEBUG"):
        config.option.asyncio_debug = True
