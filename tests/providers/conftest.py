"""The vendors' own types as judges: what a frame must be to be one of theirs."""

import json
import typing
from collections.abc import Callable, Iterator
from typing import Any

import pydantic
import pytest
from google.genai.types import LiveServerMessage
from openai.types.realtime import RealtimeServerEvent

OPENAI_UNDECLARED = {
    "session.created.session.id",
    "session.created.session.object",
    "session.created.session.expires_at",
    "session.updated.session.id",
    "session.updated.session.object",
    "session.updated.session.expires_at",
    "response.created.response.output.phase",
    "response.done.response.output.phase",
    "response.output_item.added.item.phase",
    "response.output_item.done.item.phase",
    "conversation.item.added.item.phase",
    "conversation.item.done.item.phase",
    "response.done.response.usage.output_token_details.reasoning_tokens",
}
"""What recorded frames hold although the SDK (openai 3.54.0) does not declare it."""


@pytest.fixture(scope="session")
def openai_strict() -> Callable[[str | bytes], dict[str, Any]]:
    """Parses one server frame of OpenAI's, or fails where it is not exactly one of the 46."""
    members = {
        typing.get_args(member.model_fields["type"].annotation)[0]: member
        for member in typing.get_args(typing.get_args(RealtimeServerEvent)[0])
    }
    assert len(members) == 46

    def parse(frame: str | bytes) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(frame)
        member = members[data["type"]]
        parsed = member.model_validate_json(frame, strict=True)
        undeclared = set(_extras(parsed, data["type"])) - OPENAI_UNDECLARED
        assert not undeclared, f"{undeclared} in {data}"
        return data

    return parse


def _extras(value: Any, path: str) -> Iterator[str]:
    """The paths of all keys that no field was declared for."""
    if isinstance(value, pydantic.BaseModel):
        for name in value.model_extra or {}:
            yield f"{path}.{name}"
        for name in value.model_fields_set & type(value).model_fields.keys():
            yield from _extras(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, list):
        for entry in value:
            yield from _extras(entry, path)


@pytest.fixture(scope="session")
def google_strict() -> Callable[[str | bytes], dict[str, Any]]:
    """
    Parses one server message of Google's, or fails where the SDK's types do not hold all of it.

    The types forbid unknown names at every level. Where the SDK's own reader renames a field
    before it parses, so is it here: voice activity's ``type``, and Vertex AI's ``candidates…``.
    """

    def parse(frame: str | bytes) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(frame)
        assert data, "a message without a field makes the SDK raise TypeError"
        renamed = json.loads(frame)
        if "voiceActivity" in renamed:
            activity = renamed["voiceActivity"]
            activity["voiceActivityType"] = activity.pop("type")
        if "usageMetadata" in renamed:
            renamed["usageMetadata"] = {
                name.replace("candidates", "response"): count
                for name, count in renamed["usageMetadata"].items()
            }
        resumption = renamed.get("sessionResumptionUpdate", {})
        if "lastConsumedClientMessageIndex" in resumption:
            index = resumption["lastConsumedClientMessageIndex"]
            assert isinstance(index, str), "protojson writes 64-bit integers as strings"
            resumption["lastConsumedClientMessageIndex"] = int(index)
        LiveServerMessage.model_validate_json(json.dumps(renamed), strict=True)
        return data

    return parse
