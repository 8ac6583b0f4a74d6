"""The evaluation's figures on cases whose answer is known, and the report that says them."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

from engine.cli import main
from engine.models import packs
from engine.models.vqgan import VQGAN
from engine.starter import captions, dataset
from engine.starter.data import Materials
from engine.starter.evaluation import (
    parts,
    prior,
    report as writing,
    retrieval,
    runs as running,
    stamp,
    whole,
)
from engine.starter.evaluation.bench import STEPS, Bench, Prompt, Sizes, prompts
from engine.starter.evaluation.diversity import true_materials
from engine.starter.evaluation.gap import Gap, Scale
from engine.starter.evaluation.naming import Namer, naming, shares
from engine.starter.evaluation.pictures import sheet
from engine.starter.evaluation.reconstruction import (
    commutation,
    known_planes,
    psnr,
    reconstruction,
    through_codes,
)
from engine.starter.evaluation.report import Report
from engine.starter.evaluation.runs import Run, Runs
from engine.starter.materials import FAMILIES, REGISTRY, nearest_term
from engine.starter.trials.record import Trials
from engine.synthesis.decode import maps_of
from engine.synthesis.diversity import vendi

SOME = ("brick_wall", "leather", "marble", "moss")


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


def figures(**parts_):
    return Report(pack="tiny", sha256={"judge": "ab" * 32}, families=SOME, machine="a desk", parts=parts_)


def run_of(settings, read, **changes):
    lists = {"guide": [0.5, 0.5], "judge": [0.4, 0.3], "seams": [0.8, 0.9]}
    return Run(**{"settings": settings, "read": read, "vendi": 1.5, "seconds": 2, **lists, **changes})


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


def test_a_run_is_done_once(tiny_pack, tmp_path, monkeypatch):
    done = []

    def counted(settings, pack):
        done.append(settings.prompt)
        return original(settings, pack)

    original = running.synthesize
    monkeypatch.setattr(running, "synthesize", counted)
    namer = Namer.of(tiny_pack.judge, SOME)
    settings = whole.settings("red moss", "auto", 0, 2).model_copy(update={"width": 128, "height": 128})
    first = Runs(tmp_path, tiny_pack, namer)(settings)
    again = Runs(tmp_path, tiny_pack, namer)(settings)
    assert done == ["red moss"] and again == first
    assert first.stamp == stamp.now()
    assert len(first.read) == 2 and first.judge == sorted(first.judge, reverse=True)
    Runs(tmp_path, tiny_pack, namer)(settings.model_copy(update={"steps": 1}))
    other = replace(tiny_pack, hashes={**tiny_pack.hashes, "guide": "0" * 64})
    Runs(tmp_path, other, namer)(settings)
    assert len(done) == 3, "other settings and other networks are other runs"
    base, lit = Runs(tmp_path, tiny_pack, namer).picture(first)
    assert base.size == lit.size == (128, 128)


def test_a_sheet_has_room_for_every_entry():
    red = Image.new("RGB", (10, 10), (255, 0, 0))
    page = sheet([("a\nb", [red, red]), ("c", [red, red]), ("d", [red, red])], 2, 20)
    assert page.getpixel((page.width // 2 + 10, 40)) == (255, 0, 0)
    assert page.getpixel((10, page.height - 5)) == (255, 0, 0)


def test_measuring_goes_on_from_the_figures_that_there_are(tiny_pack, tmp_path):
    sizes = Sizes(prompts=1, materials=2, steps=(0,), starts=("codes",), variations=1)
    bench = Bench(tiny_pack, SOME, tmp_path / "work", tmp_path / "report", sizes)
    before = figures(naming={"kept": True}, whole={"prior/3": {"prompts": 5}})
    *_, after = parts.measure(bench, before, ("reconstruction", "whole", "estimator"))
    assert "estimator" not in after.parts, "this pack has none"
    assert after.parts["naming"] == {"kept": True}
    assert set(after.parts["whole"]) == {"prior/3", "codes/0"}
    assert after.parts["whole"]["codes/0"]["prompts"] == 1
    assert (tmp_path / "report" / after.parts["reconstruction"]["picture"]).exists()
    assert after.measured == dict.fromkeys(("reconstruction", "whole/codes/0"), stamp.now())


@pytest.mark.slow
def test_what_is_looked_at_and_timed(tiny_pack, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "SHOWCASE", ("red bricks", "zebra fur"))
    monkeypatch.setattr(parts, "STEPS", 0)
    monkeypatch.setattr(parts, "speed", partial(parts.speed, variations=1, steps=2))
    sizes = Sizes(variations=1, diverse=1, diverse_variations=2)
    bench = Bench(tiny_pack, SOME, tmp_path / "work", tmp_path / "report", sizes)
    *_, found = parts.measure(bench, figures(), ("showcase", "diversity", "speed"))
    assert set(found.parts["showcase"]["prompts"]) == {"red bricks", "zebra fur"}
    assert 1 <= found.parts["diversity"]["min"] <= found.parts["diversity"]["mean"] <= 2
    assert 1 < found.parts["diversity"]["true_materials"] <= 2
    assert 0 < found.parts["speed"]["seconds"]["guide"] < found.parts["speed"]["seconds"]["total"]
    text = writing.write(found, tmp_path, Trials()).read_text("utf-8")
    assert "| zebra fur |" in text and "## Time" in text and "## Diversity" in text
    with Image.open(tmp_path / "report" / "prompts.jpg") as page:
        assert page.width == 4 * (2 * 160 + 6)


def test_figures_of_another_pack_are_left_behind(tmp_path):
    path = tmp_path / "evaluation.json"
    mine = figures()
    assert mine.going_on(path) == mine, "none yet"
    path.write_text(figures(speed={"steps": 1}).model_dump_json())
    assert mine.going_on(path).parts == {"speed": {"steps": 1}}
    assert mine.model_copy(update={"sha256": {"judge": "cd" * 32}}).going_on(path).parts == {}
    both = figures(speed={"steps": 1}, reconstruction={"psnr": {}}, naming={"guide": {}})
    path.write_text(both.model_dump_json())
    rejudged = mine.model_copy(update={"sha256": mine.sha256 | {"judge": "cd" * 32}}).going_on(path)
    assert rejudged.parts == {"reconstruction": {"psnr": {}}}, "the judge has no part in it"
    path.write_text(json.dumps({"naming": {}}))  # as an older version wrote it
    assert mine.going_on(path) == mine


def test_the_report_says_what_the_figures_say(tmp_path):
    asked = [Prompt("red moss", "moss", "red")]
    settings = whole.settings("red moss", "auto", STEPS, 2)
    run = run_of(settings, [("marble", "red"), ("moss", "red")], seams=[0.8, 1.31])
    errors = {"basecolor": 0.1, "height": 0.2, "roughness": 0.3, "metallic": 0.4}
    estimated = {
        "estimator": {"degrees": 7.0, **errors, "metallic": 0.5},
        "classical": {"degrees": 14.0, **errors},
        "flat": {"degrees": 16.0},
        "angle_ratio": 0.5,
    }
    found = whole.summary(asked, [run], Gap(Scale(0, 1), Scale(0, 1))) | {"picture": "held_out.jpg"}
    text = writing.write(
        figures(
            whole={f"auto/{STEPS}": found},
            estimator={"materials": 3, "lit": estimated, "unlit": estimated},
            diversity={"prompts": 8, "variations": 8, "mean": 4.25, "min": 1.5, "true_materials": 5},
            prior={
                "prompts": 2,
                "samples": 8,
                "as_drawn": {"family": 0.25, "colour": 0.5},
                "ranked": {"family": 0.125, "colour": 0.5},
                "vendi": 2.0,
            },
        ),
        tmp_path,
        Trials(),
    ).read_text("utf-8")
    assert "| material right | ≥ 85 % | 0 % | no |" in text
    assert "| colour right | ≥ 90 % | 100 % | yes |" in text
    assert "| largest seam score S99 | ≤ 1.25 | 1.31 | no |" in text
    assert "| diversity of 8 variations, Vendi score | ≥ 4 | 4.25 | yes |" in text
    assert "classical formula | ≤ 0.75 | 0.5 | yes |" in text
    assert "| lit | estimator | 7.0° | 0.1 | 0.2 | 0.3 | 0.5 |" in text
    assert "| lit | flat | 16.0° | – | – | – | – |" in text
    assert "worse than the formulas in: metallic of lit pictures, metallic of unlit pictures." in text
    assert "| largest seam score S99, reconstructions | ≤ 1.25 | not measured |  |" in text
    assert "Ranking by the guide lowered the share of right materials: 25 % as drawn," in text
    assert "what this judge can show" not in text, "five are more than the four that are wanted"
    assert "| commutation with rolling | ≤ 0.0001 | not measured |  |" in text
    assert "| red moss | red marble |" in text and "](report/held_out.jpg)" in text


@pytest.mark.slow
def test_evaluate_writes_figures_report_and_pictures(pack_root, tmp_path):
    out = ["--out", str(tmp_path / "evaluation.json"), "--report", str(tmp_path)]
    sizes = [
        "--materials",
        "2",
        "--prompts",
        "2",
        "--steps",
        "0",
        "--starts",
        "auto,prior",
        "--variations",
        "1",
    ]
    chosen = ["--parts", "naming,retrieval,prior,whole"]
    arguments = ["evaluate", "--pack", "tiny", "--device", "cpu", "--work", str(tmp_path / "work")]
    assert main([*arguments, *out, *sizes, *chosen]) == 0
    found = Report.model_validate_json((tmp_path / "evaluation.json").read_text("utf-8"))
    assert set(found.parts) == {"naming", "retrieval", "prior", "whole"}
    assert set(found.parts["whole"]) == {"auto/0", "prior/0"}
    assert found.sha256 == {role: file.sha256 for role, file in packs.entries()["tiny"].files().items()}
    text = (tmp_path / "REPORT.md").read_text("utf-8")
    assert "## Retrieval" in text and (tmp_path / "report" / "prior.jpg").exists()


def test_a_part_that_there_is_not_is_said(capsys):
    assert main(["evaluate", "--parts", "beauty"]) != 0
    assert "There is no part 'beauty'" in capsys.readouterr().err
