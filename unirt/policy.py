"""
What an error, or the end of a connection, means: whether another one would fare better, as rows
with sources.

Each provider has a table. Its rows are tried in order, and the first that fits decides; what no row
of the provider's fits is judged by :data:`STANDARD`, from the RFCs. So a session asks one question,
and a new close code is a new row.

A row that says ``ignore`` is of errors alone. A connection that ends is never ignored, whatever was
told before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

import attrs

from unirt.errors import DialError, UnirtError
from unirt.value import Value

__all__ = ["RECORDING_ENDS", "STANDARD", "Policy", "Row", "Verdict", "standard_rows"]


class Verdict(StrEnum):
    """What to do about the end of a connection, or about an error."""

    IGNORE = "ignore"
    "Nothing was lost; a race that the provider resolved. Of errors, and never of an end."
    RETRY = "retry"
    "A fault that passes: the same provider may answer the next connection."
    ROTATE = "rotate"
    "The provider ends connections by design: a new one, at once."
    FATAL = "fatal"
    "It would happen again: only somebody else may answer."


@attrs.frozen(kw_only=True)
class Row(Value):
    """One row: it fits where everything that it names fits."""

    verdict: Verdict
    codes: frozenset[int] | None = None
    "Close codes (RFC 6455, 7.4)."
    statuses: frozenset[int] | None = None
    "Of an upgrade that was refused (RFC 9110, 15)."
    errors: frozenset[str] | None = None
    "The provider's codes, or types, of errors."
    reason: str | None = None
    "What the reason, or the message, holds; a regular expression, without regard to case."
    why: str = ""
    source: str = ""
    "Where it is documented or was seen, with a date."

    def fits(
        self, code: int | None, reason: str, status: int | None, errors: Iterable[str]
    ) -> bool:
        """Whether it is about this."""
        return (
            (self.codes is None or code in self.codes)
            and (self.statuses is None or status in self.statuses)
            and (self.errors is None or bool(self.errors & set(errors)))
            and (self.reason is None or re.search(self.reason, reason, re.IGNORECASE) is not None)
        )


@attrs.frozen
class Policy(Value):
    """The rows of one provider."""

    rows: tuple[Row, ...] = ()

    def judge(
        self,
        *,
        code: int | None = None,
        reason: str = "",
        status: int | None = None,
        errors: Iterable[str] = (),
    ) -> Row:
        """
        The first row that fits; of the provider's, then of the standard ones.

        A connection has ended: rows that ignore an error are none about it.

        Args:
            code: The close code; ``None`` where none came.
            reason: What was said with it, or the message of an error.
            status: The HTTP status of an upgrade that was refused.
            errors: The provider's code and type of the last error that it told.
        """
        told = tuple(errors)
        ends = (row for row in self.rows if row.verdict is not Verdict.IGNORE)
        return next(row for row in (*ends, *_STANDARD) if row.fits(code, reason, status, told))

    def ignores(self, errors: Iterable[str], message: str = "") -> bool:
        """
        Whether an error that was told over a connection, which goes on, changes nothing.

        Args:
            errors: The provider's code and type of it.
            message: Its message.
        """
        told = tuple(errors)
        fits = (row for row in self.rows if row.fits(None, message, None, told))
        row = next(fits, None)
        return row is not None and row.verdict is Verdict.IGNORE

    def judge_error(self, error: UnirtError) -> Row:
        """The row about a connection that did not come about."""
        if not isinstance(error, DialError):
            return _NEVER
        code = getattr(error, "code", None)
        return self.judge(code=code, reason=error.why, status=error.status)


_NEVER = Row(verdict=Verdict.FATAL, why="the configuration cannot work", source="unirt")

RECORDING_ENDS = "the recording ends with the connection before"
"Why there is no other connection in a cassette that is played."

_STANDARD: tuple[Row, ...] = (
    Row(
        verdict=Verdict.FATAL,
        reason=f"^{RECORDING_ENDS}",
        why="what was not recorded cannot be played",
        source="unirt.deck",
    ),
    Row(
        verdict=Verdict.FATAL,
        reason=r"^not a WebSocket address|^not the address of a proxy|CERTIFICATE_VERIFY_FAILED",
        why="the address is wrong, or its certificate",
        source="unirt.transports.websocket.dial_error, 2026-11",
    ),
    Row(
        verdict=Verdict.FATAL,
        statuses=frozenset({400, 401, 402, 403, 404, 405, 410, 426}),
        why="the same request would be refused again",
        source="RFC 9110, 15.5",
    ),
    Row(
        verdict=Verdict.FATAL,
        codes=frozenset({1002, 1003, 1007, 1008, 1009, 1010}),
        why="the same session would be ended again",
        source="RFC 6455, 7.4.1",
    ),
    Row(
        verdict=Verdict.FATAL,
        codes=frozenset(range(4000, 5000)),
        why="a code of the provider's own, which nothing is known of",
        source="RFC 6455, 7.4.2",
    ),
    Row(
        verdict=Verdict.RETRY,
        why="the network, or the server for now",
        source="RFC 6455, 7.4.1; RFC 9110, 15.6",
    ),
)


def standard_rows() -> tuple[Row, ...]:
    """The rows that hold for every provider, after its own."""
    return _STANDARD


STANDARD = Policy()
"For a provider without rows of its own."
