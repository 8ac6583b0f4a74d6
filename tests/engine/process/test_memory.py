"""Limits on memory, and giving it back."""

from __future__ import annotations

import gc
import weakref
from types import SimpleNamespace

import pytest
import torch

from engine import compute, generation
from engine.compute import Compute
from engine.generation import Models

CPU = torch.device("cpu")


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
