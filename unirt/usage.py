"""
What was used, in tokens, with the same meaning on every provider.

Providers count differently; translators bring the counts to the rules stated on each field here.
A session keeps an account for each model that it used, because each has its own price.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from unirt.value import Value

__all__ = ["Account", "SessionUsage", "Tokens", "Usage"]


@attrs.frozen(kw_only=True)
class Tokens(Value):
    """Token counts by modality; what a provider did not split is in :attr:`other`."""

    text: int = 0
    audio: int = 0
    image: int = 0
    video: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        return self.text + self.audio + self.image + self.video + self.other

    def __add__(self, more: Tokens) -> Tokens:
        if not more.total:
            return self
        return Tokens(
            text=self.text + more.text,
            audio=self.audio + more.audio,
            image=self.image + more.image,
            video=self.video + more.video,
            other=self.other + more.other,
        )


@attrs.frozen(kw_only=True)
class Usage(Value):
    """
    The tokens of one response.

    Rules: `input` holds everything the model read, cached and tool-use prompts included; `output`
    holds everything it wrote, thinking included.
    So :attr:`total_tokens` is their sum on every provider, whatever total the provider printed.
    """

    input: Tokens = Tokens()
    cached: Tokens = Tokens()
    "The part of `input` that was read from a cache."
    output: Tokens = Tokens()
    "Spoken and written output, without thinking; see :attr:`thinking`."
    thinking: int = 0
    "Thinking tokens, a part of :attr:`output_tokens`."
    tool_use: int = 0
    "The part of `input` that server-side tools put there."

    @property
    def input_tokens(self) -> int:
        return self.input.total

    @property
    def output_tokens(self) -> int:
        return self.output.total + self.thinking

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    def __add__(self, more: Usage) -> Usage:
        return Usage(
            input=self.input + more.input,
            cached=self.cached + more.cached,
            output=self.output + more.output,
            thinking=self.thinking + more.thinking,
            tool_use=self.tool_use + more.tool_use,
        )


@attrs.frozen(kw_only=True)
class Account(Value):
    """What one model was used for in a session."""

    provider: str
    "The provider's registered name."
    model: str | None
    "``None`` where it was never told."
    usage: Usage = Usage()
    "The tokens, of all that ended and of what runs as far as told."
    count: int = 0
    "How many responses, or transcripts, were counted."
    untold: int = 0
    "How many more there were of which the provider told no usage."
    billed_ms: float = 0.0
    "Audio that is billed by time, in ms."


@attrs.frozen(kw_only=True)
class SessionUsage(Value):
    """
    What a session used so far.

    Cancelled, interrupted and failed responses count like all others. What the transcription of
    the user's speech used is apart, because another model does it, at another price; where the
    model itself transcribes there is none.
    """

    responses: tuple[Account, ...] = ()
    "By model, in the order of their first use."
    transcription: tuple[Account, ...] = ()
    "By the model that transcribes."

    @property
    def total(self) -> Usage:
        """The tokens of all responses, whatever the model."""
        return _sum(self.responses)

    @property
    def transcribed(self) -> Usage:
        """The tokens of all transcription."""
        return _sum(self.transcription)

    @property
    def input_tokens(self) -> int:
        """What the models read, of all responses."""
        return self.total.input_tokens

    @property
    def output_tokens(self) -> int:
        """What the models wrote, of all responses."""
        return self.total.output_tokens

    @property
    def total_tokens(self) -> int:
        """What the models read and wrote, of all responses; without transcription."""
        return self.total.total_tokens

    @property
    def untold(self) -> int:
        """How many responses there were of which the provider told no usage."""
        return sum(account.untold for account in self.responses)


def _sum(accounts: Iterable[Account]) -> Usage:
    return sum((account.usage for account in accounts), Usage())
