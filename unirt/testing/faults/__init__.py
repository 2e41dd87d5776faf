"""
Faults on purpose: what goes wrong between a session and its provider, at a chosen point.

- :class:`Faults`: a provider whose connections go wrong, without a socket; for any session.
- :class:`FaultProxy`: the same, and what takes a socket, between any client and a simulator.
- :class:`Fault`, :class:`Phase`, :data:`KINDS`: what can go wrong, and when.

What can be done to a recording is in :mod:`unirt.cassettes.faults`; a fault of the same name is the
same fault.
"""

from unirt.testing.faults.agenda import Happened
from unirt.testing.faults.fault import Fault, fault_of
from unirt.testing.faults.faults import Faults
from unirt.testing.faults.kinds import KINDS, Kind
from unirt.testing.faults.phases import Phase
from unirt.testing.faults.proxy import FaultProxy

__all__ = ["KINDS", "Fault", "FaultProxy", "Faults", "Happened", "Kind", "Phase", "fault_of"]
