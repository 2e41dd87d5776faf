"""Keys are used like any text, and show like none."""

from __future__ import annotations

import json

import pytest

from unirt.secret import (
    Secret,
    secret_or_none,
    secret_url,
    secret_values,
    secret_variables,
    shown_url,
)

KEY = "sk-this-must-never-be-seen"


def test_a_secret_is_its_text_and_does_not_show_it() -> None:
    secret = Secret(KEY)
    assert secret == KEY
    assert (str(secret), f"{secret}", json.dumps(secret)) == (KEY, KEY, f'"{KEY}"')
    assert {KEY: 1}[secret] == 1
    assert repr(secret) == "'***'"
    assert repr({"a": [secret]}) == "{'a': ['***']}"
    assert f"{secret!r}" == "'***'"


def test_what_is_none_stays_none() -> None:
    assert secret_or_none(None) is None
    assert secret_or_none(KEY) == KEY
    assert KEY not in repr(secret_or_none(KEY))


def test_values_are_secret_and_variables_by_their_names() -> None:
    assert repr(secret_values({"x": KEY})) == "{'x': '***'}"
    variables = {
        "OPENAI_API_KEY": KEY,
        "GOOGLE_APPLICATION_CREDENTIALS": KEY,
        "https_proxy": f"http://me:{KEY}@proxy",
        "OPENAI_CUSTOM_HEADERS": f"x: {KEY}",
        "UNIRT_MAX_TOKENS": "100",
        "HOME": "/home/me",
    }
    held = secret_variables(variables)
    assert held == variables
    assert KEY not in repr(held)
    assert "'/home/me'" in repr(held)
    assert "'100'" in repr(held)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"wss://me:{KEY}@host:1/path?key={KEY}#{KEY}", "wss://host:1/path"),
        ("wss://host/path", "wss://host/path"),
        ("host/path?x", "host/path"),
        ("", ""),
        ("http://[", "an invalid address"),
    ],
)
def test_an_address_shows_without_what_may_be_secret(url: str, shown: str) -> None:
    assert shown_url(url) == shown
    assert secret_url(url) == repr(shown)
    assert secret_url(None) == "None"
