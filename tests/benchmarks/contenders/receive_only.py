"""The ``websockets`` library alone: every frame is received, and none is looked into."""

from __future__ import annotations

from tests.benchmarks.contender import Contender, Meter, Skip, Task, main
from tests.benchmarks.contenders.floor import opened
from tests.benchmarks.contenders.protocols import trigger

__all__ = ["ReceiveOnly"]


class ReceiveOnly(Contender):
    """``websockets``, receive only."""

    name = "receive_only"
    packages = ("websockets",)
    hears = False

    async def converse(self, task: Task, meter: Meter) -> None:
        if task.do != "drain":
            raise Skip("it does not look at the audio")
        async with await opened(task) as connection:
            await connection.send(trigger(task.protocol))
            meter.start()
            for _ in range(task.wire_events):
                await connection.recv(decode=False)
            meter.stop()


if __name__ == "__main__":
    main(ReceiveOnly())
