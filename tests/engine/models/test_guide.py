"""CLIP through open_clip: our own configurations and the published names, by the same class."""

from __future__ import annotations

import copy
import json

import open_clip
import pytest
import torch
from torch.nn import functional as F

from engine.compute import Compute
from engine.errors import BadWeights
from engine.models import known
from engine.models.guide import Clip
from engine.models.known import Known
from engine.models.towers import TextureNet, statistics

CPU = Compute(torch.device("cpu"), torch.float32)


def test_embeddings_are_open_clips_own(tiny_pack):
    """Our wrapper adds normalisation and nothing else."""
    guide, x = tiny_pack.guide, torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    expected = F.normalize(guide.model.encode_image((x - 0.5) / 0.25), dim=-1)
    torch.testing.assert_close(guide.encode_image(x), expected)
    tokens = open_clip.SimpleTokenizer(context_length=16)(["red bricks"])
    torch.testing.assert_close(
        guide.encode_text(["red bricks"])[0], F.normalize(guide.model.encode_text(tokens)[0], dim=0)
    )


def test_templates_are_averaged_on_the_sphere(tiny_pack):
    guide = tiny_pack.guide
    pair = guide.encode_text(["red bricks", "a photo of red bricks"])
    expected = F.normalize(pair.mean(0), dim=0)
    torch.testing.assert_close(guide.encode_templates("red bricks", ("{}", "a photo of {}")), expected)


def test_published_name_with_a_local_checkpoint(tmp_path):
    """A name of open_clip's list and a file of weights, as a downloaded pack has them."""
    name = "ViT-S-32-alt"
    weights = tmp_path / "weights.pt"
    torch.manual_seed(3)
    torch.save(open_clip.CLIP(**open_clip.get_model_config(name)).state_dict(), weights)
    clip = Clip(name, CPU, pretrained=str(weights))
    assert clip.size_px == 224
    torch.testing.assert_close(clip._mean.flatten(), torch.tensor(open_clip.OPENAI_DATASET_MEAN))
    assert clip.encode_image(torch.rand(1, 3, 224, 224)).norm().item() == pytest.approx(1, abs=1e-5)


def test_missing_model_is_a_sentence(tmp_path):
    with pytest.raises(BadWeights, match="nowhere"):
        Clip(f"local-dir:{tmp_path / 'nowhere'}", CPU)


def test_configuration_without_weights_is_refused(tmp_path):
    config = {"model_cfg": open_clip.get_model_config("ViT-S-32-alt")}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    with pytest.raises(BadWeights):
        Clip(f"local-dir:{tmp_path}", CPU)


def test_texture_net_sees_statistics_by_hand():
    x = torch.tensor([[[[1.0, 3.0]], [[2.0, 2.0]]]])
    assert statistics(x)[0].tolist() == pytest.approx([2, 2, 1, 0.00316], abs=1e-3)


def test_texture_net_takes_any_size_and_hardly_minds_rolling():
    torch.manual_seed(0)
    net = TextureNet().eval()
    x = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        a, b = net(x), net(x.roll((16, 32), dims=(2, 3)))
    assert F.cosine_similarity(a, b).item() > 0.99


def test_a_model_with_a_row_for_every_token_knows_every_word(tiny_pack):
    assert tiny_pack.guide.unknown_words("red cathedral") == []


@pytest.fixture
def reader(tiny_pack):
    """A CLIP of which only "stone", "wall" and "fur" are taught: "rock" is near, "cathedral" is not."""
    clip = copy.deepcopy(tiny_pack.guide)
    table = clip.model.token_embedding.weight.data
    rows = {"stone": 0, "wall": 1, "fur": 2, "rock": 0, "pelt": 2, "cathedral": 3}
    for word, axis in rows.items():
        token = int(clip._tokenizer([word])[0, 1])
        table[token] = F.one_hot(torch.tensor(axis), table.shape[1]) + 0.1 * (word in ("rock", "cathedral"))
    nouns = {"stone wall": ("wall of stone",), "fur": ()}
    clip.known = Known(
        nouns=nouns, words=("stone", "wall", "fur", "photo"), near=("fur", "stone", "wall"), threshold=0.7
    )
    return clip


def test_a_word_is_known_if_it_was_read_or_is_near_one_that_says_something(reader):
    assert reader.unknown_words("A photo of a stone wall, made with rock 42") == []
    assert reader.unknown_words("Cathedral of rock, cathedral") == ["cathedral"]
    assert reader.unknown_words("") == []


def test_the_closest_noun_is_a_canonical_one(reader):
    assert reader.closest_known("pelt") == "fur"
    assert reader.closest_known("rock wall") == "stone wall"
    assert reader.closest_known("42") is None


def test_without_known_json_there_is_no_closest_noun(tiny_pack):
    assert tiny_pack.guide.known is None
    assert tiny_pack.guide.closest_known("rock") is None


def test_known_json_that_cannot_be_read_is_a_sentence(tmp_path):
    assert known.read(tmp_path) is None
    (tmp_path / known.FILE).write_text("{}")
    with pytest.raises(BadWeights, match=r"known\.json"):
        known.read(tmp_path)
