"""The page of ``unirt inspect --html`` in a real browser: what it shows, what it never does."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import Browser, Tab, browser
from unirt.cassettes import Cassette, loads, read
from unirt.cassettes.scrub import Scrub, scrubbed
from unirt.cassettes.secrets import Secrets
from unirt.cli.page import page
from unirt.cli.record import run
from unirt.timeline import runs, timeline

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Cassette:
    """A conversation with everything in it: speech, a tool, an interruption."""
    path = tmp_path_factory.mktemp("tape") / "talk.jsonl"
    run(path, [], simulator="openai", scenario="barge_in_playing")
    return read(path)


Shown = Callable[..., Tab]


@pytest.fixture
def shown(chromium: Browser, tmp_path: Path) -> Shown:
    def show(cassette: Cassette, name: str = "talk.jsonl") -> Tab:
        path = tmp_path / "page.html"
        path.write_text(page(timeline(cassette), name), "utf-8")
        tab = chromium.tab()
        tab.open(path)
        return tab

    return show


def hand_written(*lines: dict[str, Any], **header: Any) -> Cassette:
    head = {"unirt_cassette": 1, "origin": "hand-written", "provider": "openai", **header}
    text = "\n".join(json.dumps(line) for line in (head, *lines))
    return loads(f"{text}\n".encode(), "talk.jsonl")


def test_it_shows_every_row_and_complains_of_nothing(talk: Cassette, shown: Shown) -> None:
    tab = shown(talk)
    groups = list(runs(timeline(talk).rows))

    assert tab.js("document.querySelectorAll('.row').length") == len(groups)
    told = tab.js("[...document.querySelectorAll('.row')].map((row) => row.textContent)")
    for group, text in zip(groups, told, strict=True):
        assert group.first.name in text
        for event in group.first.events[:1] if len(group.rows) == 1 else ():
            assert type(event).__name__ in text
    turns = tab.js("document.getElementById('turns').textContent")
    assert "580 ms to first audio, after the voice ended" in turns
    assert "One, two, three" in turns
    assert tab.js("document.title") == "talk.jsonl - unirt"
    assert tab.troubles == []
    assert len(tab.requests) == 1  # itself


def test_the_waveforms_are_drawn_where_somebody_spoke(talk: Cassette, shown: Shown) -> None:
    tab = shown(talk)
    inked = tab.js("""(() => {
        const canvas = document.getElementById("lanes");
        const pen = canvas.getContext("2d");
        const at = (ms, lane) => {
            const view = unirt.view();
            const x = 74 + (ms - view.from) / (view.to - view.from) * (canvas.clientWidth - 82);
            const scale = canvas.width / canvas.clientWidth;
            const y = 24 + lane * 72 + 34 - 8;  // beside the middle: only sound is so high
            return [...pen.getImageData(x * scale, y * scale, 1, 1).data].slice(0, 3).join();
        };
        return { voice: at(1000, 0), pause: at(3000, 0), model: at(3000, 1), before: at(1000, 1) };
    })()""")
    assert inked["voice"] != inked["pause"]
    assert inked["model"] != inked["before"]
    assert inked["voice"] != inked["model"]


HOSTILE = '</script><img src=x onerror="window.pwned=1"><script>window.pwned=1</script><b>x</b>'


def test_whatever_stands_in_a_frame_is_text(shown: Shown) -> None:
    cassette = hand_written(
        {"open": {"url": f"wss://host/{HOSTILE}?a=1", "model": HOSTILE}},
        {"t": 1, "received": {"type": HOSTILE, HOSTILE: HOSTILE, "<!--": "<script>"}},
        {"t": 2, "received": HOSTILE},
        {"t": 3, "sent": {"type": "response.create", "response": {"instructions": HOSTILE}}},
        {"t": 4, "received": {"type": "error", "error": {"message": HOSTILE, "type": HOSTILE}}},
        {"t": 5, "close": {"code": 1000, "reason": HOSTILE}},
        model=HOSTILE,
        against=HOSTILE,
        notes={HOSTILE: HOSTILE},
    )
    tab = shown(cassette, HOSTILE)
    tab.js("document.getElementById('expand').click()")

    assert tab.js("window.pwned === undefined")
    assert tab.js("document.querySelectorAll('img, b > img, body script').length") == 2  # ours
    assert tab.js("document.getElementById('name').textContent") == HOSTILE
    rows = tab.js("document.getElementById('rows').textContent")
    assert rows.count("window.pwned=1") > 20
    assert rows.count("<img src=x") > 10
    assert tab.troubles == []


def test_its_policy_lets_nothing_else_run_or_load(talk: Cassette, shown: Shown) -> None:
    tab = shown(talk)
    tab.js("""(() => {
        const script = document.createElement("script");
        script.textContent = "window.pwned = 1";
        document.body.append(script);
        const style = document.createElement("style");
        style.textContent = "body { display: none }";
        document.body.append(style);
        const picture = document.createElement("img");
        picture.src = "file:///etc/hostname";
        document.body.append(picture);
    })()""")
    assert tab.js("window.pwned === undefined")
    assert tab.js("getComputedStyle(document.body).display") == "block"
    assert (
        tab.js("fetch('https://example.invalid/').then(() => 'loaded', () => 'refused')")
        == "refused"
    )
    assert len([trouble for trouble in tab.troubles if "Content Security Policy" in trouble]) >= 3


def test_it_names_nothing_outside_of_itself(talk: Cassette) -> None:
    text = page(timeline(talk), "talk.jsonl")
    head, _, rest = text.partition('<script type="application/json"')
    assert not re.search(r"""(?:src|href)=["'](?!#)""", head)
    assert "@import" not in head
    assert "url(" not in head
    assert rest.count("</script>") == 2
    assert "unsafe" not in head


def test_it_can_be_used_from_the_keyboard(talk: Cassette, shown: Shown) -> None:
    tab = shown(talk)
    for _ in range(3):
        tab.key("j")
    assert tab.js("document.activeElement.closest('.row').textContent").startswith("4")
    tab.key("Enter")
    assert tab.js("document.activeElement.getAttribute('aria-expanded')") == "true"
    assert '"session.update"' in tab.js("document.querySelector('.more pre').textContent")
    tab.key("Enter")
    assert tab.js("document.querySelectorAll('.more').length") == 0
    tab.key("k")
    assert tab.js("document.activeElement.closest('.row').textContent").startswith("3")

    theme = tab.js("document.documentElement.dataset.theme")
    ground = tab.js("getComputedStyle(document.body).backgroundColor")
    tab.key("d")
    assert tab.js("document.documentElement.dataset.theme") != theme
    assert tab.js("getComputedStyle(document.body).backgroundColor") != ground

    span = "unirt.view().to - unirt.view().from"
    whole = tab.js(span)
    tab.key("+")
    assert tab.js(span) < whole
    tab.key("0")
    assert tab.js(span) == whole

    tab.key("?")
    assert tab.js("document.getElementById('help').open")
    tab.key("Escape")
    assert not tab.js("document.getElementById('help').open")
    tab.key("/")
    assert tab.js("document.activeElement.id") == "search"
    assert tab.troubles == []


def visible(tab: Tab) -> list[str]:
    found: list[str] = tab.js(
        "[...document.querySelectorAll('.row:not([hidden])')].map((row) => row.textContent)"
    )
    return found


def test_rows_are_found_and_filtered(talk: Cassette, shown: Shown) -> None:
    tab = shown(talk)
    every = len(visible(tab))
    tab.js("""(() => {
        const search = document.getElementById("search");
        search.value = "SpeechStarted";
        search.dispatchEvent(new Event("input"));
    })()""")
    assert len(visible(tab)) == 2
    assert f"2 of {every} rows" in tab.js("document.getElementById('count').textContent")
    tab.js("""(() => {
        const search = document.getElementById("search");
        search.value = "";
        search.dispatchEvent(new Event("input"));
        for (const plane of ["wire", "control", "command"])
            document.querySelector(`.plane-${plane}`).click();
    })()""")
    content = visible(tab)
    assert 0 < len(content) < every
    assert all("Stream" in text or "Delta" in text for text in content)


def test_sound_can_be_played_and_sought(talk: Cassette, shown: Shown) -> None:
    tab = shown(talk)
    assert tab.js("document.querySelectorAll('#mutes button').length") == 2
    tab.js("document.body.focus()")
    tab.key(" ")
    assert tab.js("unirt.isPlaying()")
    lengths = tab.js("unirt.data.lanes.map((lane) => lane.buffer.duration * 1000)")
    assert lengths == pytest.approx([timeline(talk).end_ms] * 2, abs=1)
    loud = tab.js("""unirt.data.lanes.map((lane) => {
        const samples = lane.buffer.getChannelData(0);
        const most = (from, to) => Math.max(...samples.slice(from * 16, to * 16).map(Math.abs));
        return [most(700, 1500), most(1700, 2100), most(2300, 4600), most(4900, 5900)];
    })""")
    user, model = loud
    assert user[0] > 0.05 > user[1] + user[2]
    assert model[2] > 0.05 > model[0] + model[1] + model[3]  # what was spoken over is not played
    tab.key(" ")
    assert not tab.js("unirt.isPlaying()")

    box = tab.js("(() => { const b = document.getElementById('lanes').getBoundingClientRect();"
                 " return [b.left, b.top, b.width]; })()")  # fmt: skip
    left, top, width = box
    tab.click(left + 74 + (width - 82) / 2, top + 60)
    assert tab.js("unirt.cursor") == pytest.approx(timeline(talk).end_ms / 2, abs=20)
    assert tab.js("document.querySelectorAll('.row.here').length") == 1
    assert tab.troubles == []


def test_without_the_sound_it_says_so(talk: Cassette, shown: Shown) -> None:
    tab = shown(scrubbed(talk, Scrub(audio="silence"), Secrets()))
    assert tab.js("document.getElementById('play').disabled")
    assert "not kept" in tab.js("document.getElementById('legend').textContent")
    assert tab.js("document.querySelectorAll('.row').length") > 20
    assert tab.troubles == []


def test_what_cannot_be_translated_is_shown_with_a_warning(shown: Shown) -> None:
    tab = shown(
        hand_written(
            {"open": {"url": "wss://host/"}}, {"received": {"type": "x"}}, {"stall": True},
            provider="nobody",
        )
    )  # fmt: skip
    assert "no provider named 'nobody'" in tab.js("document.getElementById('warnings').textContent")
    assert len(visible(tab)) == 3
    assert tab.js("document.getElementById('stage').hidden")
    assert tab.troubles == []
