"""`python -m engine`: see cli.py."""

from engine.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
