"""Capabilities: what is not a fact is refused, by name, before anything is sent."""

import attrs
import pytest

from unirt.audio import PCM16_16K
from unirt.capabilities import Capabilities, Emission, Emits, Fact, Support, settings_in
from unirt.commands import ClearInput, SendText
from unirt.config import (
    Manual,
    ServerVAD,
    SessionConfig,
    Thinking,
    Tool,
    Transcription,
)
from unirt.errors import UnsupportedCommand, UnsupportedSetting

CAPS = Capabilities(
    provider="toy",
    model="m1",
    settings={
        "voice": Fact(Support.NATIVE),
        "modalities": Fact(Support.NATIVE, values=(("audio",),)),
        "temperature": Fact(Support.REFUSED, how="it has none", remedy="use the prompt"),
    },
    verbs={
        "SendText": Fact(Support.NATIVE),
        "ClearInput": Fact(Support.REFUSED, how="no such message", remedy="stop sending"),
    },
    emits={"SpeechStarted": Emits(Emission.SAID)},
)


def test_paths_name_every_setting_that_is_set() -> None:
    config = SessionConfig(
        voice="v",
        tools=(Tool(name="f"),),
        input_format=PCM16_16K,
        turn_detection=ServerVAD(threshold=0.5, interrupt=False),
        thinking=Thinking(effort="low"),
        input_transcription=Transcription(),
    )
    assert [path for path, _ in settings_in(config)] == [
        "voice",
        "tools",
        "turn_detection.server_vad",
        "turn_detection.server_vad.threshold",
        "turn_detection.server_vad.interrupt",
        "input_transcription",
        "input_transcription.enabled",
        "input_format",
        "thinking",
        "thinking.effort",
    ]


def test_accepted_settings_pass() -> None:
    CAPS.check_config(SessionConfig(voice="v", modalities=("audio",)))


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (SessionConfig(temperature=1.0), ["temperature", "'m1'", "it has none", "use the prompt"]),
        (SessionConfig(modalities=("text",)), ["modalities", "('text',)", "('audio',)"]),
        (SessionConfig(turn_detection=Manual()), ["turn_detection.manual", "no such setting"]),
    ],
)
def test_refusals_say_what_where_and_what_to_do(config: SessionConfig, says: list[str]) -> None:
    with pytest.raises(UnsupportedSetting) as caught:
        CAPS.check_config(config)
    for word in says:
        assert word in str(caught.value)


def test_verbs_are_refused_the_same_way() -> None:
    CAPS.check_command(SendText(text="hi"))
    with pytest.raises(UnsupportedCommand, match=r"no such message.*stop sending"):
        CAPS.check_command(ClearInput())


def test_what_is_not_listed_is_never_emitted() -> None:
    assert CAPS.emission("SpeechStarted") is Emission.SAID
    assert CAPS.emission("SpeechStopped") is Emission.NEVER


def test_merging_keeps_what_a_change_does_not_name() -> None:
    before = SessionConfig(voice="a", instructions="x")
    after = before.merged(SessionConfig(voice="b"))
    assert after == attrs.evolve(before, voice="b")
