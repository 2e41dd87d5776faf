"""
The libraries of others, on the same server: ``python -m tests.benchmarks --peers``.

Each has a virtual environment of its own, with the versions that :mod:`.venvs` names, and a
contender in :mod:`.scripts` that uses it as its documentation does, at the level where most of its
users are. :mod:`.registry` is who takes part. What each of them leaves undone that unirt does in
the same run, and what it does besides, is in :mod:`.footnotes`, and beneath the tables.
"""
