"""The fold: control becomes the state of the content, and not a byte of content is lost."""

from collections.abc import Callable

from unirt import events as ev
from unirt.audio import PCM16_24K
from unirt.composer import Composer
from unirt.events import Ending, StreamKind
from unirt.fold import ContentStep, Fold
from unirt.testing import fold, outline
from unirt.usage import Tokens, Usage

U10 = Usage(output=Tokens(text=10))
U20 = Usage(output=Tokens(audio=20))


def folded(script: Callable[[Composer], None]) -> list[ContentStep]:
    composer = Composer("toy")
    composer.begin({}, 0.0)
    script(composer)
    return fold(composer.events_received())


def shape(steps: list[ContentStep]) -> list[tuple[str, str]]:
    return [(step.step, step.stream.kind.value) for step in steps]


def test_streams_open_grow_and_close_with_ending_and_usage() -> None:
    def script(c: Composer) -> None:
        c.user_finish(StreamKind.TRANSCRIPT, "u1", text="Hi")
        r = c.response_started("r1")
        c.audio(r, "i1", 0, b"ab", PCM16_24K)
        c.text(r, StreamKind.TRANSCRIPT, "i1", 0, "Hello")
        c.audio(r, "i1", 0, b"cd", PCM16_24K)
        c.response_done("r1", usage=U20)

    user, audio, transcript = outline(folded(script))

    assert (user["role"], user["text"], user["ending"]) == ("user", "Hi", "complete")
    assert (audio["data"], audio["ending"]) == (b"abcd", "complete")
    assert audio["usage"] == transcript["usage"]
    assert transcript["usage"]["output"]["audio"] == 20
    assert transcript["text"] == "Hello"


def test_a_stream_that_never_held_anything_is_not_shown() -> None:
    def script(c: Composer) -> None:
        r = c.response_started("r1")
        c.open(r, StreamKind.AUDIO, "i1")
        c.text(r, StreamKind.TRANSCRIPT, "i1", 0, "x")
        c.response_done("r1")

    assert shape(folded(script)) == [
        ("open", "transcript"),
        ("delta", "transcript"),
        ("close", "transcript"),
    ]


def test_a_tool_call_closes_at_once_and_its_usage_is_carried_to_the_answer() -> None:
    def script(c: Composer) -> None:
        r = c.response_started("r1")
        c.tool_call(r, "i1", call_id="c1", name="f", arguments="{}", args={})
        c.response_done("r1", usage=U10)
        r = c.response_started("r2")
        c.audio(r, "i2", 0, b"ab", PCM16_24K)
        c.response_done("r2", usage=U20)

    call, answer = outline(folded(script))

    assert (call["kind"], call["name"], call["usage"]) == ("tool_call", "f", None)
    assert answer["usage"]["output"] == {
        "text": 10, "audio": 20, "image": 0, "video": 0, "other": 0,
    }  # fmt: skip


def test_one_usage_for_the_whole_round_folds_to_the_same() -> None:
    def split(c: Composer, first: Usage | None, second: Usage) -> None:
        r = c.response_started("r1")
        c.tool_call(r, "i1", call_id="c1", name="f", arguments="{}", args={})
        c.response_done("r1", usage=first)
        r = c.response_started("r2")
        c.text(r, StreamKind.TEXT, "i2", 0, "ok")
        c.response_done("r2", usage=second)

    assert outline(folded(lambda c: split(c, U10, U20))) == outline(
        folded(lambda c: split(c, None, U10 + U20))
    )


def test_usage_that_found_no_answer_is_told_at_the_end() -> None:
    def script(c: Composer) -> None:
        r = c.response_started("r1")
        c.tool_call(r, "i1", call_id="c1", name="f", arguments="{}", args={})
        c.response_done("r1", usage=U10)
        c.session_closed(code=1000, clean=True)

    last = folded(script)[-1]
    assert (last.stream.kind, last.usage, last.reason) == (StreamKind.NONE, U10, "session_closed")


def test_an_interruption_silences_at_once_and_the_usage_follows() -> None:
    def script(c: Composer) -> None:
        r = c.response_started("r1")
        c.audio(r, "i1", 0, b"\0" * 4_800, PCM16_24K)
        c.playback(40.0)
        c.interrupt()
        c.audio(r, "i1", 0, b"late", PCM16_24K)
        c.response_done("r1", usage=U20)

    audio, rest = outline(folded(script))

    assert (audio["ending"], audio["heard_ms"], len(audio["data"])) == ("interrupted", 40.0, 4_800)
    assert (rest["kind"], rest["ending"]) == ("none", "interrupted")
    assert rest["usage"]["output"]["audio"] == 20


def test_a_cut_playback_is_told_whichever_came_first_the_cut_or_the_end() -> None:
    def answer(c: Composer) -> None:
        r = c.response_started("r1")
        c.audio(r, "i1", 0, b"\0" * 48_000, PCM16_24K)
        c.playback(300.0)

    def done_first(c: Composer) -> None:
        answer(c)
        c.response_done("r1", usage=U20)
        c.interrupt()

    def cut_first(c: Composer) -> None:
        answer(c)
        response = c.active
        assert response is not None
        c.generation_done(response, ev.GenerationDone)
        c.interrupt(said=True)
        c.response_done("r1", usage=U20)

    audio, cut = outline(folded(done_first))
    assert (audio["ending"], audio["usage"]["output"]["audio"]) == ("complete", 20)
    assert (cut["kind"], cut["ending"], cut["heard_ms"]) == ("none", "interrupted", 300.0)
    assert outline(folded(cut_first)) == [audio, cut]


def test_a_failed_and_an_empty_response_are_told() -> None:
    def script(c: Composer) -> None:
        c.response_started("r1")
        c.response_done("r1", ending=Ending.FAILED, reason="quota", usage=U10)
        c.response_started("r2")
        c.response_done("r2")

    steps = folded(script)
    assert shape(steps) == [("open", "none"), ("close", "none")] * 2
    assert (steps[1].ending, steps[1].reason, steps[1].usage) == (Ending.FAILED, "quota", U10)
    assert steps[3].ending is Ending.COMPLETE


def test_cancelled_calls_are_told_with_their_ids() -> None:
    def script(c: Composer) -> None:
        r = c.response_started("r1")
        c.tool_call(r, "i1", call_id="c1", name="f", arguments="{}", args={})
        c.cancel_calls(["c1"])

    last = folded(script)[-1]
    assert (last.stream.kind, last.ending, last.call_ids) == (
        StreamKind.NONE, Ending.CANCELLED, ("c1",),
    )  # fmt: skip


def test_a_server_side_tool_closes_with_what_it_returned() -> None:
    def script(c: Composer) -> None:
        r = c.response_started("r1")
        c.open(r, StreamKind.SERVER_TOOL, "i1", name="web_search")
        c.text(r, StreamKind.SERVER_TOOL, "i1", 0, '{"q":1}')
        c.server_tool_result(r, "i1", output="found")
        c.response_done("r1")

    (tool,) = outline(folded(script))
    assert (tool["name"], tool["data"], tool["output"]) == ("web_search", '{"q":1}', "found")


def test_an_unclean_end_is_kept_for_whoever_reads_the_content() -> None:
    composer = Composer("toy")
    composer.begin({}, 0.0)
    r = composer.response_started("r1")
    composer.text(r, StreamKind.TEXT, "i1", 0, "half")
    composer.session_closed(code=1011, reason="sorry", clean=False)
    folding = Fold()
    steps = [s for e in composer.events_received() for s in folding.step(e)]

    assert (steps[-1].ending, steps[-1].reason) == (Ending.FAILED, "connection_lost")
    assert folding.error is not None
    assert folding.error.code == 1011


def test_deltas_pass_byte_for_byte_and_step_by_step() -> None:
    composer = Composer("toy")
    composer.begin({}, 0.0)
    r = composer.response_started("r1")
    for n in range(50):
        composer.audio(r, "i1", 0, bytes([n, 0]), PCM16_24K)
        composer.text(r, StreamKind.TEXT, "i2", 0, chr(64 + n))
    composer.response_done("r1")
    events = composer.events_received()
    kept = [e.data for e in events if isinstance(e, ev.AudioDelta)]
    steps = fold(events)

    assert [s.data for s in steps if s.step == "delta" and s.format is not None] == kept
    incremental = Fold()
    assert [s for e in events for s in incremental.step(e)] == steps
