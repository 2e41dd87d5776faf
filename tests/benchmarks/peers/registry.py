"""Who takes part, for the lab: :func:`entries`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs

from tests.benchmarks.peers.footnotes import FOOTNOTES
from tests.benchmarks.peers.venvs import CACHE, VENVS, NotBuilt, built
from tests.benchmarks.roster import BOTH, Entry

__all__ = ["PEERS", "Peer", "entries", "named"]

_TESTS = Path(__file__).resolve().parents[2]
"The folder that the package ``benchmarks`` is in: all that a contender gets of this repository."

_OPENAI = ("openai",)
_GOOGLE = ("google",)


@attrs.frozen(kw_only=True)
class Peer:
    """One row: a library at one of its levels."""

    name: str
    title: str
    "As in the tables."
    script: str
    "The module in :mod:`.scripts`."
    venv: str
    protocols: tuple[str, ...] = BOTH
    arguments: tuple[str, ...] = ()
    environ: dict[str, str] = attrs.field(factory=dict)

    @property
    def footnote(self) -> str:
        """What it does less than unirt in the same run, and what more."""
        return FOOTNOTES[self.name]

    def command(self, python: Path) -> tuple[str, ...]:
        """How its contender is started; ``-P`` keeps the folder it is started in off the path."""
        module = f"benchmarks.peers.scripts.{self.script}"
        return (str(python), "-P", "-m", module, *self.arguments)

    def entry(self, python: Path | None, missing: str | None) -> Entry:
        """What the lab knows of it."""
        return Entry(
            name=f"peer_{self.name}",
            title=self.title,
            command=self.command(python) if python is not None else (),
            protocols=self.protocols,
            environ={"PYTHONPATH": str(_TESTS), **self.environ},
            note=self.footnote,
            missing=missing,
        )


PEERS: tuple[Peer, ...] = (
    Peer(
        name="openai_agents_model",
        title="openai-agents, model",
        script="openai_agents_realtime",
        venv="openai_agents",
        protocols=_OPENAI,
        arguments=("model",),
    ),
    Peer(
        name="openai_agents_session",
        title="openai-agents, session",
        script="openai_agents_realtime",
        venv="openai_agents",
        protocols=_OPENAI,
        arguments=("session",),
    ),
    Peer(name="livekit", title="LiveKit", script="livekit_session", venv="livekit"),
    Peer(
        name="strands_model",
        title="Strands, model",
        script="strands_agent",
        venv="strands",
        arguments=("model",),
    ),
    Peer(
        name="strands_agent",
        title="Strands, agent",
        script="strands_agent",
        venv="strands",
        arguments=("agent",),
    ),
    Peer(
        name="pydantic_ai",
        title="pydantic-ai realtime",
        script="pydantic_ai_session",
        venv="pydantic_ai",
    ),
    Peer(name="pipecat", title="Pipecat, bare", script="pipecat_pipeline", venv="pipecat"),
    Peer(
        name="pipecat_observed",
        title="Pipecat, as it comes",
        script="pipecat_pipeline",
        venv="pipecat",
        arguments=("observed",),
    ),
    Peer(
        name="semantic_kernel",
        title="Semantic Kernel",
        script="semantic_kernel_realtime",
        venv="semantic_kernel",
        protocols=_OPENAI,
    ),
    Peer(
        name="adk",
        title="ADK connection",
        script="adk_connection",
        venv="adk",
        protocols=_GOOGLE,
    ),
    Peer(
        name="litellm",
        title="litellm (text relay)",
        script="litellm_relay",
        venv="litellm",
        # Its table of prices, which it would fetch when it is imported.
        environ={"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"},
    ),
)


def entries(
    cache: str | Path | None = None, tell: Callable[[str], None] | None = None
) -> Iterator[Entry]:
    """
    Everybody, their environments built where needed; who cannot be built is there with the reason.

    Args:
        cache: The folder of the environments.
        tell: Is told what is being built; the standard error by default.
    """
    folder = Path(cache) if cache is not None else CACHE
    pythons: dict[str, Path | None] = {}
    reasons: dict[str, str] = {}
    for peer in PEERS:
        if peer.venv not in pythons:
            try:
                pythons[peer.venv] = built(VENVS[peer.venv], folder, tell or _to_stderr)
            except NotBuilt as exc:
                pythons[peer.venv], reasons[peer.venv] = None, str(exc)
        yield peer.entry(pythons[peer.venv], reasons.get(peer.venv))


def named() -> Iterator[Entry]:
    """What everybody is called, for figures that were taken before; nobody can take part."""
    return (peer.entry(None, "it was not asked to take part") for peer in PEERS)


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr)
