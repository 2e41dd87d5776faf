"""A bare blocking socket that reads bytes: how fast the benchmark server is at its best."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from tests.benchmarks.contender import Contender, Meter, Skip, Task, main
from tests.benchmarks.contenders.protocols import PATHS, handshake, trigger

__all__ = ["RawSocket"]

_BUFFER_BYTES = 2**20


class RawSocket(Contender):
    """``recv_into``, and no WebSocket."""

    name = "raw_socket"
    packages = ("websockets",)
    hears = False

    async def converse(self, task: Task, meter: Meter) -> None:
        if task.do != "drain":
            raise Skip("it does not look at the audio")
        address = urlsplit(task.url)
        with socket.create_connection((address.hostname, address.port)) as connection:
            _shake_hands(connection, task)
            buffer, left = bytearray(_BUFFER_BYTES), int(task.more["wire_bytes"])
            meter.start()
            while left > 0 and (size := connection.recv_into(buffer)):
                left -= size
            meter.stop()


def _shake_hands(connection: socket.socket, task: Task) -> None:
    """Open the session and ask for an answer; what comes before the answer is read."""
    protocol = ClientProtocol(parse_uri(task.url + PATHS[task.protocol]))
    protocol.send_request(protocol.connect())
    first, frames = handshake(task.protocol)
    seen = -1  # the response of the upgrade comes before the frames
    sent = False
    while seen < frames:
        for data in protocol.data_to_send():
            connection.sendall(data)
        protocol.receive_data(connection.recv(_BUFFER_BYTES))
        seen += len(protocol.events_received())
        if not sent:
            protocol.send_text(first.encode())
            sent = True
    protocol.send_text(trigger(task.protocol).encode())
    for data in protocol.data_to_send():
        connection.sendall(data)


if __name__ == "__main__":
    main(RawSocket())
