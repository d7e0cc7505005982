"""`python -m graphbuilder`: the command line."""

from __future__ import annotations

from graphbuilder.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
