"""
The running half of unirt: a session, its views, its history, and the conversion of audio.

Nothing here knows a provider, or imports numpy before there is audio to convert.
"""

from unirt.session.limits import Limits, Stats
from unirt.session.listening import Source
from unirt.session.observers import Observer
from unirt.session.playback import Playback, Player, Sink
from unirt.session.session import Session
from unirt.session.views import ContentView, View

__all__ = [
    "ContentView",
    "Limits",
    "Observer",
    "Playback",
    "Player",
    "Session",
    "Sink",
    "Source",
    "Stats",
    "View",
]
