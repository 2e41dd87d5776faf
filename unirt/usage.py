"""
What a response cost, in tokens, with the same meaning on every provider.

Providers count differently; translators bring the counts to the rules stated on each field here.
"""

from __future__ import annotations

import attrs

from unirt.value import Value

__all__ = ["Tokens", "Usage"]


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
