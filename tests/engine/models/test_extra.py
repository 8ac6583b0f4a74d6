"""Guides of other packs: found by pack or by open_clip's name, held against their hashes, never the judge."""

from __future__ import annotations

import json

import open_clip
import pytest
import torch

from engine.compute import Compute
from engine.errors import BadWeights, InvalidRequest
from engine.models import extra, packs

CPU = Compute(torch.device("cpu"), torch.float32)


@pytest.fixture
def pack(pack_root):
    extra.load.cache_clear()
    yield packs.load("tiny", CPU)
    extra.load.cache_clear()


def change(pack_root, role, **facts):
    """The entry of "tiny", with other facts about the file of a role."""
    path = pack_root / "catalog" / "tiny.json"
    entry = json.loads(path.read_text("utf-8"))
    entry[role] |= facts
    path.write_text(json.dumps(entry))
    packs.entries.cache_clear()


def test_a_pack_lends_its_guide(pack):
    (found,) = extra.joined(pack, ["tiny"]).extra
    assert (found.name, found.sha256) == ("tiny", pack.hashes["guide"])
    x = torch.rand(1, 3, 32, 32)
    torch.testing.assert_close(found.clip.encode_image(x), pack.guide.encode_image(x))
    assert extra.load("tiny", CPU) is found  # the next run finds it in memory


def test_a_name_of_open_clip_is_found_where_it_came_from(pack, pack_root):
    name, tag = next(
        pair for pair in open_clip.list_pretrained() if "hf_hub" in open_clip.get_pretrained_cfg(*pair)
    )
    from engine.models import clips

    where = clips.sources_of(name, tag)[0].weights.where()
    change(pack_root, "guide", origin=where)
    assert extra.load(f"{name}:{tag}", CPU).sha256 == pack.hashes["guide"]
    change(pack_root, "guide", origin="")
    extra.load.cache_clear()
    with pytest.raises(InvalidRequest, match=f"models add NAME --guide {name}:{tag}$") as caught:
        extra.load(f"{name}:{tag}", CPU)
    assert caught.value.field == "guides"


def test_the_judge_must_not_guide(pack, pack_root):
    judge = packs.entries()["tiny"].judge
    change(pack_root, "guide", path=judge.path, sha256=judge.sha256, bytes=judge.bytes)
    with pytest.raises(InvalidRequest, match="would praise what it guided"):
        extra.joined(pack, ["tiny"])


def test_what_is_not_here_or_damaged_is_refused(pack, pack_root):
    with pytest.raises(InvalidRequest, match="no pack called 'nowhere'"):
        extra.joined(pack, ["nowhere"])
    with pytest.raises(InvalidRequest):
        extra.joined(pack, ["ViT-B-32:nonsense"])
    change(pack_root, "guide", sha256="0" * 64)
    with pytest.raises(BadWeights, match="damaged"):
        extra.joined(pack, ["tiny"])
