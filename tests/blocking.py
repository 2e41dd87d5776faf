"""
Nothing of ours holds up an event loop: who does is stopped, and the test fails.

That is whoever sleeps, opens a file, reads or writes one, asks for an address, reads certificates,
waits for a lock, a thread or a program, while a loop runs in the same thread and a function of the
library, or of a provider, is among the callers. What a test does by itself does not count.

What may hold up a loop all the same stands in :data:`ALLOWED`. Not seen is what nobody calls by
name, as ``with lock:`` and ``io.FileIO``, and what takes long because there is much to compute.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import NamedTuple

from blockbuster import BlockBuster, BlockBusterFunction, BlockingError
from blockbuster import blockbuster as engine

__all__ = ["ALLOWED", "Allowed", "Blocked", "blocked", "watch"]

_OURS = ("unirt", "unirt_openai", "unirt_google")
_MORE = (
    "builtins.open",
    "io.open",
    "os.open",
    "socket.getaddrinfo",
    "socket.getfqdn",
    "socket.gethostbyaddr",
    "socket.gethostbyname",
    "ssl.SSLContext.load_cert_chain",
    "ssl.SSLContext.load_default_certs",
    "ssl.SSLContext.load_verify_locations",
    "ssl.SSLContext.set_default_verify_paths",
    "subprocess.Popen.communicate",
    "subprocess.Popen.wait",
)
"What the library does not know of by itself."


class Allowed(NamedTuple):
    """A place that may hold up a loop, and all that it calls."""

    file: str
    functions: frozenset[str]
    why: str


def _row(file: str, functions: str, why: str) -> Allowed:
    return Allowed(file, frozenset(functions.split()), why)


ALLOWED = (
    # Of others.
    _row(
        "<frozen importlib._bootstrap>",
        "_find_and_load",
        "a module is loaded once in a process, where it is needed first",
    ),
    _row(
        "logging/__init__.py",
        "emit flush",
        "where records go is the application's choice; its handler may have a queue",
    ),
    _row(
        "pydantic/plugin/_loader.py",
        "get_plugins",
        "with the first model of a process it is looked up what is installed beside pydantic",
    ),
    _row(
        "aiortc/rtcrtpreceiver.py",
        "__stop_decoder",
        "its thread has nothing to do, and was sent home as it began (transports/webrtc/jitter.py)",
    ),
    # Plain functions, which an application calls before something begins or after it ended.
    _row("unirt/settings.py", "read", "connect() is a plain function, and reads .env"),
    _row("unirt/registry.py", "_found", "and reads what is installed, once in a process"),
    _row("unirt/prices.py", "_source", "who asks for a price first loads the list: it says so"),
    _row("unirt/cassettes/files.py", "read write", "reading and writing files is what they are"),
    _row(
        "unirt/deck/deck.py",
        "__init__ finish",
        "a cassette is read before the first frame, and written after the last one",
    ),
    _row("unirt/deck/front.py", "called", "a function that is no coroutine may block: it may here"),
    _row(
        "unirt/deck/library.py",
        "_create_connection uninstall",
        "while a cassette is in, others dial as they always do, and are over when it is taken out",
    ),
    _row(
        "unirt/simulator/script.py",
        "action builtin builtin_names load",
        "a scenario is read before anybody speaks",
    ),
    _row("unirt/simulator/voice.py", "load_wav", "so are its recordings, each of them once"),
    _row("unirt/sound/wav.py", "__init__ read_wav write_wav", "who makes one opens the file"),
    # In a session.
    _row(
        "unirt/session/trace.py",
        "__init__ _write",
        "a line is on disk before the next event, which is what a trace is for: it says so",
    ),
    _row(
        "unirt/sound/descriptor.py",
        "read_now write",
        "20 ms of sound of an ordinary file; all else is waited for before: it says so",
    ),
    # Programs of ours, with one session that is not open yet, or not any more.
    _row("unirt/cli/demo.py", "_verdict scenario", "what is said, and what was answered"),
    _row("unirt/cli/inspect.py", "run", "one file becomes another one, and there is no session"),
)
"What may."

_blocked: list[str] = []
_watched = False


class Blocked(BlockingError):
    """Something of ours holds up the event loop; told to the test, whoever catches it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        _blocked.append(f"{what}\n{''.join(traceback.format_stack())}")


def watch() -> None:
    """From here on nothing of ours may hold up a loop in this process."""
    global _watched  # noqa: PLW0603  (what is put in the place of functions is put there once)
    if _watched:
        return
    _watched = True
    vars(engine)["BlockingError"] = Blocked
    watching = BlockBuster(_OURS)
    for name in _MORE:
        watching.functions[name] = BlockBusterFunction(
            None, name, scanned_modules=_OURS, can_block_predicate=_is_open
        )
    for name in ("threading.Lock.acquire", "threading.Lock.acquire_lock"):
        watching.functions[name].can_block_predicate = _is_asked
    for function in watching.functions.values():
        for row in ALLOWED:
            function.can_block_in(row.file, row.functions)
    watching.activate()


def _is_open(file: object = None, *_: object, **__: object) -> bool:
    """A number is of what was opened before, as the pipes of a program are: no disk is asked."""
    return isinstance(file, int)


def _is_asked(lock: object, blocking: bool = True, timeout: float = -1) -> bool:
    """Who waits for no lock may take one. Whether it is free at the moment is chance."""
    return not blocking or timeout == 0


def blocked() -> Sequence[str]:
    """What held up a loop since this was last asked, with who called it."""
    told = tuple(_blocked)
    _blocked.clear()
    return told
