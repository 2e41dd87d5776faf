"""
The model's side of a dialogue: responses and items that the protocol does not name.

Gemini streams content and says when a generation or a turn is over; it names neither. The rules:

- A response starts with the first content after an input and is done at ``turnComplete``, unless
  that says that the interaction is in progress.
- A response has one message item, and one item for each call. What comes after
  ``generationComplete``, or after a ``turnComplete`` in progress, is a new message; transcripts and
  citations may trail behind and still belong to the old one.
- A tool call ends what the model has to say until it is answered. The first content after all
  calls of a response were answered is the next response: the Gemini API closes no turn between
  them, Vertex AI does, and both give the same two responses. A recording does not show the answers;
  there, content after a call that the model waits for shows that it was answered. A model that
  talks on while its tools run stays in its response.
- After an interruption nothing is delivered until the turn is over. Only where the model had
  finished before it was interrupted is content after it new.
"""

from __future__ import annotations

from unirt.composer import Call, Composer, Response
from unirt.events import ContentDiscarded, Ending, GenerationDone, StreamKind, UsageReported
from unirt.usage import Usage
from unirt_google.speaking import Speaking
from unirt_google.user import User

__all__ = ["Answer"]

_TRAILING = {StreamKind.TRANSCRIPT, StreamKind.CITATIONS}


class Answer:
    """What is known of the running response."""

    def __init__(self, composer: Composer, user: User, *, offline: bool) -> None:
        self._composer = composer
        self._user = user
        self._offline = offline
        self._continues = False
        "We sent what the model goes on from without a new turn of the user's."
        self.speaking: Speaking | None = None
        "Where plain audio goes on, until anything else happens to the answer."
        self._asked = False
        "We sent what interrupts: the server's next interruption is ours, if any comes."
        self._cut_in_frame = False
        self._cut_idle = False
        "The server told an interruption while nothing ran; a `turnComplete` of nothing may follow."
        self._reset()

    def _reset(self) -> None:
        """A response begins, or is over: forget what belongs to one."""
        self.speaking = None
        self._message: str | None = None
        self._message_over = False
        self._parted = False
        "The last part of the answer is over, and no other has begun."
        self._transcribed = False
        self._server_tool: str | None = None
        self._server_tools: dict[str, str] = {}
        self._waiting = False
        "The last thing the model said is a tool call."
        self._talked = False
        "The model went on talking after its last tool call."
        self._reported: Usage | None = None
        "The running count."
        self._spent: Usage | None = None
        "Of the parts of the response that are over."
        self._cancelled: str | None = None
        self._cancel_heard = False
        self._cut_unasked = False
        """
        The server cut the response before any sign of a new turn of the user's. Once there is one,
        content answers it, even if the `turnComplete` of what was cut never came.
        """
        self._asked = False

    # What the application does.

    def cut(self, *, playing: bool = False, by: str = "client") -> None:
        """
        We send what interrupts: what runs is cut at once, not only when the server says so.

        Args:
            playing: Whether what is only playing any more is cut, too.
            by: Who interrupts; ``speech`` where the session heard the user speak.
        """
        active = self._composer.active
        if active is not None or playing:
            self._composer.interrupt(active, by=by, synthesised=True)
        self._asked = True

    def cancel(self, response: Response) -> None:
        """We asked to cancel a response: when it ends early, that is why."""
        self._cancelled = response.id

    def continues(self) -> None:
        """We sent what the model goes on from without a new turn of the user's."""
        self._continues = True

    # Where content goes.

    def speaks(self, speaking: Speaking) -> None:
        """Audio was delivered: more of the same goes on there."""
        if not speaking.response.call_ids:  # beside tools, any piece may begin the next answer
            self.speaking = speaking

    def begin_frame(self) -> None:
        """Start on a frame: that content came together with an interruption is forgotten."""
        self._cut_in_frame = False

    def response(self) -> Response | None:
        """
        The response that content belongs to, started where none runs.

        ``None`` where content is not to be delivered; tell of it with :meth:`discard`.
        """
        response = self._composer.active
        if self._cut_in_frame:
            return None
        if response is None:
            return self._start()
        if self._cancel_heard and response.id == self._cancelled:
            return None
        if response.cut and not (self._cut_unasked and self._composer.turn_is_open):
            return None
        if self._moves_on(response):
            self._composer.response_done(response.id, usage=self._total(None), synthesised=True)
            return self._start()
        self._parted = False
        if self._waiting:
            self._talks_on(response)
        return response

    def message(self, kind: StreamKind) -> str:
        """The item that content of that kind belongs to, in the response just asked for."""
        over = self._message_over and kind not in _TRAILING
        again = self._transcribed and kind is StreamKind.TRANSCRIPT
        if self._message is None or over or again:
            self._message = self._composer.mint("item")
            self._message_over = self._transcribed = False
            self.speaking = None
        return self._message

    def server_tool(self, wire_id: str | None) -> str:
        """A new item for a tool that the server runs, known by the server's id where it has one."""
        self._server_tool = self._composer.mint("item")
        if wire_id:
            self._server_tools[wire_id] = self._server_tool
        return self._server_tool

    def server_tool_of(self, wire_id: str | None) -> str:
        """The item of a result: by the server's id, else the latest, else a new one."""
        known = self._server_tools.get(wire_id) if wire_id else None
        return known or self._server_tool or self.server_tool(wire_id)

    def discard(self, kind: StreamKind, size: int, duration_ms: float | None = None) -> None:
        """Tell of content that is not delivered: bytes or characters of it, and how long it is."""
        response = self._composer.active or self._composer.latest
        self._composer.emit(
            ContentDiscarded,
            response_id=None if response is None else response.id,
            turn_id=None if response is None else response.turn_id,
            kind=kind,
            size=size,
            duration_ms=duration_ms,
        )

    def transcribed(self) -> bool:
        """The message's transcript is final; ``False`` where none was open."""
        response = self._composer.active
        if response is None or self._message is None:
            return False
        self._transcribed = True
        self.speaking = None
        return self._composer.finish(response, StreamKind.TRANSCRIPT, self._message)

    def called(self, response: Response) -> None:
        """The model called tools: it has nothing to say until they are answered."""
        self._waiting = response.generated = True
        self._talked = False
        self.speaking = None

    def _start(self) -> Response:
        latest = self._composer.latest
        after_tools = latest is not None and bool(latest.call_ids)
        unseen = self._offline and not after_tools
        self._user.answered(assume=not self._continues and (unseen or self._user.audio_sent))
        self._reset()
        self._continues = self._cut_idle = False
        return self._composer.response_started(synthesised=True)

    def _moves_on(self, response: Response) -> bool:
        """Whether content that comes now is no longer this response's."""
        if response.interrupted or not response.call_ids:
            return response.interrupted
        calls = self._calls(response)
        if self._offline:
            for call in calls:
                call.answered = call.answered or (call.blocking and call.pending)
        if any(call.pending for call in calls) or not any(call.answered for call in calls):
            return False
        return response.generated or not self._talked or all(call.blocking for call in calls)

    def _talks_on(self, response: Response) -> None:
        """Content although tools are running: late words, or a model that does not wait."""
        self._waiting, self._talked = False, True
        if not all(call.blocking for call in self._calls(response)):
            response.generated = False

    def _calls(self, response: Response) -> list[Call]:
        known = (self._composer.calls.get(call_id) for call_id in response.call_ids)
        return [call for call in known if call is not None]

    # What the server says of the turn.

    def generated(self) -> bool:
        """All content was sent; ``False`` where no response runs, or it was interrupted."""
        response = self._composer.active
        if response is None or response.interrupted:
            return False
        self._composer.generation_done(response, GenerationDone)
        self._message_over, self._waiting = True, False
        self.speaking = None
        self._user.settle()
        return True

    def interrupted(self) -> None:
        """The server cut the answer short, or what it takes to be still playing."""
        self.speaking = None
        composer = self._composer
        response = composer.active
        by = "client" if self._asked else "speech"
        self._asked = False
        self._cut_in_frame = True
        self._cut_idle = response is None
        self._cut_unasked = response is not None and not composer.turn_is_open
        if response is not None and response.id == self._cancelled:
            self._cancel_heard = True
            composer.noted("serverContent.interrupted", "the response is being cancelled")
        elif not composer.interrupt(by=by, said=True):
            composer.noted("serverContent.interrupted", "it was told before")
        self._user.settle()

    def in_progress(self, usage: Usage | None) -> None:
        """A part of the answer is over, and more follows by itself."""
        self.speaking = None
        response = self._composer.active
        if response is None:
            self.unanswered(usage)
            return
        if response.interrupted:
            self.done(Ending.COMPLETE, None, None, usage)
            return
        for item_id, index, kind in list(response.streams):
            if item_id == self._message:
                self._composer.finish(response, kind, item_id, index, synthesised=True)
        self._message, self._parted = None, True
        self._user.settle()
        if usage is not None:
            self._spent = usage if self._spent is None else self._spent + usage
            self.report(self._spent)
            self._reported = None

    def done(
        self, ending: Ending, reason: str | None, detail: str | None, usage: Usage | None
    ) -> bool:
        """The turn is over; ``False`` where none was."""
        composer = self._composer
        response = composer.active
        if response is None:
            if self._cut_idle or not composer.turn_is_open:
                self._cut_idle = False
                self.unanswered(usage)
                return False
            response = self._start()
        early = self._cancel_heard or not response.generated
        if response.id == self._cancelled and early and ending is Ending.COMPLETE:
            ending, reason = Ending.CANCELLED, "client"
        self._user.settle()
        composer.response_done(
            response.id, ending=ending, reason=reason, detail=detail, usage=self._total(usage)
        )
        self._reset()
        return True

    def idle(self) -> None:
        """The interaction is over: so is an answer whose parts are all over."""
        response = self._composer.active
        if response is not None and self._parted:
            self.done(Ending.COMPLETE, None, None, None)

    def report(self, usage: Usage | None) -> None:
        """Tell usage that came apart from the end of a turn."""
        if usage is None:
            return
        composer = self._composer
        response = composer.active
        if response is not None:
            self._reported = usage
        elif not composer.turn_is_open:
            response = composer.latest  # nothing else it can be about
        composer.emit(
            UsageReported,
            scope="response",
            usage=usage,
            response_id=None if response is None else response.id,
            turn_id=None if response is None else response.turn_id,
        )

    def unanswered(self, usage: Usage | None) -> None:
        """A turn ended in which no response began: tell what it used all the same."""
        if usage is not None:
            self._composer.emit(UsageReported, scope="turn", usage=usage)

    def _total(self, usage: Usage | None) -> Usage | None:
        """The response's usage: of its last part as told at the end, else the running count."""
        last = usage or self._reported
        if self._spent is None or last is None:
            return last or self._spent
        return self._spent + last
