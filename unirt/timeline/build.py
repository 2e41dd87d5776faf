"""From a cassette to its timeline: one pass over the lines, in the order of the file."""

from __future__ import annotations

from collections.abc import Iterable

from unirt.cassettes import Cassette, Entry, Exchanged, Framed
from unirt.cassettes.meaning import decoded
from unirt.cassettes.values import look_up
from unirt.commands import AppendAudio
from unirt.events import AudioDelta, Interrupted, ItemTruncated, ResponseDone
from unirt.timeline.lanes import LaneBuilder
from unirt.timeline.listen import Listener, exchanged
from unirt.timeline.measure import tools_in, turns_in
from unirt.timeline.values import Row, Timeline
from unirt.usage import Usage

__all__ = ["timeline"]


def timeline(cassette: Cassette) -> Timeline:
    """Everything that can be shown of a cassette."""
    listeners = {segment.number: Listener(segment) for segment in cassette.segments}
    lanes = {
        (number, role): LaneBuilder(number, role)
        for number in listeners
        for role in ("user", "assistant")
    }
    rows: list[Row] = []
    for line, entry in cassette.numbered():
        if isinstance(entry, Exchanged):
            rows.append(exchanged(line, entry))
            continue
        listener = listeners[entry.connection]
        for row in listener.rows(line, entry):
            rows.append(row)
            _hear(row, entry, listener, lanes)
    heard = tuple(lane for builder in lanes.values() if (lane := builder.lane()) is not None)
    return Timeline(
        header=cassette.header,
        connections=tuple((s.number, s.provider, s.model) for s in cassette.segments),
        rows=tuple(rows),
        lanes=heard,
        turns=turns_in(rows, heard),
        tools=tools_in(rows),
        usage=_usage(rows),
        warnings=tuple(_warnings(listeners)),
    )


def _hear(
    row: Row, entry: Entry, listener: Listener, lanes: dict[tuple[int, str], LaneBuilder]
) -> None:
    """Put the audio of a row into its lane."""
    user, model = lanes[row.connection, "user"], lanes[row.connection, "assistant"]
    line = row.line or 0
    for command in row.commands:
        if isinstance(command, AppendAudio) and listener.input_format is not None:
            kept = _kept(entry, len(command.data))
            user.add(line, row.at_ms, command.data, listener.input_format, kept_bytes=kept)
    for event in row.events:
        if isinstance(event, AudioDelta):
            model.add(
                line,
                row.at_ms,
                event.data,
                event.format,
                kept_bytes=_kept(entry, len(event.data)),
                response_id=event.response_id,
                item_id=event.item_id,
            )
        elif isinstance(event, Interrupted):
            model.cut(row.at_ms, event.response_id)
        elif isinstance(event, ItemTruncated):
            model.truncate(event.item_id, event.audio_end_ms)


def _kept(entry: Entry, size: int) -> int:
    """How much is left of the audio in a line, in bytes."""
    if not isinstance(entry, Framed) or not entry.altered:
        return size
    cut = [change for change in entry.altered if change.silence is None]
    return sum(len(decoded(look_up(entry.data, change.at)) or b"") for change in cut)


def _usage(rows: Iterable[Row]) -> Usage | None:
    told = [
        event.usage
        for row in rows
        for event in row.events
        if isinstance(event, ResponseDone) and event.usage is not None
    ]
    return sum(told[1:], told[0]) if told else None


def _warnings(listeners: dict[int, Listener]) -> Iterable[str]:
    return dict.fromkeys(one.warning for one in listeners.values() if one.warning)
