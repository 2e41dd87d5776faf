"""
The verbs of a session that are one command each.

Audio has a room of its own, in :mod:`unirt.session.session`, because it is converted on its way.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, Unpack

from unirt.commands import (
    ApproveServerTool,
    CancelResponse,
    ClearInput,
    ClearPlayback,
    Command,
    CommitInput,
    DeleteItem,
    EndTurn,
    Interrupt,
    ReportPlayback,
    Respond,
    RetrieveItem,
    Scheduling,
    SendImage,
    SendRaw,
    SendText,
    SendToolResult,
    StartTurn,
    TruncateItem,
)
from unirt.config import Tool
from unirt.errors import ConfigurationError
from unirt.events import HistorySeeded
from unirt.items import Item
from unirt.session.arguments import ConfigFields
from unirt.tools.function import AnyTool, tools_of
from unirt.update import Updated

__all__ = ["URGENT", "Verbs"]

URGENT = (Interrupt, CancelResponse, ClearPlayback, ReportPlayback)
"What does not wait behind a congested network before it is queued."


class Verbs(ABC):
    """
    What can be said to a provider.

    Every verb raises :class:`~unirt.errors.UnsupportedCommand` where the provider has neither it
    nor an emulation, :class:`~unirt.errors.UsageError` where it makes no sense now, and
    :class:`~unirt.errors.SessionClosedError` where the session is over; each before anything is
    sent. Every verb returns when its frames are queued, and waits while the network is congested.
    """

    @abstractmethod
    async def send(self, command: Command) -> None:
        """Say any command; the other verbs are this one, spelt out."""

    async def send_text(self, text: str, *, respond: bool = True) -> None:
        """Say something in writing. It interrupts an answer that is running."""
        await self.send(SendText(text=text, respond=respond))

    async def send_image(
        self, data: bytes, mime_type: str = "image/jpeg", *, respond: bool = False
    ) -> None:
        """Show a picture, or one frame of a video."""
        await self.send(SendImage(data=data, mime_type=mime_type, respond=respond))

    async def start_turn(self) -> None:
        """Tell that the user begins to speak (manual turn detection). Interrupts an answer."""
        await self.send(StartTurn())

    async def end_turn(self, *, respond: bool = True) -> None:
        """Tell that the user is done speaking (manual turn detection), and have it answered."""
        await self.send(EndTurn(respond=respond))

    async def commit(self) -> None:
        """Make the audio so far part of the conversation, without asking for an answer."""
        await self.send(CommitInput())

    async def clear_input(self) -> None:
        """Throw away audio that has not been committed."""
        await self.send(ClearInput())

    async def respond(
        self,
        *,
        instructions: str | None = None,
        modalities: Iterable[str] | None = None,
        tools: Iterable[AnyTool] | None = None,
        tool_choice: str | None = None,
        voice: str | None = None,
        max_output_tokens: int | None = None,
        metadata: Mapping[str, str] | None = None,
        in_conversation: bool = True,
        input: Iterable[Item] | None = None,
        provider_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Have the model answer now; the arguments hold for this answer only."""
        await self.send(
            Respond(
                instructions=instructions,
                modalities=_tuple(modalities),
                tools=_functions(tools),
                tool_choice=tool_choice,
                voice=voice,
                max_output_tokens=max_output_tokens,
                metadata=metadata,
                in_conversation=in_conversation,
                input=_tuple(input),
                provider_options=provider_options,
            )
        )

    async def cancel(self, response_id: str | None = None) -> None:
        """Stop generating; what was generated may still be played."""
        await self.send(CancelResponse(response_id=response_id))

    async def interrupt(
        self, played_ms: float | None = None, response_id: str | None = None
    ) -> None:
        """
        Stop generating, and let the model know how much of its answer was heard.

        Args:
            played_ms: How much of it was played, in ms; ``None`` to use what was reported with
                :meth:`report_playback`, or else what the clock says.
            response_id: What `played_ms` is about; ``None`` for the latest answer with audio.
        """
        await self.send(Interrupt(played_ms=played_ms, response_id=response_id))

    async def report_playback(self, played_ms: float, response_id: str | None = None) -> None:
        """
        Tell the session how much of a response was played, in ms.

        A position never goes back, and never exceeds what was received. Told after an interruption
        it corrects what was taken to have been heard, where the provider lets it.
        """
        await self.send(ReportPlayback(played_ms=played_ms, response_id=response_id))

    async def truncate(self, item_id: str, audio_end_ms: int, content_index: int = 0) -> None:
        """Cut an item's audio to what was heard, in ms."""
        await self.send(
            TruncateItem(item_id=item_id, audio_end_ms=audio_end_ms, content_index=content_index)
        )

    async def send_tool_result(
        self,
        call_id: str,
        output: Any = None,
        *,
        error: str | None = None,
        scheduling: Scheduling | None = None,
        more_follows: bool = False,
        respond: bool = True,
    ) -> None:
        """
        Answer a tool call.

        The model goes on once all calls of its response are answered. A call that was cancelled
        meanwhile needs no answer; one given anyway is noted, and not sent.

        Args:
            call_id: :attr:`ToolCall.call_id`.
            output: A string, or anything that JSON can hold.
            error: Why the tool failed, instead of `output`.
            scheduling: What a late result may do to the conversation.
            more_follows: For tools that report in several pieces.
            respond: Whether the model shall go on.
        """
        await self.send(
            SendToolResult(
                call_id=call_id,
                output=output,
                error=error,
                scheduling=scheduling,
                more_follows=more_follows,
                respond=respond,
            )
        )

    @abstractmethod
    async def update(
        self, *, reconnect: bool = True, strict: bool = True, **changes: Unpack[ConfigFields]
    ) -> Updated:
        """
        Change the configuration of the running session, by the names ``connect()`` takes.

        Args:
            reconnect: Whether the session may move to a new connection for what the provider
                cannot change in this one. It takes the conversation with it.
            strict: Whether to change nothing where one setting cannot be changed. Without it that
                one is told as refused, and the others are changed.
            changes: The new settings.

        Returns:
            What became of each: it is in force, or from the next answer on, or over a new
            connection, or it was refused.

        Raises:
            ConfigurationError: A setting that does not exist.
            UnsupportedSetting: A setting that cannot be changed, while `strict`.
            DialError: The new connection did not come about; the session goes on with the one in
                use, or as it does where that was left.
        """

    @abstractmethod
    async def seed(self, items: Iterable[Item]) -> HistorySeeded:
        """
        Put earlier conversation before what follows. Triggers no response.

        Returns what became of every item; the event of that is told, too.
        """

    async def delete_item(self, item_id: str) -> None:
        """Remove an item from the conversation."""
        await self.send(DeleteItem(item_id=item_id))

    async def retrieve_item(self, item_id: str) -> None:
        """Ask for an item as the provider holds it; it comes as ``ItemRetrieved``."""
        await self.send(RetrieveItem(item_id=item_id))

    async def approve(
        self, approval_id: str, approve: bool = True, *, reason: str | None = None
    ) -> None:
        """Allow or forbid a server-side tool call."""
        await self.send(ApproveServerTool(approval_id=approval_id, approve=approve, reason=reason))

    async def send_raw(self, frame: Mapping[str, Any] | str | bytes) -> None:
        """Send a frame in the provider's own words, untouched."""
        await self.send(SendRaw(frame=frame))


def _tuple(values: Iterable[Any] | None) -> tuple[Any, ...] | None:
    if isinstance(values, str):
        return (values,)
    return None if values is None else tuple(values)


def _functions(tools: Iterable[AnyTool] | None) -> tuple[Tool, ...] | None:
    """The tools of one response: those that the application or the session runs."""
    found = None if tools is None else tools_of(tools, "respond(tools=)")
    functions = tuple(tool for tool in found or () if isinstance(tool, Tool))
    if found is not None and len(functions) < len(found):
        raise ConfigurationError(
            "a tool that the provider runs cannot be given for one response",
            where="respond(tools=)",
            remedy="configure the session with it",
        )
    return None if found is None else functions
