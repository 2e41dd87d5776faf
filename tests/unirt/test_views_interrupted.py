"""An interruption silences what is unread: no view hands out stale audio (field 7)."""

from typing import Any

import pytest

import unirt
from unirt.composer import Composer
from unirt.session.limits import Limits
from unirt.session.views import ContentView, Hub, View
from unirt.testing import fold, outline

Toy = Any  # the fixture's class lives in conftest.py, which no module may import


@pytest.fixture
def composer() -> Composer:
    made = Composer("toy")
    made.begin({}, 0.0)
    made.session_started()
    return made


def speak(composer: Composer, response_id: str, *pieces: int) -> None:
    response = composer.response_started(response_id)
    for ms in pieces:
        composer.audio(response, f"{response_id}.item", 0, bytes(48 * ms), unirt.PCM16_24K)


async def unread(view: Any) -> list[Any]:
    return [event async for event in view]


def sound(events: list[Any]) -> list[tuple[str | None, float]]:
    return [(e.response_id, e.duration_ms) for e in events if isinstance(e, unirt.AudioDelta)]


def names(events: list[Any]) -> list[str]:
    return [type(event).__name__ for event in events]


async def finished(hub: Hub, view: View | ContentView) -> list[Any]:
    hub.finish(lambda: None)
    return await unread(view)


async def test_a_reader_that_is_behind_is_given_no_stale_audio(composer: Composer) -> None:
    hub = Hub(Limits())
    view = hub.open()
    speak(composer, "r1", 100, 200, 300)
    hub.deliver(composer.events_received(), 0)
    composer.interrupt()
    hub.deliver(composer.events_received(), 0)

    assert (view.silenced_ms, hub.silenced_ms, view.dropped_ms) == (600, 600, 0)
    events = await finished(hub, view)
    assert sound(events) == [("r1", 0)]
    assert names(events)[-4:] == ["StreamOpened", "AudioDelta", "StreamClosed", "Interrupted"]


async def test_what_one_read_brought_with_the_interruption_is_silent_too(
    composer: Composer,
) -> None:
    hub = Hub(Limits())
    view = hub.open()
    speak(composer, "r1", 100, 200)
    composer.interrupt()
    hub.deliver(composer.events_received(), 0)

    assert sound(await finished(hub, view)) == [("r1", 0)]


async def test_other_responses_keep_their_audio(composer: Composer) -> None:
    hub = Hub(Limits())
    view = hub.open()
    speak(composer, "r1", 100)
    composer.response_done("r1")
    composer.begin({}, 9.0)
    speak(composer, "r2", 200, 200)
    composer.interrupt()
    composer.response_done("r2")
    speak(composer, "r3", 300)
    hub.deliver(composer.events_received(), 0)

    assert sound(await finished(hub, view)) == [("r1", 100), ("r2", 0), ("r3", 300)]


async def test_a_playback_that_is_cut_is_silenced_too(composer: Composer) -> None:
    hub = Hub(Limits())
    view = hub.open()
    speak(composer, "r1", 100, 100)
    composer.response_done("r1")
    hub.deliver(composer.events_received(), 0)
    composer.interrupt()
    hub.deliver(composer.events_received(), 0)

    assert sound(await finished(hub, view)) == [("r1", 0)]


async def test_views_opened_before_and_after_are_silent_alike(composer: Composer) -> None:
    hub = Hub(Limits())
    speak(composer, "r1", 100, 100)
    hub.deliver(composer.events_received(), 0)
    composer.interrupt()
    hub.deliver(composer.events_received(), 0)
    early, late = hub.open(), hub.open()
    hub.finish(lambda: None)

    assert sound(await unread(early)) == sound(await unread(late)) == [("r1", 0)]


async def test_the_folded_view_hands_out_no_stale_audio_and_still_tells_the_stream(
    composer: Composer,
) -> None:
    hub = Hub(Limits())
    content = ContentView(hub.open())
    speak(composer, "r1", 100, 200)
    hub.deliver(composer.events_received(), 0)
    opened = await anext(content)  # the first piece is a step of its own, and unread
    composer.interrupt()
    composer.response_done("r1")
    hub.deliver(composer.events_received(), 0)
    steps = [opened, *await finished(hub, content)]

    assert [step.step for step in steps] == ["open", "delta", "delta", "close"]
    assert [step.data for step in steps if step.step == "delta"] == [b"", b""]
    assert steps[-1].ending is unirt.Ending.INTERRUPTED
    assert content.silenced_ms == 300


async def test_the_fold_of_a_view_is_the_folded_view(composer: Composer) -> None:
    hub = Hub(Limits())
    kept, content = hub.open(), ContentView(hub.open())
    speak(composer, "r1", 100, 200)
    composer.interrupt()
    composer.response_done("r1")
    hub.deliver(composer.events_received(), 0)
    hub.finish(lambda: None)

    assert outline(fold(await unread(kept))) == outline(await unread(content))


async def test_audio_that_counts_against_the_bound_is_what_is_left(composer: Composer) -> None:
    """After a cut the bound on unread audio starts anew: what follows is not dropped for it."""
    hub = Hub(Limits(audio_ms=1000))
    view = hub.open()
    speak(composer, "r1", *[100] * 9)
    composer.interrupt()
    composer.response_done("r1")
    speak(composer, "r2", *[100] * 9)
    hub.deliver(composer.events_received(), 0)
    speak(composer, "r2", 100)
    hub.deliver(composer.events_received(), 0)

    assert view.dropped_ms == 0
    assert sum(ms for _, ms in sound(await finished(hub, view))) == 1000


async def test_observers_are_told_everything_and_stats_count(toy: Toy) -> None:
    seen: list[unirt.Event] = []
    await toy.greet()
    async with toy.connecting(observers=[seen.extend]) as session:
        await toy.say("audio", response="r", size=4_800)
        await toy.say("interrupt")
        await toy.say("done", response="r")
        async for event in session:
            assert not (isinstance(event, unirt.AudioDelta) and event.data)
            if isinstance(event, unirt.ResponseDone):
                break
        assert session.stats.silenced_audio_ms == 100
    assert sound(seen) == [("r", 100)]
