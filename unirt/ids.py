"""
Ids: for what nobody has named, and for what two connections of a session would call the same.

Providers name what they say, and nothing keeps the server of another connection from the same
names. A session tells what was said by its ids from its beginning to its end, so whatever is called
like something of an earlier connection has a mark. A connection that goes on with what the server
remembers has the names of the one before it: what is called alike there is the same thing.
"""

from __future__ import annotations

from collections.abc import Callable

from unirt.bounded import forget_oldest

__all__ = ["Ids", "Names", "counting_ids", "names_of"]

_REMEMBERED = 8_192
"Names whose connection is remembered; more than anybody tells apart, see :mod:`unirt.grammar`."

_SWEEP = 512
"How many more may gather before the oldest are forgotten."


class Ids:
    """
    The ids of one session; calling it mints one: ``u_resp_1``, ``u_resp_2``, ``u_item_1`` …

    Args:
        prefix: What all that are minted begin with.
    """

    def __init__(self, prefix: str = "u") -> None:
        self._prefix = prefix
        self._counts: dict[str, int] = {}
        self._users: dict[str, tuple[int, int]] = {}
        "Who used a name first: which of the servers' memories, and which connection."
        self._marked: dict[tuple[int, str], str] = {}
        "Of a server's memory: what is called otherwise in the session, and what it is called."
        self._memories = self._connections = 0

    def __call__(self, noun: str) -> str:
        while True:
            count = self._counts[noun] = self._counts.get(noun, 0) + 1
            id_ = f"{self._prefix}_{noun}_{count}"
            if id_ not in self._users:  # a provider may have taken it
                return id_

    def join(self, *, goes_on: bool) -> tuple[int, int]:
        """Count one more connection; with `goes_on` its server remembers the one before it."""
        self._connections += 1
        if not (goes_on and self._memories):
            self._memories += 1
        return self._memories, self._connections

    def user(self, name: str, user: tuple[int, int]) -> tuple[int, int]:
        """Who used a name first, which may be this very user."""
        users = self._users
        first = users.setdefault(name, user)
        forget_oldest(users, _REMEMBERED, sweep=_SWEEP)
        return first

    def name(self, name: str, user: tuple[int, int]) -> str:
        """
        The session's name of what a connection calls so.

        It has a mark where somebody else used that name before, and as many as make it new: a
        server may relay names that another session marked. What has one already stays as it is.
        """
        memory, marked = user[0], self._marked
        first = self._users.get(name)
        if first is not None and first[0] == memory and not marked:
            return name
        if marked and (known := marked.get((memory, name))) is not None:
            return known
        if self.user(name, user)[0] == memory:
            return name
        made = f"{name}@{memory}"
        while made in self._users:
            made += f"@{memory}"
        self.user(made, user)
        marked[memory, name] = marked[memory, made] = made
        forget_oldest(marked, 2 * _REMEMBERED, sweep=2 * _SWEEP)  # as long as their users are
        return made


class Names:
    """
    Makes names of one connection names of its session.

    Args:
        ids: The session's.
        goes_on: Whether its server remembers the connection before it.
    """

    def __init__(self, ids: Ids, *, goes_on: bool = False) -> None:
        self._ids = ids
        self._goes_on = goes_on
        self._me: tuple[int, int] | None = None

    def __call__(self, name: str) -> str:
        """The session's name of something; a name of the session already stays as it is."""
        return self._ids.name(name, self._me or self._mine())

    def before(self, name: str) -> bool:
        """Whether something of an earlier connection that this one goes on with was called so."""
        me = self._mine()
        return self._ids.user(self(name), me)[1] < me[1]

    def _mine(self) -> tuple[int, int]:
        if self._me is None:  # translators that are only asked things name nothing
            self._me = self._ids.join(goes_on=self._goes_on)
        return self._me


def counting_ids(prefix: str = "u") -> Ids:
    """An id factory that counts."""
    return Ids(prefix)


def names_of(ids: Callable[[str], str], *, goes_on: bool = False) -> Names:
    """What names the things of one more connection, for whoever mints its ids."""
    return Names(ids if isinstance(ids, Ids) else Ids(), goes_on=goes_on)
