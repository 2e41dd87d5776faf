"""
What a session costs, beside what the socket costs and what others cost: ``python -m
tests.benchmarks``.

A *server* plays pre-encoded sessions of one protocol; a *contender* is a program that reads them
through one client library; the *lab* has several contenders do the same, one after the other and
again, and compares each with the *floor* of the same round. Each of them is a process of its own.

- What is played is in :mod:`.load`, :mod:`.openai_frames` and :mod:`.google_frames`.
- How it is played is in :mod:`.server`, on the few lines of WebSocket in :mod:`.socketry`.
- What every contender does is in :mod:`.contender`; one module each in :mod:`.contenders`.
- What is compared is in :mod:`.experiments`, how in :mod:`.lab`, with what aim in :mod:`.targets`.
- What comes out is in :mod:`.report` and :mod:`.plots`.

Only ratios hold from machine to machine. No figure in seconds is ever a reason to fail.
"""
