"""What comes over a line, and who hears of it."""

from __future__ import annotations

import hashlib
import random

from engine.errors import Cancelled

DATA = random.Random(0).randbytes(3 << 20)
OTHER = random.Random(1).randbytes(3 << 20)


def sha(data):
    return hashlib.sha256(data).hexdigest()


class Heard(list):
    """What a client hears; stops the download once so many bytes are there."""

    stop_at = None

    def __call__(self, phase, done, total):
        self.append((phase, done, total))
        if self.stop_at is not None and done >= self.stop_at:
            raise Cancelled("Cancelled.")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def requests(server):
    return [asked for method, _, asked in server.asked if method == "GET"]
