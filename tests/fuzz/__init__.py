"""
``python -m tests.fuzz``: whatever comes, only what is documented happens.

What is fuzzed is what reads bytes of others: the translators of both providers, with the server's
side of each, and the reader of cassettes. The engine is atheris, which is libFuzzer for Python: it
changes inputs, sees which of them reach code that no other did, and keeps those.

- :mod:`tests.fuzz.script`: what an input for translators is: lines, each a frame, a command, or
  time that passes.
- :mod:`tests.fuzz.translators`, :mod:`tests.fuzz.cassettes`: what is done with an input, and what
  must hold.
- :mod:`tests.fuzz.mutation`: changes that leave JSON whole, so that they get past the parser.
- :mod:`tests.fuzz.targets`: what can be fuzzed, by name.
- :mod:`tests.fuzz.corpus`: inputs that are kept. The suite replays them all, on any platform.
- :mod:`tests.fuzz.engine`: one run of the engine, in a process of its own.
"""
