"""The evaluation's figures on cases whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.models.vqgan import VQGAN
from engine.starter import captions, dataset
from engine.starter.data import Materials
from engine.starter.evaluation import prior, retrieval, whole
from engine.starter.evaluation.bench import STEPS, Prompt, Sizes, prompts
from engine.starter.evaluation.diversity import true_materials
from engine.starter.evaluation.gap import Gap, Scale
from engine.starter.evaluation.naming import Namer, naming, shares
from engine.starter.evaluation.reconstruction import (
    commutation,
    known_planes,
    psnr,
    reconstruction,
    through_codes,
)
from engine.starter.materials import FAMILIES, REGISTRY, nearest_term
from engine.synthesis.decode import maps_of
from engine.synthesis.diversity import vendi
from tests.engine.starter.measured import SOME, run_of


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    for _ in dataset.write(dataset.plan(folder, 6, first_seed=3, size=64, families=SOME)):
        pass
    return Materials.open(folder)


class Reader:
    """A CLIP that knows: a picture lies where the words of `says` put the material of its mean colour."""

    size_px = 32

    def __init__(self, pack, data, says):
        self.compute, self.words = pack.compute, {}
        self.means = torch.stack([self._mean(data, i) for i in range(len(data))])
        self.said = self.encode_text([says(p) for p in data.params])

    @staticmethod
    def _mean(data, i):
        return torch.from_numpy(data.crop(i, 0, 0, data.size_px)[..., :3].mean((0, 1)) / 255).float()

    def encode_text(self, texts):
        columns = [self.words.setdefault(text, len(self.words)) for text in texts]
        return torch.nn.functional.one_hot(torch.tensor(columns), 4096).float()

    def encode_image(self, views):
        nearest = torch.cdist(views.mean((2, 3)), self.means).argmin(1)
        return self.said[nearest]


def test_vendi_score_counts_what_differs():
    same, apart = torch.ones(8, 4) / 2, torch.eye(8)
    assert vendi(same) == pytest.approx(1, abs=1e-6)
    assert vendi(apart) == pytest.approx(8)
    assert vendi(apart[[0, 0, 0, 0, 1, 1, 1, 1]]) == pytest.approx(2)


def test_true_materials_are_of_one_colour_and_all_different():
    pictures = true_materials("leather", "red", 2, 32)
    assert pictures.shape == (2, 3, 32, 32)
    assert not torch.equal(pictures[0], pictures[1])
    assert {nearest_term(p.mean((1, 2)).numpy()) for p in pictures} <= {"red", "maroon", "brown"}


def test_shares_count_family_and_colour_apart():
    named = [("moss", "green"), ("moss", "red"), ("marble", "red"), ("marble", "red")]
    meant = [("moss", "green"), ("moss", "green"), ("moss", "red"), ("moss", "blue")]
    assert shares(named, meant) == {"family": 0.5, "colour": 0.5}


def test_naming_of_a_clip_that_knows(data, tiny_pack):
    right = Reader(tiny_pack, data, lambda p: f"{p['colour']} {REGISTRY[p['family']].nouns[0]}")
    assert naming(data, right, SOME) == {"pictures": 6, "family": 1.0, "colour": 1.0}
    wrong = Reader(tiny_pack, data, lambda _: "green moss")
    expected = np.mean([p["family"] == "moss" for p in data.params])
    assert naming(data, wrong, SOME)["family"] == expected < 1


def test_candidates_are_a_hundred_and_half_of_them_nearly_right(data):
    params = data.params[0]
    found = retrieval.candidates(params, SOME, np.random.default_rng(0))
    assert len(set(found)) == retrieval.CAPTIONS == len(found)
    assert found[0] == captions.canonical(params)
    rng = np.random.default_rng(0)
    hard = {captions.negative(params, rng) for _ in range(50)}
    assert hard < set(found) and len(hard) >= 40


def test_retrieval_of_a_clip_that_knows_and_of_one_that_does_not(data, tiny_pack):
    right = retrieval.retrieval(data, Reader(tiny_pack, data, captions.canonical), SOME)
    assert (right["first"], right["median_rank"]) == (1.0, 1.0)
    blind = retrieval.retrieval(data, Reader(tiny_pack, data, lambda _: "nothing"), SOME)
    assert (blind["first"], blind["median_rank"]) == (0.0, 100.0), "a tie must be no find"


def test_psnr():
    assert psnr([0.01, 0.01]) == pytest.approx(20)
    assert psnr([0.0]) == 100


def test_maps_come_in_the_order_of_the_packs_channels(data, tiny_pack):
    x = known_planes(data, 2, tiny_pack.channels)
    assert x.shape == (1, 8, 64, 64)
    shown = maps_of(x, tiny_pack.channels)
    assert torch.equal(shown.metallic[0, 0], torch.from_numpy(data.crop(2, 0, 0, 64)[..., 5].copy()) / 255)


def test_reconstruction_is_measured_against_the_truth(data, tiny_pack):
    found = reconstruction(data, tiny_pack, limit=1)
    x = known_planes(data, 0, tiny_pack.channels)
    _, y = through_codes(x, tiny_pack)
    assert found["psnr"]["height"] == pytest.approx(psnr([float((x[:, 3] - y[:, 3]).square().mean())]))
    assert set(found["psnr"]) == {"basecolor", "height", "roughness", "metallic", "emission", "relief"}
    assert 0 < found["codes_used"] <= 1 and max(found["commutation"].values()) < 1e-4


def test_a_decoder_that_does_not_close_is_caught(tiny_pack):
    class Open(VQGAN):
        def decode(self, z, wrap):
            return super().decode(z, (wrap[0], False))

    broken = Open(tiny_pack.generator.cfg).eval()
    broken.load_state_dict(tiny_pack.generator.state_dict())
    codes = torch.randint(0, 32, (1, 6, 6), generator=torch.Generator().manual_seed(0))
    found = commutation(broken, codes)
    assert found["vertical"] < 1e-4 < found["horizontal"] / 10


def test_a_full_evaluation_compares_what_was_agreed():
    full = Sizes()
    assert set(full.steps) == {0, STEPS, 30, 100, 300} and {"auto", "prior", "codes"} == set(full.starts)
    assert (full.prompts, full.diverse_variations) == (100, 8)


def test_prompts_are_held_out_and_all_different():
    found = prompts(FAMILIES, 100)
    assert len({p.text for p in found}) == 100
    assert {(p.family, p.colour) for p in found} <= captions.held_out()
    assert prompts(FAMILIES, 10) == found[:10]


def test_the_prior_is_read_as_drawn_and_as_ranked(tiny_pack):
    namer = Namer.of(tiny_pack.judge, SOME)
    drawn = prior.draw("red moss", 3, tiny_pack, tiny_pack.prior, size_px=64)
    assert drawn.pictures.shape == (3, 3, 64, 64)
    names = namer.read(drawn.pictures)
    only_last = replace(drawn, fit=torch.tensor([0.0, 0.0, 1.0]))
    found = prior.sampled([only_last], [Prompt("", *names[2])], namer)
    assert found["ranked"] == {"family": 1.0, "colour": 1.0}
    assert found["as_drawn"] == shares(names, [names[2]] * 3)


def test_the_gap_is_in_deviations_of_true_materials(data, tiny_pack):
    gap = Gap(guide=Scale(0.5, 0.1), judge=Scale(0.4, 0.2))
    assert gap([0.7, 0.7], [0.4, 0.6]) == pytest.approx(2 - 0.5)
    scale = Scale.of(data, tiny_pack.guide, limit=3)
    assert scale.deviation > 0 and scale.z([scale.mean]) == 0


def test_the_whole_counts_the_best_and_each():
    asked = [Prompt("red moss", "moss", "red"), Prompt("blue leather", "leather", "blue")]
    settings = [whole.settings(p.text, "codes", 0, 2) for p in asked]
    done = [
        run_of(settings[0], [("moss", "red"), ("moss", "red")], seams=[0.8, 1.4]),
        run_of(settings[1], [("moss", "blue"), ("leather", "blue")]),
    ]
    gap = Gap(Scale(0, 1), Scale(0, 1))
    found = whole.summary(asked, done, gap)
    assert found["best"] == {"family": 0.5, "colour": 1.0}
    assert found["each"] == {"family": 0.75, "colour": 1.0}
    assert found["seam_max"] == 1.4, "no variation may have a seam, not only the best none"
    assert found["missed"] == {"blue leather": "blue moss"}
    assert found["gap"] == pytest.approx(0.5 - 0.35)
