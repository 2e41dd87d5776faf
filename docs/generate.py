"""
Writes the pages of the reference that come from tables.

Run ``python docs/generate.py`` after a table changed; ``--check`` only tells whether a page is
stale, and the tests run that. Some pages take long, and are checked where they are made anyway:
see :data:`ELSEWHERE`. What it takes more than a table to write has a file of its own beside this.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import attrs

from docs.faults import faults_page
from docs.journeys import journeys_page
from docs.mapping import mapping_google_page, mapping_openai_page
from docs.stays import stays_page
from unirt import commands, events
from unirt.capabilities import Capabilities, Changing, Emission, Support
from unirt.commands import Command
from unirt.config import SessionConfig
from unirt.events import ContentEvent, ControlEvent, Event, SessionEvent
from unirt.fold import fold
from unirt.grammar import PAYLOADS, TRANSITIONS, Noun, State
from unirt.policy import standard_rows
from unirt.provider import Provider
from unirt.registry import installed, load
from unirt.simulator.exchange import run
from unirt.simulator.script import builtin, builtin_names
from unirt.testing import differences, kept, outline, rows
from unirt_openai.facts import IN_A_CALL_SETTINGS, IN_A_CALL_VERBS, IN_A_JOINED_CALL_VERBS

REFERENCE = Path(__file__).parent / "reference"
_MANY = 20
"Beyond so many values, only the first and the last are shown."
NOTE = "<!-- Written by docs/generate.py from the tables in the code. Do not edit. -->\n"


def events_page() -> Iterator[str]:
    yield "# Events\n"
    yield "Every event is importable from `unirt`. All have `plane`, `provider`, `received_at`,"
    yield "`synthesised`, `turn_id`, `response_id`, `item_id`, `raw` and `native()`.\n"
    groups = {ContentEvent: "Content", ControlEvent: "Control", SessionEvent: "Of the session"}
    for base, title in groups.items():
        yield f"## {title}\n"
        if base is SessionEvent:
            yield "Control events that no provider says: the session tells of itself.\n"
        yield "| event | what it says | its own fields |"
        yield "|---|---|---|"
        for name in events.__all__:
            kind = getattr(events, name)
            if _group(kind) is base and kind not in groups:
                fields = ", ".join(f"`{field}`" for field in _own_fields(kind, base))
                yield f"| `{name}` | {_summary(kind)} | {fields} |"
        yield ""


def _group(kind: Any) -> type[Event] | None:
    """The plane that a class of events is listed under, if it is one."""
    bases: tuple[type[Event], ...] = (SessionEvent, ContentEvent, ControlEvent)
    of = (base for base in bases if isinstance(kind, type) and issubclass(kind, base))
    return next(of, None)


def _own_fields(kind: type[Event], base: type[Event]) -> list[str]:
    common = {field.name for field in attrs.fields(base)} - {"stream"}
    return [field.name for field in attrs.fields(kind) if field.name not in common]


def _summary(thing: object) -> str:
    return " ".join((thing.__doc__ or "").strip().split("\n\n")[0].split())


def commands_page() -> Iterator[str]:
    yield "# Commands\n"
    yield "What an application can say. A session has a verb for each; `session.send(command)`"
    yield "takes them as they are.\n"
    facts = _facts()
    yield f"| command | what it does | {' | '.join(c.provider for c in facts)} |"
    yield f"|---|---|{'---|' * len(facts)}"
    for kind in Command.__args__:  # the members of the union, in order
        name = kind.__name__
        cells = " | ".join(_fact(caps.verbs.get(name)) for caps in facts)
        yield f"| `{name}` | {_summary(getattr(commands, name))} | {cells} |"


def _facts() -> list[Capabilities]:
    loaded = [load(name) for name in installed()]
    return [provider.capabilities(provider.default_model) for provider in loaded]


def _fact(fact: Any) -> str:
    if fact is None:
        return "refused"
    how = "" if fact.support is Support.NATIVE and not fact.how else f": {fact.how}"
    return f"**{fact.support}**{how}".replace("|", "\\|")


def _changing(row: Changing) -> str:
    return f"**{row.change}**{f': {row.why}' if row.why else ''}".replace("|", "\\|")


def capabilities_page() -> Iterator[str]:
    yield "# Capabilities\n"
    yield "What each provider does about each setting, and which events it will be seen to emit,"
    yield "for its default model. `unirt providers` prints the same for what is installed.\n"
    facts = _facts()
    head = " | ".join(f"{caps.provider} (`{caps.model}`)" for caps in facts)
    yield "## Settings\n"
    yield f"| setting | {head} |"
    yield f"|---|{'---|' * len(facts)}"
    for path in dict.fromkeys(path for caps in facts for path in caps.settings):
        yield f"| `{path}` | {' | '.join(_fact(caps.settings.get(path)) for caps in facts)} |"
    yield "\n## Changes while a session runs\n"
    yield f"| setting | {head} |"
    yield f"|---|{'---|' * len(facts)}"
    for field in attrs.fields(SessionConfig):
        cells = [_changing(caps.changing(field.name)) for caps in facts]
        yield f"| `{field.name}` | {' | '.join(cells)} |"
    yield "\n## Events\n"
    yield f"| event | {head} |"
    yield f"|---|{'---|' * len(facts)}"
    for name in dict.fromkeys(name for caps in facts for name in caps.emits):
        cells = []
        for caps in facts:
            row = caps.emits.get(name)
            why = "" if row is None or not row.why else f": {row.why}"
            cells.append(f"**{caps.emission(name)}**{why}".replace("|", "\\|"))
        yield f"| `{name}` | {' | '.join(cells)} |"
    yield "\n## In a call\n"
    yield "Where audio goes beside the frames, as over WebRTC, these rows of openai are others."
    yield "With *joined*: over a connection that controls a call from beside it.\n"
    yield "| setting or command | in a call | joined |"
    yield "|---|---|---|"
    for name in {**IN_A_CALL_SETTINGS, **IN_A_CALL_VERBS}:
        here = {**IN_A_CALL_SETTINGS, **IN_A_CALL_VERBS}, IN_A_JOINED_CALL_VERBS
        said = " | ".join(_fact(one[name]) if name in one else "as ever" for one in here)
        yield f"| `{name}` | {said} |"
    yield "\n## Sources\n"
    for caps in facts:
        yield f"### {caps.provider}\n"
        tables = (caps.settings, caps.verbs, caps.emits, caps.changes)
        sources = sorted({fact.source for table in tables for fact in table.values()} - {""})
        yield from (f"- {source}" for source in sources)
        yield ""


def policies_page() -> Iterator[str]:
    yield "# What the end of a connection means\n"
    yield "From the `policy` of each provider. The first row that fits decides; what none fits is"
    yield "judged by the rows for any provider. What a row does not name may be anything.\n"
    yield "**ignore** is of errors that are told over a connection which goes on. Such an error is"
    yield "a `ProviderError` whose severity is `benign`: nothing is tried again for it, and where"
    yield "the connection ends later, that is not judged by it. An end is never ignored.\n"
    providers = [load(name) for name in installed()]
    tables = {each.label: each.policy.rows for each in providers}
    silent = {each.label for each in providers if not _tells_errors(each)}
    for label, table in {**tables, "Any provider": standard_rows()}.items():
        yield f"## {label}\n"
        if label in silent:
            yield "It has no message for an error: each ends the connection, and none is ignored.\n"
        yield "| verdict | close code | HTTP status | error | reason | why | source |"
        yield "|---|---|---|---|---|---|---|"
        for row in table:
            reason = "" if row.reason is None else f"`{row.reason}`".replace("|", "\\|")
            cells = [_numbers(row.codes), _numbers(row.statuses), _numbers(row.errors), reason]
            yield f"| **{row.verdict}** | {' | '.join(cells)} | {row.why} | {row.source} |"
        yield ""


def _tells_errors(provider: Provider) -> bool:
    facts = provider.capabilities(provider.default_model)
    return facts.emission("ProviderError") is Emission.SAID


def _numbers(values: Collection[int] | Collection[str] | None) -> str:
    if values is None:
        return ""
    if len(values) > _MANY:
        return f"{min(values)} to {max(values)}"
    return ", ".join(map(str, sorted(values)))


def order_page() -> Iterator[str]:
    yield "# The legal order of events\n"
    yield "From `unirt/grammar.py`; `unirt.testing.check(events)` enforces it.\n"
    for noun in Noun:
        yield f"## {noun.capitalize()}\n"
        yield "```mermaid\nstateDiagram-v2"
        for state, row in TRANSITIONS[noun].items():
            for target in dict.fromkeys(row.values()):
                names = sorted(kind.__name__ for kind, to in row.items() if to is target)
                label = ", ".join(names) if len(names) <= 3 else "the content of its streams"
                yield f"    {_state(state)} --> {_state(target)}: {label}"
        yield "```\n"
    yield "## What a stream of a kind may hold\n"
    yield "| kind | events |"
    yield "|---|---|"
    for kind, payloads in PAYLOADS.items():
        held = ", ".join(f"`{p.__name__}`" for p in sorted(payloads, key=lambda p: p.__name__))
        yield f"| `{kind}` | {held or 'none'} |"


def _state(state: State) -> str:
    return "[*]" if state is State.ABSENT else str(state)


def scenarios_page() -> Iterator[str]:
    names = installed()
    yield "# The same scenario gives the same stream\n"
    yield f"Every scenario below runs over {' and '.join(names)}, client against simulated server,"
    yield "with a clock that the run controls. *Folded* says whether the folded views are equal;"
    yield "*kept* lists the kinds of events in which the kept views differ, each with the fact that"
    yield "explains it. A kind of stream that one of the protocols has no words for is left out of"
    yield "the comparison, and named.\n"
    yield "| scenario | what happens | folded | streams | kept: differs in |"
    yield "|---|---|---|---|---|"
    reasons: dict[str, None] = {}
    for scenario_name in builtin_names():
        scenario = builtin(scenario_name)
        runs = [run(load(name), scenario) for name in names]
        outlines = [outline(fold(made.events)) for made in runs]
        facts = [_caps(name) for name in names]
        unsaid = {kind for kind, delta in _DELTAS.items() if _never(delta, facts)}
        expressed = [[e for e in made if e["kind"] not in unsaid] for made in outlines]
        without = sorted({e["kind"] for made in outlines for e in made} & unsaid)
        equal = all(other == expressed[0] for other in expressed)
        both = (runs[0].events, runs[1].events, facts[0], facts[1])
        found = rows(*both)
        reasons.update(dict.fromkeys(map(str, found)))
        kinds = ", ".join(dict.fromkeys(f"`{row.event}`" for row in found)) or "nothing"
        if unexplained := differences(*both):
            kinds = f"**{'; '.join(unexplained)}**"
        verdict = "equal" if equal else "**different**"
        if without:
            verdict += f", without `{'`, `'.join(without)}`"
        yield f"| {scenario_name} | {scenario.about} | {verdict} | {len(outlines[0])} | {kinds} |"
    yield "\n## What the kept views may differ in\n"
    yield (kept.__doc__ or "").partition("\n\n")[2].replace(":class:`~unirt.capabilities.", "`")
    yield "## Why they do\n"
    yield from (f"- {reason}" for reason in reasons)
    yield "\nConversations that move to another connection are [journeys](journeys.md),"
    yield "those in which the session does something by itself [stays](stays.md)."


_DELTAS = {"thought": "ThoughtDelta", "image": "ImageDelta", "citations": "CitationsDelta"}


def _never(event: str, facts: list[Capabilities]) -> bool:
    return any(caps.emission(event) is Emission.NEVER for caps in facts)


def _caps(name: str) -> Capabilities:
    provider = load(name)
    return provider.capabilities(provider.default_model)


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "events.md": events_page,
    "commands.md": commands_page,
    "capabilities.md": capabilities_page,
    "policies.md": policies_page,
    "order.md": order_page,
    "scenarios.md": scenarios_page,
    "journeys.md": journeys_page,
    "stays.md": stays_page,
    "faults.md": faults_page,
    "mapping-openai.md": mapping_openai_page,
    "mapping-google.md": mapping_google_page,
}

ELSEWHERE = frozenset({"journeys.md", "stays.md", "faults.md"})
"Pages that take long, and are checked by the tests that have what stands in them."


def is_fresh(name: str, page: Iterator[str]) -> bool:
    """Whether a page is as it stands."""
    path = REFERENCE / name
    return path.exists() and path.read_text("utf-8") == _text(page)


def _text(page: Iterator[str]) -> str:
    return NOTE + "\n" + "\n".join(page).rstrip() + "\n"


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` tell which are stale, of those that take no time."""
    logging.getLogger("unirt").addHandler(logging.NullHandler())  # what is refused is shown
    REFERENCE.mkdir(exist_ok=True)
    if "--check" in arguments:
        quick = {name: page for name, page in PAGES.items() if name not in ELSEWHERE}
        if stale := [name for name, page in quick.items() if not is_fresh(name, page())]:
            print(f"stale: {', '.join(stale)}; run python docs/generate.py", file=sys.stderr)
        return bool(stale)
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(_text(page()), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
