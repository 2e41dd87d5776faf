"""
Scrubbing: what is taken out of a recording before it is written.

By default secrets go and ids are renamed; audio stays. Ids are renamed by order of appearance,
the same id to the same name in both directions, so a scrubbed cassette plays like the recording.
Scrubbing twice changes nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

import attrs

from unirt.cassettes.entries import Cassette, Closed, Entry, Exchanged, Framed, Header, Opened
from unirt.cassettes.names import new_names, with_names
from unirt.cassettes.secrets import Secrets, hidden, scrubbed_url, texts_in
from unirt.cassettes.sound import silenced, sounds
from unirt.cassettes.spread import spread_over, without_spread
from unirt.errors import CassetteError, ConfigurationError
from unirt.value import Value

__all__ = ["EntryRule", "Scrub", "check_clean", "scrubbed", "secret_in"]

EntryRule = Callable[[Entry], Entry | None]
"Somebody's own rule: an entry to an entry, or to ``None`` to leave it out."


def _audio(value: Any) -> float | str:
    if value in ("keep", "silence"):
        return str(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    raise ConfigurationError(
        f"audio cannot be {value!r}",
        where="audio",
        remedy="use 'keep', 'silence', or how many ms of each piece to keep",
    )


@attrs.frozen(kw_only=True)
class Scrub(Value):
    """What to take out."""

    audio: float | str = attrs.field(default="keep", converter=_audio)
    "``keep``, ``silence`` for silence of the same length, or how many ms of each piece to keep."
    ids: bool = True
    "Whether ids are renamed."
    rules: tuple[EntryRule, ...] = ()
    "Your own, applied first. What a client sends in a replay goes through them too."

    def live(self, secrets: Secrets) -> Callable[[Any], Any]:
        """What is done to a live frame, decoded, so that it compares; ``None`` leaves it out."""

        def prepared(data: Any) -> Any:
            entry = self._ruled(Framed(direction="sent", data=data))
            return hidden(entry.data, secrets) if isinstance(entry, Framed) else None

        return prepared

    def _ruled(self, entry: Entry) -> Entry | None:
        for rule in self.rules:
            changed = rule(entry)
            if changed is None:
                return None
            if not isinstance(changed, Entry):
                name = getattr(rule, "__qualname__", repr(rule))
                raise ConfigurationError(
                    f"the rule {name} gave back no entry but a {type(changed).__name__}",
                    where="scrub",
                    remedy="let it give back an entry of unirt.cassettes, or None to leave it out",
                )
            entry = changed
        return entry


def scrubbed(cassette: Cassette, scrub: Scrub, secrets: Secrets) -> Cassette:
    """The cassette without what it must not hold, and its header with what was done."""
    entries = [found for entry in cassette.entries if (found := scrub._ruled(entry)) is not None]
    cassette = attrs.evolve(cassette, entries=tuple(entries))
    cassette = _without_audio(cassette, scrub.audio)
    hidden_entries = [_without_secrets(entry, secrets) for entry in cassette.entries]
    hidden_entries = without_spread(hidden_entries, secrets)
    changed = sum(new is not old for new, old in zip(hidden_entries, cassette.entries, strict=True))
    said = dict(cassette.header.scrubbed)
    said["secrets"] = said.get("secrets", 0) + changed
    if scrub.ids:
        names = new_names(attrs.evolve(cassette, entries=tuple(hidden_entries)))
        hidden_entries = with_names(hidden_entries, names)
        said["ids"] = len(names)
    if scrub.audio != "keep" or "audio" not in said:
        kept = "kept" if scrub.audio == "keep" else scrub.audio
        said["audio"] = f"cut to {kept:g} ms" if isinstance(kept, float) else kept
    header = _header(cassette.header, secrets)
    return Cassette(header=attrs.evolve(header, scrubbed=said), entries=tuple(hidden_entries))


def _header(header: Header, secrets: Secrets) -> Header:
    def clean(text: str | None) -> str | None:
        return None if text is None else secrets.hide(text)

    against = header.against
    if against is not None and "://" in against:
        against = scrubbed_url(against, secrets)
    return attrs.evolve(
        header,
        model=clean(header.model),
        protocol=clean(header.protocol),
        recorded_by=clean(header.recorded_by),
        against=clean(against),
        notes=hidden(dict(header.notes), secrets),
    )


def _without_audio(cassette: Cassette, audio: float | str) -> Cassette:
    if audio == "keep":
        return cassette
    found = sounds(cassette)
    keep_ms = audio if isinstance(audio, float) else None
    entries = [
        silenced(entry, found[line], keep_ms)
        if isinstance(entry, Framed) and line in found and not entry.altered
        else entry
        for line, entry in cassette.numbered()
    ]
    return attrs.evolve(cassette, entries=tuple(entries))


# Secrets.


def _without_secrets(entry: Entry, secrets: Secrets) -> Entry:
    """The entry without secrets; the very same where it holds none."""
    match entry:
        case Framed(data=data):
            clean = hidden(data, secrets)
            return entry if clean is data else attrs.evolve(entry, data=clean)
        case Opened():
            model = None if entry.model is None else secrets.hide(entry.model)
            chosen = entry.subprotocol
            new: Entry = attrs.evolve(
                entry,
                url=scrubbed_url(entry.url, secrets),
                error=secrets.hide(entry.error),
                model=model,
                subprotocol=None if chosen is None else secrets.hide(chosen),
            )
        case Closed(reason=reason):
            new = attrs.evolve(entry, reason=secrets.hide(reason))
        case Exchanged():
            new = attrs.evolve(
                entry,
                request=_message(entry.request, secrets),
                response=_message(entry.response, secrets),
            )
        case _:
            return entry
    return entry if new == entry else new


def _message(message: Mapping[str, Any], secrets: Secrets) -> dict[str, Any]:
    """One half of an HTTP exchange, as vcrpy keeps it."""
    clean: dict[str, Any] = {}
    for key, value in message.items():
        if key == "headers" and isinstance(value, dict):
            clean[key] = hidden(value, secrets, headers=True)
        elif key in ("uri", "url") and isinstance(value, str):
            clean[key] = scrubbed_url(value, secrets)
        elif key == "body":
            clean[key] = _body(value, secrets)
        else:
            clean[key] = hidden(value, secrets)
    return clean


def _body(body: Any, secrets: Secrets) -> Any:
    """A body as a cassette holds it: a text, or an object with one, or with base64."""
    if isinstance(body, dict) and body.keys() == {"base64"}:
        data = base64.b64decode(body["base64"])
        return {"base64": base64.b64encode(secrets.hide_bytes(data)).decode()}
    if isinstance(body, dict):
        return {key: _body(inner, secrets) for key, inner in body.items()}
    return hidden(body, secrets)


def check_clean(cassette: Cassette, secrets: Secrets, where: str) -> None:
    """
    Look at the name of the file and at every line once more.

    Raises:
        CassetteError: One still holds a secret. It says which rule found it, and never the secret.
    """
    rule = secrets.found(PurePath(where).name)
    if rule is not None:
        raise CassetteError(
            f"its name holds {rule}, so it is not written",
            where=secrets.hide(where),
            remedy="give it another name",
        )
    spread = spread_over(list(cassette.entries), secrets)
    lines: list[tuple[int, Header | Entry]] = [(1, cassette.header), *cassette.numbered()]
    for line, holder in lines:
        rule = secret_in(holder, secrets)
        if rule is None and spread is not None and line == spread[0] + 2:
            rule = spread[1]
        if rule is not None:
            raise CassetteError(
                f"it still holds {rule}, so it is not written",
                where=f"{where}, line {line}",
                remedy="take it out with a rule of your own: scrub=",
            )


def secret_in(line: Header | Entry, secrets: Secrets) -> str | None:
    """Which rule finds a secret in a line, by name; ``None`` where none does."""
    if isinstance(line, Framed):
        held: Any = line.data
    elif isinstance(line, Exchanged):
        held = [_with_bytes(dict(line.request)), _with_bytes(dict(line.response))]
    else:
        held = attrs.asdict(line)
    return next(filter(None, map(secrets.found, texts_in(held))), None)


def _with_bytes(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"base64"}:
            return base64.b64decode(value["base64"])
        return {key: _with_bytes(inner) for key, inner in value.items()}
    return value
