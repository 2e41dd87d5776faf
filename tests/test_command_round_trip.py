"""What the application says is what the server hears, for every verb that both have words for."""

import json
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unirt import commands as cmd
from unirt.capabilities import Support
from unirt.composer import counting_ids
from unirt.config import Manual, ServerVAD, SessionConfig, Tool
from unirt.events import ToolCall
from unirt.items import Item, Role, TextContent
from unirt.provider import Provider
from unirt.registry import installed, load
from unirt.simulator.exchange import run
from unirt.simulator.script import builtin
from unirt.translator import ServerTranslator, Translator

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(
    lambda text: text.strip() != ""
)
SAMPLES = st.binary(min_size=2, max_size=400).map(lambda data: data[: len(data) // 2 * 2])
NAMES = st.from_regex(r"[a-z][a-z_]{0,12}", fullmatch=True)

COMMANDS: dict[str, st.SearchStrategy[cmd.Command]] = {
    "AppendAudio": SAMPLES.map(lambda data: cmd.AppendAudio(data=data)),
    "SendText": WORDS.map(lambda text: cmd.SendText(text=text)),
    "SendImage": st.binary(min_size=1).map(lambda data: cmd.SendImage(data=data)),
    "SeedHistory": st.lists(
        st.tuples(st.sampled_from([Role.USER, Role.ASSISTANT]), WORDS), min_size=1, max_size=4
    ).map(lambda said: cmd.SeedHistory(items=tuple(message(*entry) for entry in said))),
    "Respond": st.just(cmd.Respond()),
    "UpdateSession": st.tuples(WORDS, NAMES).map(
        lambda said: cmd.UpdateSession(
            changes=SessionConfig(instructions=said[0], tools=(Tool(name=said[1]),))
        )
    ),
}


def message(role: Role, text: str) -> Item:
    return Item(role=role, content=(TextContent(text=text),))


def connected(provider: Provider, config: SessionConfig) -> tuple[Translator, ServerTranslator]:
    """A client and a server, through their handshake."""
    assert provider.server is not None
    client = provider.new_translator(config, ids=counting_ids())
    server = provider.server(model=provider.default_model, ids=counting_ids("s"))
    client.start(0.0)
    server.start(0.0)
    for _ in range(4):
        carry(client, server)
    server.heard()
    assert client.ready
    return client, server


def carry(client: Translator, server: ServerTranslator) -> None:
    for frame in client.frames_to_send():
        server.receive(frame, 0.0)
    for frame in server.frames_to_send():
        client.receive(frame, 0.0)


def heard(client: Translator, server: ServerTranslator, command: cmd.Command) -> list[cmd.Command]:
    client.send(command, 0.0)
    carry(client, server)
    carry(client, server)
    return [entry.command for entry in server.heard() if entry.command is not None]


def gist(command: cmd.Command) -> tuple[str, Any]:
    """What a command says, without what a protocol adds or splits off: ids, and the wish to hear
    an answer, which is a command of its own on some wires."""
    match command:
        case cmd.AppendAudio() | cmd.SendImage():
            return type(command).__name__, command.data
        case cmd.SendText():
            return "says", [(Role.USER, command.text)]
        case cmd.SeedHistory():
            return "says", [(item.role, item.text) for item in command.items]
        case cmd.CreateItem():
            return "says", [(command.item.role, command.item.text)]
        case cmd.UpdateSession():
            changes = command.changes
            tools = [tool.name for tool in changes.tools or () if isinstance(tool, Tool)]
            return "changes", (changes.instructions, tools)
        case _:
            return type(command).__name__, None


def joined(gists: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Neighbouring sayings are one, and so are the neighbouring words of one role."""
    whole: list[tuple[str, Any]] = []
    for kind, what in gists:
        if kind != "says":
            whole.append((kind, what))
            continue
        if not whole or whole[-1][0] != "says":
            whole.append((kind, []))
        said = whole[-1][1]
        for role, text in what:
            if said and said[-1][0] is role:
                said[-1] = role, said[-1][1] + text
            else:
                said.append((role, text))
    return whole


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("provider", installed())
def test_a_command_is_heard_as_it_was_said(provider: str, name: str) -> None:
    loaded = load(provider)
    verb = loaded.capabilities(loaded.default_model).verbs[name]
    if verb.support is Support.REFUSED:
        pytest.skip(f"{provider} refuses it: {verb.how}")
    config = SessionConfig(turn_detection=ServerVAD(silence_ms=500))

    @settings(max_examples=40, deadline=None)
    @given(COMMANDS[name])
    def trip(command: cmd.Command) -> None:
        client, server = connected(loaded, config)
        got = joined([gist(entry) for entry in heard(client, server, command)])
        (wanted,) = joined([gist(command)])
        assert wanted in got, (wanted, got)
        assert [entry for entry in got if entry != wanted] in ([], [("Respond", None)])

    trip()


@pytest.mark.parametrize("provider", installed())
def test_a_spoken_turn_by_hand(provider: str) -> None:
    client, server = connected(load(provider), SessionConfig(turn_detection=Manual()))
    said: list[cmd.Command] = []
    for command in (cmd.StartTurn(), cmd.AppendAudio(data=bytes(9_600)), cmd.EndTurn()):
        said += heard(client, server, command)

    kinds = [type(command) for command in said]
    assert kinds.index(cmd.AppendAudio) < len(kinds) - 1
    assert kinds[-1] in (cmd.EndTurn, cmd.Respond)


@pytest.mark.parametrize("output", ["fine", {"celsius": 12}], ids=["text", "object"])
@pytest.mark.parametrize("provider", installed())
def test_a_tool_result_is_heard_with_its_call(provider: str, output: Any) -> None:
    made = run(load(provider), attrs.evolve(builtin("tool_call"), answers={"get_weather": output}))
    assert made.line is not None
    (call,) = [event for event in made.events if isinstance(event, ToolCall)]
    (answer,) = [c for c in made.line.commands if isinstance(c, cmd.SendToolResult)]

    assert answer.call_id == call.call_id
    text = answer.output
    assert (json.loads(text) if isinstance(text, str) and text != output else text) == output
