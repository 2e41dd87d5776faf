"""The page of what a session makes of faults: every one, at every phase."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from unirt.provider import Provider
from unirt.registry import installed, load
from unirt.testing.faults import KINDS, Fault, Phase
from unirt.testing.faults.cell import PATIENCE_S, Outcome, run_cell
from unirt.testing.faults.matrix import cells
from unirt.testing.faults.phases import PHASES
from unirt.testing.faults.words import in_words

__all__ = ["faults_page"]


def faults_page(run_cell: Callable[[Provider, Fault], Outcome] = run_cell) -> Iterator[str]:
    """
    Args:
        run_cell: Holds a session with a fault in it; the tests have held them all.
    """
    yield "# What a session makes of faults\n"
    yield "Every fault at every phase, once: a whole session with a simulated server, in virtual"
    yield "time. Each cell says what the application sees of it. *Goes on*: the next question was"
    yield "answered. *Silence*: no answer came, and the application gave up waiting after"
    yield f"{PATIENCE_S:g} seconds. *Nothing comes*: no frame comes then that could be hit. Equal"
    yield "rows are one. [How to do this to your own application](../howto/faults.md).\n"
    yield "## The faults\n"
    yield "| fault | what happens | its number | of what is sent | takes a socket |"
    yield "|---|---|---|---|---|"
    for kind in KINDS.values():
        number = kind.value and f"{kind.value}, {kind.default}"
        sent, socket = ("yes" if flag else "" for flag in (kind.sent, kind.socket_only))
        yield f"| `{kind.name}` | {kind.what} | {number} | {sent} | {socket} |"
    yield "\n## The phases\n"
    yield "| phase | |"
    yield "|---|---|"
    yield from (f"| `{phase}` | {PHASES[phase]} |" for phase in Phase)
    for name in installed():
        provider = load(name)
        rows: dict[str, dict[Phase, str]] = {}
        for fault in cells(provider):
            row = f"{fault.kind}{'' if fault.value is None else f'={fault.value}'}"
            cell = in_words(run_cell(provider, fault))
            rows.setdefault(f"{row}{' (sent)' if fault.sent else ''}", {})[fault.phase] = cell
        yield f"\n## {provider.label}\n"
        yield f"| fault | {' | '.join(f'`{phase}`' for phase in Phase)} |"
        yield f"|---|{'---|' * len(Phase)}"
        for names, row_cells in _equal(rows).items():
            shown = " | ".join(row_cells.get(phase, "") for phase in Phase)
            yield f"| {', '.join(f'`{each}`' for each in names)} | {shown} |"


def _equal(rows: Mapping[str, dict[Phase, str]]) -> dict[tuple[str, ...], dict[Phase, str]]:
    """The rows, those that are equal as one."""
    by_cells: dict[tuple[tuple[Phase, str], ...], list[str]] = {}
    for name, row in rows.items():
        by_cells.setdefault(tuple(row.items()), []).append(name)
    return {tuple(names): dict(row) for row, names in by_cells.items()}
