"""
Long and many: what a session costs in the thousandth turn, and five hundred sessions at once.

``python -m tests.soak`` runs both on loopback simulators and writes what it measured to
``docs/reference/soak.md``. It takes less than ten minutes; the same in small is in the suite.

- *Many* (:mod:`~tests.soak.many`): sessions of both providers in one process, all talking at once.
- *Long* (:mod:`~tests.soak.long`): one session a provider, a thousand turns, and connections that
  are lost or run out on the way.

Nothing is sampled: every answer is compared, word by word and byte by byte, with what the simulator
said, and every byte that the user said with what the simulator heard
(:mod:`~tests.soak.account`). Memory, file descriptors, threads and tasks are looked at after each
round (:mod:`~tests.soak.gauge`).
"""
