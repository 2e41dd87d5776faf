"""
One contender a peer, each run in the peer's own virtual environment.

They are modules of the package ``benchmarks``, whose parent folder is all that is on the path there
beside the peer: neither unirt nor anything that it needs is.
"""
