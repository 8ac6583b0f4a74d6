"""Limits on memory, and giving it back."""

from __future__ import annotations

import gc
import os
import weakref
from types import SimpleNamespace

import psutil
import pytest
import torch

from engine import compute, generation
from engine.compute import Compute
from engine.generation import Models

CPU = torch.device("cpu")
GB = 1 << 30


@pytest.mark.parametrize("text", ["", "much", "0", "-3", "inf", "nan"])
def test_what_is_no_amount_limits_nothing(text):
    assert compute.memory_limit({"PATINA_MEMORY_GB": text}) is None


def test_a_limit_caps_what_a_run_plans_with(monkeypatch):
    monkeypatch.delenv("PATINA_MEMORY_GB", raising=False)
    free = compute.budget(CPU)
    monkeypatch.setenv("PATINA_MEMORY_GB", "0.001")
    assert compute.budget(CPU) == 1_000_000
    monkeypatch.setenv("PATINA_MEMORY_GB", "1e9")
    assert compute.budget(CPU) != 1e18 or free is None


def test_a_limit_counts_where_nobody_says_what_is_free(monkeypatch):
    monkeypatch.setattr(compute, "_free", lambda _: None)
    assert compute.budget(CPU) is None
    monkeypatch.setenv("PATINA_MEMORY_GB", "2.5")
    assert compute.budget(CPU) == 2_500_000_000


def test_what_is_free_is_what_the_system_says():
    assert compute._free(CPU) == pytest.approx(psutil.virtual_memory().available, rel=0.2)


def test_a_system_that_hides_its_memory_limits_nothing(monkeypatch):
    def hidden():
        raise FileNotFoundError("/proc/meminfo")

    monkeypatch.setattr(psutil, "virtual_memory", hidden)
    assert compute._free(CPU) is None


@pytest.mark.parametrize(
    ("available", "free"), [(20 * GB, 7 * GB), (4 * GB, 6 * GB), (0, 2 * GB)], ids=["GPU", "system", "full"]
)
def test_apples_gpu_has_a_part_of_the_systems_memory(monkeypatch, available, free):
    """10 GB may be the GPU's at most; 5 GB it has, of which 2 GB are unused and can be had again."""
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 10 * GB)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 5 * GB)
    monkeypatch.setattr(torch.mps, "current_allocated_memory", lambda: 3 * GB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=available))
    assert compute._free(torch.device("mps")) == free


def test_a_gpu_s_free_memory_includes_what_pytorch_holds_unused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (2 * GB, 8 * GB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 3 * GB)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 1 * GB)
    assert compute._free(torch.device("cuda")) == 4 * GB


@pytest.mark.parametrize(
    "text",
    [
        "CUDA error: out of memory",
        "MPS backend out of memory (MPS allocated: 5.5 GB, other allocations: 1 GB, max allowed: 6.8 GB).",
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried",
        "[enforce fail at alloc_cpu.cpp:127] data. DefaultCPUAllocator: not enough memory: you tried to",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "std::bad_alloc",
    ],
)
def test_memory_that_ran_out_is_recognised(text):
    assert compute.is_out_of_memory(RuntimeError(text))
    assert not compute.is_out_of_memory(ValueError(text))


def test_other_faults_are_not_taken_for_it():
    for text in ("Storage size calculation overflowed", "shape '[3]' is invalid for input of size 4"):
        assert not compute.is_out_of_memory(RuntimeError(text))


# --- The same sum every time ---------------------------------------------------------------------


@pytest.fixture
def untouched(monkeypatch):
    """Puts back what `choose` may set for the whole process."""
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    before, filled = flags(), torch.utils.deterministic.fill_uninitialized_memory
    yield before
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = before[:2]
    torch.use_deterministic_algorithms(before[2], warn_only=before[3])
    torch.utils.deterministic.fill_uninitialized_memory = filled


def flags():
    return (
        torch.backends.cudnn.benchmark,
        torch.backends.cudnn.deterministic,
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
    )


def test_a_machine_without_cuda_is_left_as_it_is(untouched, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    compute.choose("cpu")
    assert flags() == untouched and untouched[2:] == (False, False, None)


@pytest.mark.parametrize("device", ["auto", "cuda", "cpu"])
def test_a_machine_with_cuda_repeats_itself(untouched, monkeypatch, device):
    """On either device: what another job chose must not show in the last bits."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    about = SimpleNamespace(name="A GPU", total_memory=8 * GB)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: about)
    torch.backends.cudnn.benchmark = True
    assert compute.choose(device).device.type == ("cpu" if device == "cpu" else "cuda")
    assert flags() == (False, True, True, True, ":4096:8")
    assert not torch.utils.deterministic.fill_uninitialized_memory


def test_who_chose_a_workspace_for_cublas_keeps_it(untouched, monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    compute._repeat()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


class Networks(SimpleNamespace):
    """What can be seen to be gone."""

    __hash__ = object.__hash__


@pytest.fixture
def models(monkeypatch):
    def load(pack_id, chosen):
        return Networks(id=pack_id, compute=chosen)

    monkeypatch.setattr(generation.packs, "load", load)
    monkeypatch.setattr(generation.compute, "choose", lambda _: Compute(CPU, torch.float32))
    return Models()


def test_unloading_lets_the_networks_go_and_the_next_run_loads_them_again(models):
    pack = weakref.ref(models.load("starter", "auto"))
    assert models.load("starter", "auto") is pack()
    assert models.unload() == 0  # a processor's memory is not counted
    gc.collect()
    assert pack() is None
    assert models.load("starter", "auto").id == "starter"


def test_unloading_one_pack_leaves_another(models):
    pack = models.load("starter", "auto")
    models.unload("classic")
    assert models.load("starter", "auto") is pack
    models.unload("starter")
    assert models.load("starter", "auto") is not pack
