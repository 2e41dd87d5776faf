"""
A session: one translator, one transport, and the tasks that carry frames between them.

The way of a frame: the reader takes it off the transport, feeds the translator, and hands the
events to the views, all in one step without an ``await``. The way of a verb: it waits for room,
feeds the translator, and leaves the frames in the outbox, likewise. So the translator never sees
two things at once, and needs no lock.

Three tasks run while a session is open: the reader here, the writer in
:mod:`unirt.session.outbox`, and a timer where the translator asked for one. A fourth, the closer,
runs once: whoever wants the session closed, and whatever ended it, starts the closer, and everybody
waits for the same one. It joins the others, so when :meth:`Session.close` returns nothing is left.

Time for the translator is the :class:`~unirt.clock.Clock`'s. The bounds on the handshake and on
closing guard against a network, so they are in the event loop's own time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from types import TracebackType
from typing import Any, Self

from unirt.audio import AudioFormat
from unirt.capabilities import Capabilities
from unirt.clock import Clock
from unirt.commands import (
    AppendAudio,
    CancelResponse,
    ClearInput,
    ClearPlayback,
    Command,
    CommitInput,
    EndTurn,
    Interrupt,
    ReportPlayback,
)
from unirt.config import SessionConfig
from unirt.errors import SessionClosedError
from unirt.items import Item
from unirt.session.audio_in import AudioData, AudioIn, pieces
from unirt.session.audio_out import AudioOut
from unirt.session.handshake import Handshake
from unirt.session.limits import Limits, Stats
from unirt.session.outbox import Outbox
from unirt.session.state import State
from unirt.session.verbs import Verbs
from unirt.session.views import ContentView, Hub, View
from unirt.translator import Translator
from unirt.transport import Transport, TransportClosed
from unirt.usage import Usage

__all__ = ["Session"]

_LOG = logging.getLogger("unirt.session")

_URGENT = (Interrupt, CancelResponse, ClearPlayback, ReportPlayback)
"Verbs that do not wait behind a congested network before they are queued."
