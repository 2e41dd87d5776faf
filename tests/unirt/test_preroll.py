"""The audio before a manual turn: the latest of it, and never more than the bound."""

from hypothesis import given
from hypothesis import strategies as st

from unirt import PCM16_16K
from unirt.preroll import PREROLL_MS, Preroll

BOUND = PCM16_16K.bytes_for(PREROLL_MS)


def test_what_is_kept_is_taken_once() -> None:
    preroll = Preroll()
    preroll.keep(b"ab", PCM16_16K)
    preroll.keep(b"cd", PCM16_16K)
    assert preroll.take() == [b"ab", b"cd"]
    assert preroll.take() == []


def test_what_is_cleared_is_gone() -> None:
    preroll = Preroll()
    preroll.keep(b"ab", PCM16_16K)
    preroll.clear()
    assert preroll.take() == []


@given(sizes=st.lists(st.integers(0, BOUND), max_size=12))
def test_it_is_the_end_of_what_was_given(sizes: list[int]) -> None:
    preroll, given_ = Preroll(), b""
    for n, size in enumerate(sizes):
        piece = bytes([n]) * (size // 2 * 2)
        given_ += piece
        preroll.keep(piece, PCM16_16K)
    assert b"".join(preroll.take()) == given_[-BOUND:]
