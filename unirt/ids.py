"""Ids for what nobody has named."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["counting_ids"]


def counting_ids(prefix: str = "u") -> Callable[[str], str]:
    """An id factory that counts: ``u_resp_1``, ``u_resp_2``, ``u_item_1`` …"""
    counts: dict[str, int] = {}

    def mint(noun: str) -> str:
        counts[noun] = counts.get(noun, 0) + 1
        return f"{prefix}_{noun}_{counts[noun]}"

    return mint
