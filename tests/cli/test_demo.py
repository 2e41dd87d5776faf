"""``unirt demo``: two providers side by side, and whether they agree."""

import io
import wave
from pathlib import Path
from typing import Any

import attrs
import pytest
from rich.console import Console

from tests.cli.terminal import Run, in_a_process
from unirt.cli.demo import run, scenario
from unirt.events import Ending
from unirt.simulator.scenario import End, Say, Scenario
from unirt.usage import Tokens, Usage


def test_the_demo_agrees_with_itself_and_writes_its_replies(tmp_path: Path) -> None:
    done = in_a_process("demo", "--fast", cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "The folded streams agree." in done.stdout
    assert "ToolCall drive" in done.stdout
    assert "Interrupted" in done.stdout
    replies = sorted(path.name for path in (tmp_path / "unirt-demo").iterdir())
    assert replies == [
        "google-reply-1.wav", "google-reply-2.wav", "openai-reply-1.wav", "openai-reply-2.wav",
    ]  # fmt: skip
    with wave.open(str(tmp_path / "unirt-demo" / "openai-reply-2.wav")) as reply:
        assert reply.getnframes() / reply.getframerate() == pytest.approx(2.6, abs=0.2)


@pytest.mark.parametrize("provider", ["openai", "google"])
def test_the_demo_runs_one_provider(provider: str, unirt: Run) -> None:
    done = unirt("demo", "--fast", "--provider", provider)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "is legal and complete" in done.stdout


def changed(reply: int, **fields: Any) -> Scenario:
    """The demo's conversation with one of its replies changed."""
    demo = scenario()
    replies = list(demo.replies)
    replies[reply] = attrs.evolve(replies[reply], **fields)
    return attrs.evolve(demo, replies=tuple(replies))


DIFFERENCES: dict[str, tuple[int, dict[str, Any]]] = {
    "a word": (1, {"steps": (Say(text="I have driven ten metres.", ms=9_000),)}),
    "a cost": (1, {"usage": Usage(output=Tokens(audio=1))}),
    "an ending": (2, {"steps": (Say(text="I"), End(ending=Ending.FAILED, reason="quota"))}),
}


@pytest.mark.parametrize("difference", DIFFERENCES)
async def test_the_demo_fails_where_the_providers_differ(difference: str, tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=200)
    reply, fields = DIFFERENCES[difference]
    other = changed(reply, **fields)
    status = await run(
        ["google", "openai"], fast=True, out=tmp_path, console=console, scripts={"openai": other}
    )

    assert status == 1
    assert isinstance(console.file, io.StringIO)
    assert "The streams differ." in console.file.getvalue()


async def test_the_demo_fails_where_nothing_was_interrupted(tmp_path: Path) -> None:
    quiet = attrs.evolve(scenario(), actions=scenario().actions[:1])
    status = await run(
        ["openai"], fast=True, out=tmp_path, console=Console(file=io.StringIO()),
        scripts={"openai": quiet},
    )  # fmt: skip

    assert status == 1
