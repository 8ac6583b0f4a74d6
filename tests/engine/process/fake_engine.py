"""The real server over a `generation` that computes nothing: queue, cancel and endings without torch.

The prompt says what a job does: "stuck" ignores every wish to stop, "bug" raises, "noisy" writes to
stdout in three ways; all others take `steps` steps of 20 ms.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from types import SimpleNamespace

from engine import server
from engine.errors import Cancelled, UnknownPack
from engine.progress import Progress


class Models:
    def load(self, pack_id, _device):
        if pack_id == "starter" and "--no-pack" in sys.argv:
            raise UnknownPack("The starter pack is missing. Install the pack again.")
        return pack_id


def run_generate(settings, delivery, host):
    on_progress, should_stop = host.on_progress, host.should_stop
    host.load(settings.pack, delivery.device)
    if settings.prompt == "stuck":
        on_progress(Progress("load", 0, 1))
        time.sleep(60)
    if settings.prompt == "bug":
        raise ZeroDivisionError("a bug")
    if settings.prompt == "noisy":
        print("a stray print, with", '{"jsonrpc":"2.0"}')
        os.write(1, b"a stray write\n")
        subprocess.run([sys.executable, "-c", "print('a chatty child')"], check=True)
        subprocess.run([sys.executable, "-c", "import sys; sys.stdin.read()"], check=True)
    for step in range(1, settings.steps + 1):
        time.sleep(0.02)
        on_progress(Progress("guide", step, settings.steps, loss=float("nan")))
        if should_stop():
            raise Cancelled("Cancelled.")
    return {"prompt": settings.prompt, "seed": settings.seed}


sys.modules["engine.generation"] = SimpleNamespace(
    Models=Models,
    run_generate=run_generate,
    describe_machine=lambda: {"devices": [], "device": "cpu", "torch": "none"},
)

if __name__ == "__main__":
    os._exit(server.serve())
