"""Withheld synonyms, asked of a text tower whose answers are set by hand."""

from __future__ import annotations

import copy

import pytest
import torch
from torch.nn import functional as F

from engine.starter.evaluation.synonyms import nearest_families, synonym_accuracy
from engine.starter.materials import REGISTRY

FAMILIES = ("bark", "marble", "sand_ripples")


@pytest.fixture
def clip(tiny_pack):
    """Its text tower is a sum of token rows, and rows are axes."""
    clip = copy.deepcopy(tiny_pack.guide)
    table = clip.model.token_embedding.weight.data
    table.zero_()
    for axis, (word, family) in enumerate(zip(("rind", "quartz", "dune"), FAMILIES, strict=True)):
        for text in (word, REGISTRY[family].nouns[0]):
            tokens = clip._tokenizer([text])[0]
            table[tokens[1 : int(tokens.argmax())]] = F.one_hot(torch.tensor(axis), table.shape[1]).float()
    clip.model.encode_text = lambda tokens: table[tokens].sum(1)
    return clip


def test_the_share_that_finds_its_own_family(clip):
    synonyms = {"bark": ("rind",), "marble": ("quartz", "dune"), "ice": ("frost",)}
    assert synonym_accuracy(clip, synonyms, FAMILIES) == pytest.approx(2 / 3)  # ice does not compete
    nouns = [REGISTRY[family].nouns[0] for family in FAMILIES]
    assert nearest_families(clip, synonyms, FAMILIES)["dune"] == (nouns[1], nouns[2])
    assert synonym_accuracy(clip, {}, FAMILIES) == 0
