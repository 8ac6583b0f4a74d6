"""What is found on a machine, which PyTorch that takes, and what tools' output is turned into."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis.strategies import lists, sampled_from

from addon.link.installation import fraction, sentence
from addon.link.installer import machine, steps, work
from addon.link.installer.failure import SENTENCES, SIGNS, explain

REQUIREMENTS = Path(__file__).parents[3] / "requirements"
KERNEL = "NVRM version: NVIDIA UNIX {}x86_64 Kernel Module  {}  Wed Jun  4 2026\n"


@pytest.mark.parametrize(
    ("platform", "said", "backend"),
    [
        ("linux", {"nvidia-smi": "580.65.06, 8.9\n"}, "cuda"),
        ("linux", {"nvidia-smi": "580.65.06, 6.1\n"}, "cuda12"),
        ("linux", {"nvidia-smi": "580.65.06, 6.1\n580.65.06, 9.0\n"}, "cuda"),
        ("linux", {"nvidia-smi": "550.120, 8.9\n"}, "cuda12"),
        ("linux", {"nvidia-smi": "390.157, 6.1\n"}, "cpu"),
        ("linux", {"nvidia-smi": "NVIDIA-SMI has failed\n"}, "cpu"),
        ("win32", {"nvidia-smi.exe": "581.10, 12.0\r\n"}, "cuda"),
        ("win32", {}, "cpu"),
        ("darwin", {}, "mps"),
        ("linux", {}, "cpu"),
        ("linux", {"rocminfo": "  Name:  gfx1100\n"}, "cpu"),  # tools, but no driver
    ],
)
def test_the_backend_follows_from_what_drivers_say(tmp_path, platform, said, backend):
    found = machine.detect(lambda command: said.get(command[0], ""), platform, tmp_path)
    assert found == backend
    assert machine.torch_build(found, platform) is not None


@pytest.mark.parametrize(
    ("version", "open_module", "backend"),
    [("580.65.06", "Open ", "cuda"), ("535.183.01", "", "cuda12"), ("390.157", "", "cpu")],
)
def test_without_nvidia_smi_the_kernel_is_asked(tmp_path, version, open_module, backend):
    file = tmp_path / "proc/driver/nvidia/version"
    file.parent.mkdir(parents=True)
    file.write_text(KERNEL.format(open_module, version))
    assert machine.detect(lambda _: "", "linux", tmp_path) == backend


def test_an_amd_card_needs_driver_and_card(tmp_path):
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/kfd").touch()
    assert (
        machine.detect(lambda command: "gfx1100" if "rocminfo" in command else "", "linux", tmp_path)
        == "rocm"
    )
    assert machine.detect(lambda _: "", "linux", tmp_path) == "cpu"


def test_asking_a_program_that_is_not_there_or_fails_says_nothing():
    assert machine.ask(["no-such-program"]) == ""
    assert machine.ask(["false"]) == ""
    assert machine.ask(["echo", "580.65.06, 8.9"]).startswith("580")


def test_the_lock_without_pytorch_keeps_everything_else_and_its_hashes():
    lock = (REQUIREMENTS / "engine.txt").read_text()
    rest, pinned = steps.without_torch(lock)
    assert [name.split("==")[0] for name in pinned] == ["torch", "torchvision"]
    names = set(re.findall(r"^([\w-]+)==", lock, re.MULTILINE))
    kept = set(re.findall(r"^([\w-]+)==", rest, re.MULTILINE))
    gone = names - kept
    assert {"torch", "torchvision", "triton", "cuda-bindings", "nvidia-cudnn-cu13"} <= gone
    assert all(name.startswith(("torch", "triton", "cuda-", "nvidia-")) for name in gone)
    assert {"open-clip-torch", "timm", "numpy", "pydantic"} <= kept
    assert rest.count("--hash=sha256:") > len(kept)


SAID = [
    ("Resolved 43 packages in 12ms\nDownloading torch (507.0MiB)\n", "Downloading torch (507.0MiB)"),
    (
        "Downloading torch (507.0MiB)\nDownloading nvidia-cublas (403.5MiB)\n Downloaded torch\n",
        "Downloading nvidia-cublas (403.5MiB)",
    ),
    ("Downloading a (1MiB)\nDownloading b (2MiB)\nDownloading c (3MiB)\n", "Downloading a (1MiB) and 2 more"),
    ("Downloading torch (507.0MiB)\n Downloaded torch\n", "Unpacking packages"),
    ("Using Python 3.11.7\n", ""),
]


@pytest.mark.parametrize(("output", "text"), SAID)
def test_what_uv_prints_becomes_what_the_bar_says(output, text):
    assert work.downloads(output) == text


PROGRESS = {"phase": "packages", "text": "Getting torch", "bytes": 1.26e9, "total": 5.3e9, "speed": 32.1e6}


def test_the_bar_says_megabytes_and_speed():
    assert sentence(PROGRESS) == "Getting torch: 1260 of about 5300 MB, 32.1 MB/s"
    assert sentence({**PROGRESS, "speed": None}) == "Getting torch: 1260 of about 5300 MB"
    assert sentence({"phase": "verify", "text": "Trying the engine", "bytes": 5}) == "Trying the engine"


@given(lists(sampled_from([0, 1, 2.5e9, 5.3e9, 9e12, None, "x", -1]), min_size=3, max_size=3))
def test_the_bar_stays_within_itself(numbers):
    message = {"phase": "packages", **dict(zip(("bytes", "total", "speed"), numbers, strict=True))}
    assert 0 <= fraction(message) <= 1
    assert sentence(message) is not None


@pytest.mark.parametrize(("kind", "sign"), [(kind, sign) for kind, signs in SIGNS.items() for sign in signs])
def test_what_is_known_to_go_wrong_has_its_sentence(kind, sign):
    failure = explain("Installing packages", f"error: something\n  cause: {sign} (more)\n")
    assert (failure.kind, failure.message) == (kind, SENTENCES[kind])
    assert sign in failure.details


def test_what_is_not_known_names_the_step():
    failure = explain("Installing packages", "boom\n" * 100)
    assert failure.kind == "step" and failure.message.startswith("Installing packages:")
    assert len(failure.details.splitlines()) <= 30


def test_files_with_two_names_count_once(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "one").write_bytes(b"x" * 1000)
    (tmp_path / "sub/same").hardlink_to(tmp_path / "one")
    (tmp_path / "sub/loop").symlink_to(tmp_path)
    (tmp_path / "other").write_bytes(b"y" * 10)
    assert 1010 <= work.size_of(tmp_path) < 1300


def test_every_build_that_is_offered_has_a_size():
    sizes = json.loads((REQUIREMENTS / "sizes.json").read_text())
    assert set(sizes) == set(machine.BACKENDS)
    assert all(1e9 < size < 1e11 for size in sizes.values())


def test_the_guide_says_these_sizes():
    sizes = json.loads((REQUIREMENTS / "sizes.json").read_text())
    amd = sizes.pop("rocm")
    least, most, amd = (f"{size / 1e9:.3g}" for size in (min(sizes.values()), max(sizes.values()), amd))
    guide = " ".join((REQUIREMENTS.parent / "addon/docs/guide.md").read_text("utf-8").split())
    assert f"takes {least} to {most} GB, or {amd} GB with ROCm" in guide
