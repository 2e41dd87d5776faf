"""
What a call costs by WebRTC, and how long a sound takes from mouth to ear.

``aiortc`` alone is the floor: one connection, a track each way, a data channel whose frames are
read as JSON, and 24 kHz PCM out of what is heard. It has the same call with the same peer.
"""
