"""Token counts on Google's wire, in both spellings and both directions."""

from typing import Any

import pytest

from unirt import Tokens, Usage
from unirt.wire import Wire, WireError
from unirt_google.usage import usage_from_wire, usage_to_wire

GEMINI = {
    "promptTokenCount": 541,
    "responseTokenCount": 61,
    "totalTokenCount": 602,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 541}],
    "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 61}],
    "thoughtsTokenCount": 46,
}
RECORDED = Usage(input=Tokens(text=541), output=Tokens(audio=61), thinking=46)


def details(**counts: int) -> list[dict[str, Any]]:
    return [{"modality": name.upper(), "tokenCount": count} for name, count in counts.items()]


@pytest.mark.parametrize(
    ("wire", "usage"),
    [
        (GEMINI, RECORDED),
        (
            {
                "promptTokenCount": 541,
                "candidatesTokenCount": 61,
                "promptTokensDetails": details(text=541),
                "candidatesTokensDetails": details(audio=61),
                "thoughtsTokenCount": 46,
                "trafficType": "ON_DEMAND",
            },
            RECORDED,
        ),
        (
            {
                "prompt_token_count": "541",
                "response_token_count": 61.0,
                "prompt_tokens_details": [{"modality": "TEXT", "token_count": 541}],
                "response_tokens_details": [{"modality": "AUDIO", "token_count": 61}],
                "thoughts_token_count": 46,
            },
            RECORDED,
        ),
        ({}, Usage()),
        ({"promptTokenCount": None, "promptTokensDetails": None}, Usage()),
        ({"promptTokenCount": 5}, Usage(input=Tokens(other=5))),
        ({"promptTokensDetails": details(text=5)}, Usage(input=Tokens(text=5))),
        (
            {"promptTokenCount": 187, "promptTokensDetails": details(text=154)},
            Usage(input=Tokens(text=154, other=33)),
        ),
        ({"promptTokensDetails": [{"modality": "TEXT"}]}, Usage()),
        ({"promptTokensDetails": details(smell=2)}, Usage(input=Tokens(other=2))),
        (
            {"promptTokenCount": 9, "promptTokensDetails": details(image=2, video=3, document=4)},
            Usage(input=Tokens(image=2, video=3, other=4)),
        ),
        (
            {
                "promptTokenCount": 10,
                "cachedContentTokenCount": 4,
                "cacheTokensDetails": details(text=4),
                "toolUsePromptTokenCount": 7,
                "toolUsePromptTokensDetails": details(text=7),
                "promptTokensDetails": details(text=10),
            },
            Usage(input=Tokens(text=17), cached=Tokens(text=4), tool_use=7),
        ),
        (
            {
                "responseTokensDetails": details(audio=1),
                "candidatesTokensDetails": details(audio=1),
            },
            Usage(output=Tokens(audio=1)),
        ),
        ({"promptTokenCount": -3, "thoughtsTokenCount": -1}, Usage()),
    ],
)
def test_usage_is_read(wire: dict[str, Any], usage: Usage) -> None:
    assert usage_from_wire(Wire(wire)) == usage


def test_the_total_is_added_up_not_read() -> None:
    wire = {**GEMINI, "totalTokenCount": 1}
    assert usage_from_wire(Wire(wire)).total_tokens == 541 + 61 + 46


@pytest.mark.parametrize(
    "wire",
    [{"promptTokenCount": "many"}, {"promptTokensDetails": {}}, {"promptTokensDetails": [1]}],
)
def test_what_is_no_count_is_refused(wire: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        usage_from_wire(Wire(wire))


@pytest.mark.parametrize("dialect", ["gemini", "vertex"])
@pytest.mark.parametrize(
    "usage",
    [
        Usage(),
        RECORDED,
        Usage(input=Tokens(text=1, audio=2, image=3, video=4, other=5), cached=Tokens(text=1)),
        Usage(output=Tokens(text=1, audio=2, other=3), thinking=9),
        Usage(input=Tokens(text=5, other=7), tool_use=7),
    ],
)
def test_what_is_written_is_read_back(usage: Usage, dialect: str) -> None:
    assert usage_from_wire(Wire(usage_to_wire(usage, dialect))) == usage


def test_the_dialect_is_the_spelling() -> None:
    assert "responseTokenCount" in usage_to_wire(RECORDED)
    assert "candidatesTokenCount" in usage_to_wire(RECORDED, "vertex")
    assert "responseTokenCount" not in usage_to_wire(RECORDED, "vertex")
    assert usage_to_wire(RECORDED)["totalTokenCount"] == RECORDED.total_tokens
