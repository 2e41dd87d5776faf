"""Scenarios as TOML: what they become, and what is said about what is wrong."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from unirt import ConfigurationError, Ending, Manual, SendText, ServerVAD, StartTurn
from unirt.simulator import builtin, builtin_names, load, loads
from unirt.simulator.scenario import Call, Cue, End, Pace, Say, Speak, When


def test_a_whole_scenario_becomes_values() -> None:
    scenario = loads(
        """
        about = "everything"

        [session]
        instructions = "Be brief."
        turn_detection = { kind = "server_vad", silence_ms = 400 }

        [[session.tools]]
        name = "look"

        [answers]
        look = { sky = "blue" }

        [pace]
        speed = 2

        [[reply]]
        cue = "speech"
        heard = { text = "Look!", when = "after" }
        steps = [{ say = "I look.", ms = 600 }, { call = "look", args = { up = true } }]
        usage = { input_audio = 3, output_text = 4, cached_text = 1, thinking = 2 }

        [[reply]]
        cue = "text"
        steps = [{ fail = "quota", detail = "no money" }]

        [[app]]
        speak = 900

        [[app]]
        text = "Hello"
        answer = false
        after = "ToolCall"

        [[app]]
        start_turn = true
        heard_ms = 500
        """,
        name="everything",
    )
    first, second = scenario.replies
    speak, text, start = scenario.actions
    assert scenario.name == "everything"
    assert scenario.session.turn_detection == ServerVAD(silence_ms=400)
    assert scenario.session.tools is not None
    assert scenario.answers == {"look": {"sky": "blue"}}
    assert scenario.pace == Pace(speed=2.0)
    assert first.cue is Cue.SPEECH
    assert first.heard is not None
    assert first.heard.when is When.AFTER
    assert first.steps == (Say(text="I look.", ms=600.0), Call(name="look", args={"up": True}))
    assert first.usage is not None
    assert (first.usage.input_tokens, first.usage.output_tokens) == (3, 6)
    assert second.steps == (End(ending=Ending.FAILED, reason="quota", detail="no money"),)
    assert speak.do == Speak(ms=900.0)
    assert (text.do, text.after) == (SendText(text="Hello", respond=False), "ToolCall")
    assert (start.do, start.heard_ms) == (StartTurn(), 500.0)


@pytest.mark.parametrize(
    ("toml", "where", "what"),
    [
        ("about = [", "plan.toml", "not TOML"),
        ("abuot = 'x'", "plan.toml: abuot", "no such key"),
        ("reply = 3", "plan.toml: reply", "3 where an array"),
        ("[[reply]]", "plan.toml: reply[0].cue", "missing"),
        ("[[reply]]\ncue = 'shout'", "plan.toml: reply[0].cue", "'shout' is not known"),
        (
            "[[reply]]\ncue = 'text'\nsteps = [{ sey = 'Hi' }]",
            "plan.toml: reply[0].steps[0]",
            "it says nothing",
        ),
        (
            "[[reply]]\ncue = 'text'\nsteps = [{ say = 'Hi', wait = 3 }]",
            "plan.toml: reply[0].steps[0]",
            "say and wait exclude each other",
        ),
        (
            "[[reply]]\ncue = 'text'\nsteps = [{ say = 'Hi', ms = 'long' }]",
            "plan.toml: reply[0].steps[0].ms",
            "'long' where a number",
        ),
        (
            "[[reply]]\ncue = 'text'\nsteps = [{ say = 'Hi', wav = 'none.wav' }]",
            "plan.toml: reply[0].steps[0].wav",
            "no file 'none.wav'",
        ),
        (
            "[[reply]]\ncue = 'text'\nusage = { input_text = -1 }",
            "plan.toml: reply[0].usage.input_text",
            "-1 is negative",
        ),
        ("[[app]]\ncancel = false", "plan.toml: app[0].cancel", "false says nothing"),
        ("[[app]]\ntext = 'Hi'\nafer = 'now'", "plan.toml: app[0].afer", "no such key"),
        ("[pace]\nspeed = 0", "plan.toml: pace.speed", "too small"),
        (
            "[session]\nturn_detection = { kind = 'manual', silence_ms = 3 }",
            "plan.toml: session.turn_detection.silence_ms",
            "no such key",
        ),
        ("[session]\nvoice = 7", "plan.toml: session.voice", "7 where a string"),
        (
            "[session]\nhistory = [{ role = 'poet', text = 'O!' }]",
            "plan.toml: session.history[0].role",
            "'poet' is not known",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_file_table_and_key(
    toml: str, where: str, what: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loads(toml, where="plan.toml")
    assert caught.value.where == where
    assert what in caught.value.what
    assert caught.value.remedy


def test_a_misspelt_choice_is_guessed() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'speech'"):
        loads("[[reply]]\ncue = 'speach'")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml"):
        load(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"about = '\xe9'")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load(tmp_path / "latin.toml")


def test_sounds_are_found_beside_the_file(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "hello.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * 800)
    (tmp_path / "plan.toml").write_text("[[app]]\nspeak = 100\nwav = 'hello.wav'\n")
    scenario = load(tmp_path / "plan.toml")
    assert scenario.name == "plan"
    assert scenario.actions[0].do == Speak(ms=100.0, wav=tmp_path / "hello.wav")


@pytest.mark.parametrize("name", builtin_names())
def test_every_builtin_scenario_loads_and_says_what_it_is_about(name: str) -> None:
    scenario = builtin(name)
    assert scenario.name == name
    assert scenario.about.endswith(".")


def test_an_unknown_builtin_lists_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="text_turn"):
        builtin("opera")


def test_manual_turns_can_be_configured() -> None:
    assert builtin("manual_turn").session.turn_detection == Manual()
