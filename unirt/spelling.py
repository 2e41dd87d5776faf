"""Names that do not exist, and the ones that were meant."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["nearest"]


def nearest(name: str, known: Iterable[str], *, prefix: str = "") -> str:
    """
    What to write instead of a name that does not exist, as the remedy of an error.

    Args:
        name: What was written.
        known: All names there are.
        prefix: What all of them have in common, so that it does not count as likeness.
    """
    import difflib  # where there is a mistake to explain, and not before

    names = sorted(known)
    bare = [other.removeprefix(prefix) for other in names]
    close = difflib.get_close_matches(name.removeprefix(prefix), bare, n=3, cutoff=0.6)
    if close:
        return f"did you mean {' or '.join(prefix + other for other in close)}?"
    return f"use one of {', '.join(names)}"
