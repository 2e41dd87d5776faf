"""The console script ``unirt``: one room a command."""

from __future__ import annotations

import sys

from unirt.errors import UnirtError

__all__ = ["main"]


def main() -> None:
    """Run the command line; what unirt raises on purpose becomes one line and status 1."""
    from unirt.cli.app import app  # typer and rich are not imported before they are needed

    try:
        app()
    except UnirtError as exc:
        print(f"unirt: {exc}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
