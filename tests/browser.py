"""
A real Chromium, driven over its DevTools protocol: what a page looks like to a person's browser.

It needs a browser on PATH and nothing else. Where there is none, a test of a page cannot run; see
``tests/needed.py``.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import connect
from websockets.sync.connection import Connection

from tests.needed import lacking

__all__ = ["Browser", "Tab", "browser"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
INSTALL = "apt-get install chromium"
_WAIT_S = 30.0


def binary() -> str:
    """The browser's program."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    return program or lacking(f"browser ({' or '.join(NAMES)})", INSTALL)


class Tab:
    """One page, and everything that went wrong in it."""

    def __init__(self, socket: Connection, session: str, ids: Iterator[int]) -> None:
        self.troubles: list[str] = []
        "What the console, the policy and the script complained of."
        self.requests: list[str] = []
        "What it loaded."
        self._socket = socket
        self._session = session
        self._ids = ids
        for domain in ("Runtime", "Log", "Page", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> Any:
        """Say one thing to the browser, and wait for its answer."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params, "sessionId": self._session}
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv(timeout=_WAIT_S))
            self._note(answer)
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def _note(self, answer: dict[str, Any]) -> None:
        params = answer.get("params", {})
        match answer.get("method"):
            case "Runtime.exceptionThrown" | "Log.entryAdded":
                self.troubles.append(json.dumps(params))
            case "Runtime.consoleAPICalled" if params.get("type") in ("error", "warning"):
                self.troubles.append(json.dumps(params))
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case _:
                pass

    def open(self, page: Path | str) -> None:
        """Show a file, or an address, and wait until it has drawn itself."""
        self.call("Page.navigate", url=page if isinstance(page, str) else page.as_uri())
        self.wait("document.documentElement.dataset.ready === 'yes'")

    def js(self, expression: str) -> Any:
        """The value of an expression; a promise is waited for."""
        answer = self.call(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until something is true; the browser looks at each of its frames."""
        self.js(
            "new Promise((done, fail) => { const end = Date.now() + 20000; const look = () => "
            f"{{ let is = false; try {{ is = {condition}; }} catch {{}} "
            f"if (is) done(); else if (Date.now() > end) fail(new Error({json.dumps(condition)})); "
            "else setTimeout(look, 10); }; look(); })"
        )

    def key(self, key: str) -> None:
        """Press a key, as a keyboard does."""
        text = {"Enter": "\r", " ": " "}.get(key, key if len(key) == 1 else "")
        code = {"Enter": 13, " ": 32, "Escape": 27}.get(key, 0)
        common = {"key": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def click(self, x: float, y: float) -> None:
        """Click somewhere in the window."""
        common = {"x": x, "y": y, "button": "left", "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.call("Input.dispatchMouseEvent", type="mousePressed", **common)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", **common)


class Browser:
    """A browser that is running; it makes tabs."""

    def __init__(self, socket: Connection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)

    def tab(self) -> Tab:
        """A fresh one."""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Tab(self._socket, session, self._ids)

    def _call(self, method: str, **params: Any) -> Any:
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv(timeout=_WAIT_S))
            if answer.get("id") == number:
                return answer["result"]

    def close(self) -> None:
        """End it."""
        self._call("Browser.close")


@contextlib.contextmanager
def browser(*flags: str) -> Iterator[Browser]:
    """Run a browser, in a profile of its own; `flags` are added to its command line."""
    program = binary()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-dev-shm-usage", "--mute-audio", "--remote-debugging-port=0",
            f"--user-data-dir={profile}", "--window-size=1280,900", *flags, "about:blank",
        ]  # fmt: skip
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                with connect(_address(process), max_size=None, proxy=None) as socket:
                    running = Browser(socket)
                    yield running
                    running.close()
            finally:
                process.terminate()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    told = []
    for line in process.stderr:
        if found := re.search(r"DevTools listening on (ws://\S+)", line):
            return found.group(1)
        told.append(line)
    raise AssertionError(f"the browser did not start: {''.join(told)}")
