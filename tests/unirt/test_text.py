"""Half a surrogate pair is refused with where it is, before anything is sent."""

import pytest

import unirt
from unirt import commands
from unirt.config import SessionConfig, Tool
from unirt.errors import UsageError
from unirt.text import check_text

HALF = "a\ud800"


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (commands.SendText(text=HALF), "verb.text"),
        (commands.SendToolResult(call_id="c", output={"a": ["b", HALF]}), "verb.output.a[1]"),
        (SessionConfig(tools=(Tool(name="t", description=HALF),)), "verb.tools[0].description"),
        (commands.SendRaw(frame={HALF: 1}), "verb.frame"),
    ],
)
def test_it_says_where_it_is(value: object, where: str) -> None:
    with pytest.raises(UsageError, match="character") as caught:
        check_text(value, "verb")
    assert caught.value.where == where


def test_whole_text_in_any_script_passes() -> None:
    check_text(commands.SendText(text="Grüße, 世界 🎈"), "verb")


def test_connect_refuses_it() -> None:
    with pytest.raises(UsageError, match=r"connect\.instructions"):
        unirt.connect("openai", api_key="sk-1", instructions=HALF, environ={})
