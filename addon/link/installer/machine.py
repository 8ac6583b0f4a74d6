"""What this machine computes with, found by what drivers leave behind, and which PyTorch that takes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

BACKENDS: dict[str, dict[str, str]] = {
    "cuda": {"linux": "", "win32": "cu130"},
    "cuda12": {"linux": "cu126", "win32": "cu126"},
    "rocm": {"linux": "rocm7.1"},
    "mps": {"darwin": ""},
    "cpu": {"linux": "cpu", "win32": "", "darwin": ""},
}
"""Backend → system → PyTorch's own name for the build, for uv's `--torch-backend`.

"" is the build that package registries serve by default for that system, and that the lock has hashes for.
"""

CUDA_13_DRIVER, CUDA_12_DRIVER = 580, 525
CUDA_13_CAPABILITY = 7.5  # Turing; CUDA 13 has left older cards behind

QUERY = ("--query-gpu=driver_version,compute_cap", "--format=csv,noheader")
Ask = Callable[[Sequence[str]], str]


def ask(command: Sequence[str]) -> str:
    """What a command says; "" where there is none, or it fails or hangs."""
    found = shutil.which(command[0])
    if found is None:
        return ""
    try:
        done = subprocess.run(
            [found, *command[1:]], capture_output=True, text=True, timeout=15, check=False, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def detect(ask: Ask = ask, platform: str = sys.platform, root: Path = Path("/")) -> str:
    """The backend for this machine: the fastest whose driver is there.

    Args:
        ask: runs a command, as `ask` does.
        platform: as sys.platform.
        root: where /proc and /dev are.
    """
    if platform == "darwin":
        return "mps"
    nvidia = _nvidia(ask([_smi(platform), *QUERY])) or _nvidia_kernel(root)
    if nvidia and platform in BACKENDS[nvidia]:
        return nvidia
    if platform.startswith("linux") and (root / "dev/kfd").exists() and "gfx" in ask(["rocminfo"]):
        return "rocm"
    return "cpu"


def torch_build(backend: str, platform: str = sys.platform) -> str | None:
    """The build's name for uv, "" for the default one, None where PyTorch has none for this system."""
    return BACKENDS.get(backend, {}).get("linux" if platform.startswith("linux") else platform)


def _smi(platform: str) -> str:
    return "nvidia-smi.exe" if platform == "win32" else "nvidia-smi"


def _nvidia(answer: str) -> str | None:
    """From lines such as "580.65.06, 8.9", one a card: the best card counts."""
    cards = re.findall(r"^(\d+)\.[\d.]+,\s*(\d+\.\d+)", answer, re.MULTILINE)
    if not cards:
        return None
    driver, capability = max(int(card[0]) for card in cards), max(float(card[1]) for card in cards)
    return _cuda(driver, capability)


def _nvidia_kernel(root: Path) -> str | None:
    """Without nvidia-smi, the kernel's module still says its version."""
    try:
        text = (root / "proc/driver/nvidia/version").read_text("ascii", "replace")
    except OSError:
        return None
    found = re.search(r"Module\D*(?:for \S+\s+)?(\d{3})\.\d+", text)
    return None if found is None else _cuda(int(found[1]), CUDA_13_CAPABILITY)


def _cuda(driver: int, capability: float) -> str | None:
    if driver >= CUDA_13_DRIVER and capability >= CUDA_13_CAPABILITY:
        return "cuda"
    return "cuda12" if driver >= CUDA_12_DRIVER else None
