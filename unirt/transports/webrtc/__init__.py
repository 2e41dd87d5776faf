"""
Frames over a data channel, and audio as packets beside them: WebRTC, by ``aiortc``.

A peer (:mod:`~unirt.transports.webrtc.peer`) is one end of a call, whichever: the session's, or a
simulated provider's. :mod:`~unirt.transports.webrtc.dial` makes a call, and
:mod:`~unirt.transports.webrtc.transport` makes a transport of it.

Nothing is imported here, so that who does without needs no ``aiortc``.
"""
