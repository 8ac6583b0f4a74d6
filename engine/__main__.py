"""`python -m engine`, or from anywhere `python /path/to/engine`: see cli.py."""

import sys
from pathlib import Path

if not __package__:  # run as a folder, where Python looks for modules in that alone
    sys.path[0] = str(Path(__file__).resolve().parents[1])

try:
    from engine import allocator
    from engine.cli import main
except KeyboardInterrupt:  # Ctrl-C within the first moments
    sys.stderr.write("\npatina: stopped; nothing was finished.\n")
    raise SystemExit(130) from None

if __name__ == "__main__":
    allocator.keep()
    raise SystemExit(main())
