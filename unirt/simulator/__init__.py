"""
Simulated servers: any provider's protocol, spoken by a scripted or improvising model.

- :class:`Simulator`: a real server on loopback, for any client.
- :class:`Near`: one without a socket, by any clock, for clients of this process.
- :func:`run`: a whole conversation in memory, on a virtual clock.
- :func:`load`, :func:`builtin`: scenarios, both sides of a conversation as TOML.
"""

from unirt.simulator.exchange import Exchange, run
from unirt.simulator.host import Simulator
from unirt.simulator.line import Line
from unirt.simulator.near import Near
from unirt.simulator.scenario import Pace, Scenario
from unirt.simulator.script import builtin, builtin_names, load, loads

__all__ = [
    "Exchange",
    "Line",
    "Near",
    "Pace",
    "Scenario",
    "Simulator",
    "builtin",
    "builtin_names",
    "load",
    "loads",
    "run",
]
