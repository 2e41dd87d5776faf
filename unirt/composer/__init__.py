"""
The composer: what a translator says, made into a legal stream of events.

Providers tell the same conversation in different words and leave different things out. A translator
knows its provider's words; the composer knows what every application may rely on:

- The first event is ``SessionStarted``, the last ``SessionClosed``.
- Content belongs to streams that open once and close once; a delta for a stream that was never
  announced announces it, a delta for one that is over is told as ``ContentDiscarded``.
- A response starts once and is done once; it closes its streams before it is done, and the session
  closes its responses before it is closed.
- An interruption is told once a response, at the first sign; nothing of that response follows.
- Whatever is concluded here and not said by the provider is marked ``synthesised``.

So a translator that only speaks through a composer cannot break :mod:`unirt.grammar`.
It does no I/O and reads no clock: time comes with :meth:`Composer.begin`.

Glossary: a response is *cut* when it is interrupted while content was still to come; it is
*playing* while audio that was delivered has not had the time to be heard.
"""

from unirt.composer.composer import MOVED, Composer
from unirt.composer.records import Call, OpenStream, Response, Speech
from unirt.composer.seeds import Seeds, as_text
from unirt.ids import counting_ids

__all__ = [
    "MOVED",
    "Call",
    "Composer",
    "OpenStream",
    "Response",
    "Seeds",
    "Speech",
    "as_text",
    "counting_ids",
]
