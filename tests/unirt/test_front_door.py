"""The front door: what is public, and what importing it costs."""

import subprocess
import sys

import pytest

import unirt
from unirt import commands, config, errors, events, items


@pytest.mark.parametrize("module", [events, commands, config, errors, items])
def test_every_public_name_of_the_vocabulary_is_at_the_front_door(module: object) -> None:
    names = set(getattr(module, "__all__", ()))
    assert names <= set(unirt.__all__)


def test_every_name_listed_exists_and_is_listed_once() -> None:
    assert len(unirt.__all__) == len(set(unirt.__all__))
    for name in unirt.__all__:
        assert hasattr(unirt, name), name


def test_importing_unirt_imports_no_sdk_and_nothing_heavy() -> None:
    code = (
        "import sys, unirt; "
        "heavy = {'openai', 'google.genai', 'aiortc', 'numpy', 'soxr', 'rich', 'typer', "
        "'pydantic_settings'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_events_carry_their_plane_origin_and_native_object() -> None:
    origin = unirt.Origin(
        provider="toy", received_at=2.5, raw={"type": "x"}, parse_native=lambda raw: raw["type"]
    )
    event = unirt.InputCleared(origin=origin)
    assert (event.plane, event.provider, event.received_at) == ("control", "toy", 2.5)
    assert event.raw == {"type": "x"}
    assert event.native() == "x"
    assert unirt.InputCleared(origin=unirt.Origin(provider="toy")).native() is None


def test_events_are_frozen() -> None:
    event = unirt.InputCleared(origin=unirt.Origin(provider="toy"))
    with pytest.raises(AttributeError):
        event.turn_id = "x"  # type: ignore[misc]  # the case
