"""Settings: who wins, what belongs to whom, and what is refused."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

import unirt
from unirt import settings
from unirt.connect import Connecting
from unirt.registry import load

FIELDS = list(settings.Settings.model_fields)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of unirt or of a vendor is set, and there is no ``.env`` file."""
    for name in list(os.environ):
        if name.startswith(("UNIRT_", "OPENAI_", "GOOGLE_", "GEMINI_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Sets variables: in the environment, and in the ``.env`` file."""

    def set_them(env: dict[str, str], file: dict[str, str] | None = None) -> None:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        if file is not None:
            lines = (f"{name}={value}" for name, value in file.items())
            (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")

    return set_them


def model_of(connecting: Connecting) -> tuple[str, str | None]:
    return connecting.provider.name, connecting.config.model


@pytest.mark.parametrize(
    ("argument", "env", "file", "expected"),
    [
        ("a", "e", "f", "a"),
        (None, "e", "f", "e"),
        (None, None, "f", "f"),
        (None, "", "f", "f"),
        (None, None, None, None),
        ("", "e", "f", ""),
    ],
)
def test_an_argument_wins_over_the_environment_and_that_over_the_file(
    argument: str | None, env: str | None, file: str | None, expected: str | None, say: Any
) -> None:
    say(
        {} if env is None else {"UNIRT_INSTRUCTIONS": env},
        {} if file is None else {"UNIRT_INSTRUCTIONS": file},
    )
    assert unirt.connect("openai", instructions=argument).config.instructions == expected


EVERY: dict[str, tuple[str, str, Any]] = {
    # variable: (value, field of the configuration, what becomes of it)
    "UNIRT_VOICE": ("marin", "voice", "marin"),
    "UNIRT_INSTRUCTIONS": ("Be brief.", "instructions", "Be brief."),
    "UNIRT_MODALITIES": ("Text", "modalities", ("text",)),
    "UNIRT_LANGUAGE": ("de-DE", "language", "de-DE"),
    "UNIRT_TEMPERATURE": ("0.7", "temperature", 0.7),
    "UNIRT_MAX_OUTPUT_TOKENS": ("500", "max_output_tokens", 500),
    "UNIRT_SPEED": ("1.2", "speed", 1.2),
    "UNIRT_TURN_DETECTION": ("manual", "turn_detection", unirt.Manual()),
    "UNIRT_INPUT_TRANSCRIPTION": (
        "off",
        "input_transcription",
        unirt.Transcription(enabled=False),
    ),
    "UNIRT_MODEL": ("some-model", "model", "some-model"),
}


@pytest.mark.parametrize("variable", EVERY)
def test_every_variable_reaches_the_configuration(variable: str, say: Any) -> None:
    value, field, expected = EVERY[variable]
    say({variable: value})

    assert getattr(unirt.connect("openai").config, field) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("on", unirt.Transcription()),
        ("OFF", unirt.Transcription(enabled=False)),
        ("whisper-1", unirt.Transcription(model="whisper-1")),
    ],
)
def test_transcription_is_switched_or_named(
    value: str, expected: unirt.Transcription, say: Any
) -> None:
    say({"UNIRT_INPUT_TRANSCRIPTION": value})
    assert unirt.connect("openai").config.input_transcription == expected


def test_the_variables_beside_the_configuration(say: Any) -> None:
    say(
        {
            "UNIRT_BASE_URL": "wss://proxy.test",
            "UNIRT_INPUT_RATE": "8000",
            "UNIRT_OUTPUT_RATE": "48000",
            "UNIRT_TRANSPORT": "websocket",
        }
    )
    connecting = unirt.connect("openai")

    assert connecting.credentials.base_url == "wss://proxy.test"
    assert connecting.audio_in == unirt.AudioFormat(rate=8_000)
    assert connecting.audio_out == unirt.AudioFormat(rate=48_000)
    assert connecting.transport is None


@pytest.mark.parametrize(
    ("argument", "env", "expected"),
    [("fast", "websocket", "fast"), ("websocket", "fast", "websocket"), (None, "fast", "fast")],
)
def test_which_transport(argument: str | None, env: str, expected: str, say: Any) -> None:
    say({"UNIRT_TRANSPORT": env})
    assert unirt.connect("openai", transport=argument).credentials.transport == expected


def test_every_field_of_the_settings_is_tested_here() -> None:
    elsewhere = {"provider", "base_url", "input_rate", "output_rate", "transport", "log", "trace"}
    elsewhere |= {"max_duration", "max_idle", "max_tokens", "max_cost", "at_limit", "telemetry"}
    elsewhere |= {"record", "fallback", "reconnect", "at_overdue", "plaintext"}
    elsewhere |= {f"{what}_timeout" for what in ("dial", "handshake", "answer", "silence", "close")}
    tested = {name.removeprefix("UNIRT_").lower() for name in EVERY}
    assert tested | elsewhere == set(FIELDS)


# Which provider, which model. "default" is the default model of the provider that is expected.

CHOICES: list[tuple[dict[str, str], dict[str, str], dict[str, Any], tuple[str, str]]] = [
    # environment, .env file, arguments, (provider, model)
    ({"UNIRT_PROVIDER": "google"}, {}, {}, ("google", "default")),
    ({"UNIRT_MODEL": "openai:gpt-x"}, {}, {}, ("openai", "gpt-x")),
    ({"UNIRT_PROVIDER": "openai", "UNIRT_MODEL": "openai:gpt-x"}, {}, {}, ("openai", "gpt-x")),
    ({"UNIRT_PROVIDER": "openai", "UNIRT_MODEL": "ft:gpt:me"}, {}, {}, ("openai", "ft:gpt:me")),
    ({}, {"UNIRT_PROVIDER": "google", "UNIRT_MODEL": "gem"}, {}, ("google", "gem")),
    ({}, {"UNIRT_MODEL": "google:gem"}, {}, ("google", "gem")),
    # a stronger layer chooses the provider, and the weaker one's model stays behind
    (
        {"UNIRT_PROVIDER": "google"},
        {"UNIRT_PROVIDER": "openai", "UNIRT_MODEL": "gpt-x"},
        {},
        ("google", "default"),
    ),
    ({"UNIRT_PROVIDER": "google"}, {"UNIRT_MODEL": "openai:gpt-x"}, {}, ("google", "default")),
    ({"UNIRT_MODEL": "openai:gpt-x"}, {"UNIRT_PROVIDER": "google"}, {}, ("openai", "gpt-x")),
    (
        {"UNIRT_MODEL": "openai:gpt-x"},
        {"UNIRT_MODEL": "google:gem"},
        {"provider": "google"},
        ("google", "gem"),
    ),
    # an argument chooses
    ({"UNIRT_MODEL": "openai:gpt-x"}, {}, {"provider": "google"}, ("google", "default")),
    (
        {"UNIRT_PROVIDER": "openai", "UNIRT_MODEL": "gpt-x"},
        {},
        {"provider": "google"},
        ("google", "default"),
    ),
    (
        {"UNIRT_PROVIDER": "openai", "UNIRT_MODEL": "gpt-x"},
        {},
        {"provider": "openai"},
        ("openai", "gpt-x"),
    ),
    ({"UNIRT_MODEL": "plain"}, {}, {"provider": "google"}, ("google", "plain")),
    ({"UNIRT_PROVIDER": "openai"}, {}, {"model": "google:gem"}, ("google", "gem")),
    ({"UNIRT_MODEL": "openai:gpt-x"}, {}, {"model": "gpt-y"}, ("openai", "gpt-y")),
    ({}, {}, {"provider": "openai", "model": "openai:gpt-y"}, ("openai", "gpt-y")),
    ({}, {}, {"provider": "openai", "model": "ft:gpt:me"}, ("openai", "ft:gpt:me")),
    # nothing chooses but a key
    ({"OPENAI_API_KEY": "k"}, {}, {}, ("openai", "default")),
    ({"GEMINI_API_KEY": "k"}, {}, {}, ("google", "default")),
    ({}, {"OPENAI_API_KEY": "k"}, {}, ("openai", "default")),
    ({"OPENAI_API_KEY": "k", "GEMINI_API_KEY": ""}, {}, {}, ("openai", "default")),
]


@pytest.mark.parametrize(("env", "file", "arguments", "expected"), CHOICES, ids=str)
def test_which_provider_and_which_model(
    env: dict[str, str],
    file: dict[str, str],
    arguments: dict[str, Any],
    expected: tuple[str, str],
    say: Any,
) -> None:
    say(env, file)
    provider, model = expected
    if model == "default":
        model = load(provider).default_model

    assert model_of(unirt.connect(**arguments)) == (provider, model)


@pytest.mark.parametrize("variable", ["UNIRT_VOICE", "UNIRT_BASE_URL"])
def test_a_voice_and_a_base_url_are_not_carried_to_another_provider(
    variable: str, say: Any
) -> None:
    say({"UNIRT_PROVIDER": "openai", variable: "wss://of-openai.test"})

    def found(connecting: Connecting) -> str | None:
        return connecting.config.voice or connecting.credentials.base_url

    assert found(unirt.connect()) == "wss://of-openai.test"
    assert found(unirt.connect("google")) is None


@pytest.mark.parametrize(
    ("env", "arguments", "where", "said"),
    [
        ({"UNIRT_VOISE": "x"}, {}, "UNIRT_VOISE", "UNIRT_VOICE"),
        ({"UNIRT_NONSENSE": "x"}, {}, "UNIRT_NONSENSE", "UNIRT_PROVIDER"),
        ({"UNIRT_TEMPERATURE": "hot"}, {}, "UNIRT_TEMPERATURE", "number"),
        ({"UNIRT_MAX_OUTPUT_TOKENS": "0"}, {}, "UNIRT_MAX_OUTPUT_TOKENS", "greater"),
        ({"UNIRT_INPUT_RATE": "16"}, {}, "UNIRT_INPUT_RATE", "1000"),
        ({"UNIRT_TURN_DETECTION": "vad"}, {}, "UNIRT_TURN_DETECTION", "semantic_vad"),
        ({"UNIRT_MODALITIES": "smell"}, {}, "UNIRT_MODALITIES", "'audio'"),
        (
            {"UNIRT_PROVIDER": "google", "UNIRT_TRANSPORT": "webrtc"},
            {},
            "UNIRT_TRANSPORT",
            "use 'websocket' or 'fast'",
        ),
        ({"UNIRT_TRANSPORT": "pigeon"}, {}, "UNIRT_TRANSPORT", "websocket"),
        ({"UNIRT_PROVIDER": "nobody"}, {}, "provider", "'openai'"),
        (
            {"UNIRT_PROVIDER": "google", "UNIRT_MODEL": "openai:gpt-x"},
            {},
            "UNIRT_MODEL",
            "correct one",
        ),
        ({}, {"provider": "google", "model": "openai:gpt-x"}, "model", "correct one"),
        ({}, {}, "UNIRT_PROVIDER", "OPENAI_API_KEY"),
        (
            {"OPENAI_API_KEY": "k", "GEMINI_API_KEY": "k"},
            {},
            "UNIRT_PROVIDER",
            "google or openai",
        ),
        ({}, {"env_file": "absent.env"}, "env_file", "give the path"),
    ],
    ids=str,
)
def test_what_cannot_work_is_refused_with_where_and_what_to_do(
    env: dict[str, str], arguments: dict[str, Any], where: str, said: str, say: Any
) -> None:
    say(env)
    if where != "UNIRT_PROVIDER" and "UNIRT_PROVIDER" not in env and not arguments:
        arguments = {"provider": "openai"}
    with pytest.raises(unirt.ConfigurationError) as refused:
        unirt.connect(**arguments)

    assert refused.value.where == where
    assert said in str(refused.value)


def test_a_misspelt_variable_in_the_file_is_refused_too(say: Any) -> None:
    say({}, {"UNIRT_MODLE": "x"})
    with pytest.raises(unirt.ConfigurationError, match="UNIRT_MODEL"):
        unirt.connect("openai")


def test_the_file_may_be_elsewhere_or_switched_off(say: Any, tmp_path: Path) -> None:
    say({}, {"UNIRT_VOICE": "in-cwd"})
    other = tmp_path / "other.env"
    other.write_text("UNIRT_VOICE=elsewhere\n", encoding="utf-8")

    assert unirt.connect("openai").config.voice == "in-cwd"
    assert unirt.connect("openai", env_file=other).config.voice == "elsewhere"
    assert unirt.connect("openai", env_file=None).config.voice is None


def test_variables_can_be_given_instead_of_all_others(say: Any) -> None:
    say({"UNIRT_VOICE": "env", "OPENAI_API_KEY": "k"}, {"UNIRT_LANGUAGE": "de"})
    given = {"UNIRT_PROVIDER": "google", "UNIRT_SPEED": "1.5", "GEMINI_API_KEY": "g"}
    connecting = unirt.connect(environ=given)

    assert model_of(connecting)[0] == "google"
    assert connecting.config.speed == 1.5
    assert (connecting.config.voice, connecting.config.language) == (None, None)
    assert connecting.credentials.environ == given
    with pytest.raises(unirt.ConfigurationError) as refused:
        unirt.connect("openai", environ={"UNIRT_SPEED": "fast"})
    assert refused.value.where == "UNIRT_SPEED"


def test_every_variable_says_what_it_is() -> None:
    assert len(settings.SETTINGS) == len(FIELDS)
    assert all(settings.SETTINGS.values())


def test_the_file_supplies_vendor_keys_beneath_the_environment(say: Any) -> None:
    say({"OPENAI_ORG_ID": "env"}, {"OPENAI_API_KEY": "file", "OPENAI_ORG_ID": "file"})
    environ = unirt.connect("openai").credentials.environ

    assert (environ["OPENAI_API_KEY"], environ["OPENAI_ORG_ID"]) == ("file", "env")


def test_no_secret_is_shown(say: Any) -> None:
    say({"OPENAI_API_KEY": "hush-env"}, {"GEMINI_API_KEY": "hush-file"})
    connecting = unirt.connect("openai", api_key="hush-argument", headers={"X": "hush-header"})

    assert "hush" not in repr(connecting)
    assert "hush" not in repr(settings.read())
    with pytest.raises(unirt.ConfigurationError) as refused:
        unirt.connect()
    assert "hush" not in str(refused.value)


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    found = logging.getLogger("unirt")
    level, handlers = found.level, list(found.handlers)
    yield found
    found.setLevel(level)
    found.handlers[:] = handlers


def test_the_log_level_is_that_of_our_logger_only(say: Any, logger: logging.Logger) -> None:
    root = logging.getLogger().level
    say({"UNIRT_LOG": "debug"})
    unirt.connect("openai")

    assert logger.level == logging.DEBUG
    assert logging.getLogger().level == root


def test_a_provider_object_needs_not_be_installed(say: Any) -> None:
    say({"UNIRT_PROVIDER": "openai", "UNIRT_MODEL": "gpt-x"})
    own = attrs.evolve(unirt.connect("google").provider, name="own", default_model="own-1")

    assert model_of(unirt.connect(own)) == ("own", "own-1")
    assert model_of(unirt.connect(own, "own:thing")) == ("own", "own:thing")
