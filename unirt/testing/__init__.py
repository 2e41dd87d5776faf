"""
What anyone who builds on unirt needs for testing: no network, no clock, no pytest.

- :func:`translate`: wire frames to canonical events, offline.
- :func:`check`: the legal order of events, enforced on any stream.
- :func:`fold`: the folded view of a list of events.
- :func:`outline`: a folded view reduced to what two providers must agree on.
- :func:`differences`: how two kept views differ beyond what the facts explain.
- :func:`rows`: the facts that explain how they do differ.
- :mod:`unirt.testing.faults`: what goes wrong between a session and its provider, on purpose.
- :mod:`unirt.testing.virtual`: an event loop in which waiting takes no time.

Conversations that move to another connection have rooms of their own: :mod:`unirt.testing.journey`,
:mod:`unirt.testing.travel` and :mod:`unirt.testing.moved`. Those that stay, in which the session
does something by itself, are :mod:`unirt.testing.stay`'s.
"""

from unirt.fold import fold
from unirt.grammar import check
from unirt.testing.kept import differences
from unirt.testing.offline import translate
from unirt.testing.outline import outline
from unirt.testing.rows import Row, rows

__all__ = ["Row", "check", "differences", "fold", "outline", "rows", "translate"]
