"""
Ids: for what nobody has named, and for what two connections of a session would call the same.

Providers name what they say, and nothing keeps the server of another connection from the same
names. A session tells what was said by its ids from its beginning to its end, so whatever is called
like something of an earlier connection has a mark.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Ids", "counting_ids", "names_of"]

_REMEMBERED = 8_192
"Names whose connection is remembered; more than anybody tells apart, see :mod:`unirt.grammar`."


class Ids:
    """
    The ids of one session; calling it mints one: ``u_resp_1``, ``u_resp_2``, ``u_item_1`` …

    Args:
        prefix: What all that are minted begin with.
    """

    def __init__(self, prefix: str = "u") -> None:
        self._prefix = prefix
        self._counts: dict[str, int] = {}
        self._users: dict[str, int] = {}
        "Which connection used a name first."
        self._connections = 0

    def __call__(self, noun: str) -> str:
        while True:
            count = self._counts[noun] = self._counts.get(noun, 0) + 1
            id_ = f"{self._prefix}_{noun}_{count}"
            if id_ not in self._users:  # a provider may have taken it
                return id_

    def connection(self) -> Callable[[str], str]:
        """
        What makes names of one more connection names of the session.

        What is a name of the session already stays as it is.
        """
        number, users = 0, self._users

        def named(name: str) -> str:
            nonlocal number
            if not number:  # translators that are only asked things name nothing
                number = self._connections = self._connections + 1
            mark = f"@{number}"
            if name.endswith(mark):
                return name
            user = users.setdefault(name, number)
            if len(users) > _REMEMBERED:
                del users[next(iter(users))]
            return name if user == number else name + mark

        return named


def counting_ids(prefix: str = "u") -> Ids:
    """An id factory that counts."""
    return Ids(prefix)


def names_of(ids: Callable[[str], str]) -> Callable[[str], str]:
    """What names the things of one more connection, for whoever mints its ids."""
    return ids.connection() if isinstance(ids, Ids) else str
