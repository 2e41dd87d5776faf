"""
Where sound comes from, and where it goes: sources and players.

::

    await session.listen(Microphone())            # a source
    await session.playback.play(Speaker())        # a player

=====================  ========================  =================================================
a source               a player                  when more comes than goes
=====================  ========================  =================================================
:class:`Microphone`    :class:`Speaker`          the microphone holds half a second, and drops the
                                                 oldest
:class:`WavSource`     :class:`WavSink`          the file waits
:class:`PipeSource`    :class:`PipeSink`         the pipe waits, and whoever writes into it
:class:`MemorySource`  :class:`MemorySink`       it waits
:class:`Caller`        its ``player``            it holds half a second, and drops the oldest
:class:`TrackSource`   :class:`TrackSink`        the source does so, too
=====================  ========================  =================================================

All players are given speech sooner than it can be heard, and hold it; beyond ten minutes they drop
what comes, count it in ``dropped_ms``, and take its place for played.

Each says its format: a telephone line is any of them with G.711. Whatever it is, the session
converts. Guards (:class:`HalfDuplex`, :class:`EchoGuard`) stand between a microphone and a session,
and :class:`Tee` takes down what a player plays.

Your own are as good: see :class:`unirt.session.Source`, and :class:`unirt.session.Sink` and
:class:`unirt.session.Player`. Who has to hand on blocks in time may begin with
:class:`PacedPlayer`, who is asked for them with :class:`PulledPlayer`, and who has all there is to
say already with :class:`PacedSource`.
"""

from unirt.sound.caller import Caller
from unirt.sound.devices import Device, devices
from unirt.sound.guard import EchoGuard, HalfDuplex
from unirt.sound.level import Level, level
from unirt.sound.memory import MemorySink, MemorySource
from unirt.sound.microphone import Microphone
from unirt.sound.paced import PacedPlayer, PacedSource
from unirt.sound.pipe import PipeSink, PipeSource
from unirt.sound.pulled import PulledPlayer
from unirt.sound.speaker import Speaker
from unirt.sound.tee import Tee
from unirt.sound.track import TrackSink, TrackSource
from unirt.sound.wav import WavSink, WavSource, read_wav, write_wav

__all__ = [
    "Caller",
    "Device",
    "EchoGuard",
    "HalfDuplex",
    "Level",
    "MemorySink",
    "MemorySource",
    "Microphone",
    "PacedPlayer",
    "PacedSource",
    "PipeSink",
    "PipeSource",
    "PulledPlayer",
    "Speaker",
    "Tee",
    "TrackSink",
    "TrackSource",
    "WavSink",
    "WavSource",
    "devices",
    "level",
    "read_wav",
    "write_wav",
]
