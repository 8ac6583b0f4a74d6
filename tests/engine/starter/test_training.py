"""Training: resumable to the same weights, exported in the formats that the engine loads."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.compute import Compute
from engine.material.relief import RELIEF_RANGE, decode_relief, encode_relief
from engine.models import priors
from engine.models.guide import Clip
from engine.models.vqgan import VQGAN, VQGANConfig
from engine.starter import captions, dataset
from engine.starter.data import Materials, labels
from engine.starter.materials import REGISTRY, sample
from engine.starter.training import (
    clip,
    codes,
    decoder,
    exemplars,
    generator,
    known,
    loop,
    pipeline,
    prior,
    stream as streaming,
    teacher,
)

CPU = Compute(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    for _ in dataset.write(dataset.plan(folder, 24, first_seed=0, size=64)):
        pass
    return Materials.open(folder)


def clip_stage(data, meanings=None, wrong=None, **changes):
    cfg = clip.GUIDE.model_copy(update={"steps": 4, "batch": 8, "image_px": 32, **changes})
    return clip.ClipStage(data, cfg, CPU, meanings, wrong)


@pytest.fixture(scope="module")
def meanings():
    """As a teacher gives them, but of nothing: every token has a row, start and end of text have none."""
    table = torch.randn(clip.FULL_VOCABULARY, 96, generator=torch.Generator().manual_seed(5))
    table[-2:] = 0
    return teacher.SCALE * table


def known_name(data, stage):
    """A material's name of which every token is in the captions that the vocabulary was made of."""
    vocabulary = stage.vocabulary
    names = map(captions.canonical, data.params)
    return next(n for n in names if vocabulary.unknown not in vocabulary.compact[vocabulary.tokenizer(n)])


@pytest.fixture(scope="module")
def guide(data, tmp_path_factory):
    """A fresh one in the shape of the shipped one: generator and decoder look through its tower."""
    folder = tmp_path_factory.mktemp("guide")
    clip_stage(data).export(folder)
    return Clip(f"local-dir:{folder}", CPU)


def generator_stage(data, guide):
    cfg = generator.GeneratorTraining(
        steps=6, batch=2, crop_px=32, whole_every=3, adversarial_from=0.5, continuous=0.2
    )
    return generator.GeneratorStage(data, guide, cfg, CPU)


@pytest.fixture(scope="module")
def grids(data, tiny_pack, tmp_path_factory):
    folder = tmp_path_factory.mktemp("codes")
    assert sum(codes.encode(data, tiny_pack.generator, folder, CPU)) == len(data)
    return codes.Grids.open(folder)


def prior_stage(data, grids, tiny_pack):
    cfg = prior.PriorTraining(steps=4, batch=2)
    return prior.PriorStage(grids, data.params, tiny_pack.generator, tiny_pack.guide, cfg, CPU)


def stream_stage(data, grids, tiny_pack, **changes):
    cfg = streaming.StreamTraining(**{"steps": 4, "batch": 2, **changes})
    return streaming.StreamStage(grids, data.params, tiny_pack.generator, tiny_pack.guide, cfg, CPU)


def decoder_stage(data, guide):
    torch.manual_seed(3)
    cfg = decoder.DecoderTraining(steps=4, batch=2, crop_px=32, whole_every=2)
    return decoder.DecoderStage(data, VQGAN(generator.ARCHITECTURE), guide, cfg, CPU)


@pytest.fixture(params=["clip", "taught", "robust", "generator", "decoder", "prior", "stream"])
def stage(request, data, meanings, guide, grids, tiny_pack):
    """Makes a fresh stage at every call."""
    return {
        "clip": lambda: clip_stage(data),
        "taught": lambda: clip_stage(data, meanings, captions.negative),
        "robust": lambda: clip_stage(data, meanings, captions.negative, robust=1.0),
        "generator": lambda: generator_stage(data, guide),
        "decoder": lambda: decoder_stage(data, guide),
        "prior": lambda: prior_stage(data, grids, tiny_pack),
        "stream": lambda: stream_stage(data, grids, tiny_pack),
    }[request.param]


def test_an_interrupted_training_ends_in_the_same_weights(stage, tmp_path):
    whole = stage()
    for _ in loop.run(whole, tmp_path / "whole", every=100):
        pass
    interrupted = stage()
    for step, _ in loop.run(interrupted, tmp_path / "parts", every=1):
        if step == 2:
            break  # as a kill would, after the second step's checkpoint
    resumed = stage()
    steps = [step for step, _ in loop.run(resumed, tmp_path / "parts", every=1)]
    assert steps[0] == 3
    for key, value in whole.average.values.items():
        torch.testing.assert_close(resumed.average.values[key], value, rtol=0, atol=0, msg=key)


@pytest.mark.parametrize("taught", [False, True])
def test_exported_clip_opens_in_open_clip_and_agrees(data, meanings, tmp_path, taught):
    """The full token table gives the same embeddings as the dense one that was trained."""
    stage = clip_stage(data, meanings if taught else None)
    for _ in loop.run(stage, tmp_path / "work"):
        pass
    stage.export(tmp_path / "guide")
    opened = Clip(f"local-dir:{tmp_path / 'guide'}", CPU)
    stage.model.load_state_dict(stage.average.values)
    stage.model.eval()
    name = known_name(data, stage)
    tokens = stage.vocabulary.compact[stage.vocabulary.tokenizer([name])]
    expected = torch.nn.functional.normalize(stage.model.encode_text(tokens), dim=-1)
    torch.testing.assert_close(opened.encode_text([name]), expected, rtol=0, atol=5e-3)  # float16 file
    unknown = opened.encode_text(["zyzzyva bricks", "xylograph bricks"])
    assert opened.size_px == 32
    assert unknown.isfinite().all()


def test_a_word_without_training_has_the_row_of_its_meaning(data, meanings, tmp_path):
    stage = clip_stage(data, meanings, lr=0.01)  # steps that show in float16
    for _ in loop.run(stage, tmp_path / "work"):
        pass
    mix = stage.average.values["token_embedding.mix"]
    assert not torch.equal(mix, torch.eye(96))  # it learns
    stage.export(tmp_path)
    table = load_file(tmp_path / "open_clip_model.safetensors")["token_embedding.weight"].float()
    taught = ((table - meanings @ mix).abs().amax(1) > 1e-3).nonzero().flatten().tolist()
    assert len(taught) > 10
    assert set(taught) <= set(stage.vocabulary.ids.tolist())


def test_a_bare_word_is_read_without_what_training_taught_about_it():
    base = torch.arange(1.0, 7.0).view(3, 2)
    table = teacher.TaughtEmbedding(base)
    with torch.no_grad():
        table.delta += 10
    assert table(torch.tensor([[1, -2]])).tolist() == [[[13, 14], [5, 6]]]


def test_meanings_are_principal_components():
    """Distances in a plane survive the reduction to two numbers, up to scale; special rows are zero."""
    draw = np.random.default_rng(1)
    plane = draw.standard_normal((50, 2)) @ np.linalg.qr(draw.standard_normal((8, 2)))[0].T + 3
    reduced = teacher.principal(plane, 2)
    before, after = (np.linalg.norm(x[:48, None] - x[None, :48], axis=-1) for x in (plane, reduced))
    np.testing.assert_allclose(after, before * (after[0, 1] / before[0, 1]), rtol=1e-4, atol=1e-6)
    assert not reduced[48:].any()
    assert np.sqrt(np.square(reduced[:48]).mean()) == pytest.approx(teacher.SCALE, rel=1e-4)


def test_a_wrong_caption_is_a_candidate_of_its_own_picture_only(data):
    stage = clip_stage(data)
    indices, marked = np.arange(3), torch.tensor([1])
    stage.meaning = np.arange(len(data))
    logits = torch.tensor([[2.0, 0, 0], [0, 2, 0], [0, 0, 2]])
    true = torch.nn.functional.cross_entropy(logits, torch.arange(3), reduction="none")
    with_wrong = torch.log(torch.exp(torch.tensor([0.0, 2, 0, 1])).sum()) - 2
    expected = (true.mean() + (true[0] + with_wrong + true[2]) / 3) / 2
    assert stage._contrast(logits, torch.tensor([1.0]), indices, marked).item() == pytest.approx(expected)


@pytest.mark.parametrize("taught", [False, True])
def test_training_goes_on_from_an_exported_clip(data, meanings, tmp_path, taught):
    """Pictures, and captions of words that it was taught and that it was not, are where they were."""
    known = meanings if taught else None
    first = clip_stage(data, known, seed=3, lr=0.01)
    for _ in loop.run(first, tmp_path / "work"):
        pass
    first.export(tmp_path)
    second = clip_stage(data, known, seed=4, start=str(tmp_path))
    second.export(tmp_path / "again")
    before, after = (Clip(f"local-dir:{folder}", CPU) for folder in (tmp_path, tmp_path / "again"))
    texts = [known_name(data, first), "zyzzyva bricks"]
    torch.testing.assert_close(after.encode_text(texts), before.encode_text(texts), rtol=0, atol=5e-3)
    views = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(after.encode_image(views), before.encode_image(views), rtol=0, atol=5e-3)


def test_training_takes_over_what_fits_of_another_width(data, tmp_path):
    """Of a CLIP of other words or sizes the image tower is still worth having."""
    first = clip_stage(data, seed=3)
    first.export(tmp_path)
    file = tmp_path / "open_clip_model.safetensors"
    weights = load_file(file)
    save_file(
        {k: v[..., :48].contiguous() if v.ndim == 2 and "token" in k else v for k, v in weights.items()}, file
    )
    second = clip_stage(data, seed=4, start=str(tmp_path))
    assert torch.equal(second.average.values["visual.head.proj.weight"], second.model.visual.head.proj.weight)
    torch.testing.assert_close(
        second.model.visual.head.proj.weight,
        first.average.values["visual.head.proj.weight"],
        rtol=0,
        atol=1e-3,
    )
    assert not torch.allclose(second.model.token_embedding.weight, first.model.token_embedding.weight)


def test_robust_training_sees_worse_views_of_the_same_length(data):
    """The change is no longer than it may be, and raises the loss more than noise of that length does."""
    stage = clip_stage(data, robust=1.0, batch=16, noise=0.0)
    draw, indices, marked = np.random.default_rng(1), np.arange(16), torch.empty(0, dtype=torch.int64)
    views = stage._views(indices, draw)
    tokens, _ = stage._tokens(indices, draw)
    text = stage._read(tokens).detach()

    def loss(pictures):
        with torch.no_grad():
            return stage._outcome(stage._see(pictures), text, indices, marked).loss.item()

    worst = stage._worst(views, text, indices, marked, draw)
    length = (worst - views).flatten(1).norm(dim=1)
    noise = torch.randn_like(views)
    noise *= (length / noise.flatten(1).norm(dim=1))[:, None, None, None]
    assert (length <= 1 + 1e-4).all() and (length > 0.2).all()
    assert loss(worst) - loss(views) > 2 * abs(loss(views + noise) - loss(views))


def test_exported_generator_fits_its_configuration(data, guide, tmp_path):
    stage = generator_stage(data, guide)
    for _ in loop.run(stage, tmp_path / "work"):
        pass
    plan = pipeline.Plan(work=tmp_path, weights=tmp_path, compute=CPU)
    pipeline._export_generator(plan, stage)
    config = json.loads((tmp_path / "generator" / "config.json").read_text())
    model = VQGAN(VQGANConfig.model_validate(config))
    model.load_state_dict(load_file(tmp_path / "generator" / "model.safetensors"))


def test_training_lowers_the_generators_error(data, guide):
    cfg = generator.GeneratorTraining(
        steps=40, batch=2, crop_px=32, continuous=1, lr=2e-3, adversarial_from=2
    )
    stage = generator.GeneratorStage(data, guide, cfg, CPU)
    errors = [stage.step(i)["error"] for i in range(40)]
    assert sum(errors[-5:]) < 0.8 * sum(errors[:5])


def test_a_generator_starts_from_an_older_one_without_emission(tmp_path):
    torch.manual_seed(0)
    older = VQGAN(generator.ARCHITECTURE.model_copy(update={"in_channels": 7, "out_ch": 7, "n_embed": 64}))
    save_file(older.state_dict(), tmp_path / "model.safetensors")
    newer = VQGAN(generator.ARCHITECTURE)
    generator.take_over(newer, tmp_path)
    x = torch.rand(1, 8, 32, 32)
    z = torch.nn.functional.normalize(older.encode(x[:, [0, 1, 2, 3, 4, 5, 7]]), dim=1)
    torch.testing.assert_close(torch.nn.functional.normalize(newer.encode(x), dim=1), z)
    before, after = older.decode_raw(z), newer.decode_raw(z)
    torch.testing.assert_close(after[:, [0, 1, 2, 3, 4, 5, 7]], before)
    assert not after[:, 6].any()


def test_a_prior_starts_from_an_older_one_with_other_codes(data, grids, tiny_pack, tmp_path):
    older = prior_stage(data, grids, tiny_pack).model
    with torch.no_grad():
        older.hole.fill_(0.5)
        older.get_buffer("codebook").fill_(0.25)
    save_file({k: v.contiguous() for k, v in older.state_dict().items()}, tmp_path / "model.safetensors")
    cfg = prior.PriorTraining(steps=4, batch=2, start=str(tmp_path))
    stage = prior.PriorStage(grids, data.params, tiny_pack.generator, tiny_pack.guide, cfg, CPU)
    assert (stage.model.hole == 0.5).all()
    assert torch.equal(stage.model.get_buffer("codebook"), tiny_pack.generator.codebook)


@pytest.mark.parametrize("make", [prior_stage, stream_stage])
def test_an_exported_prior_says_of_which_kind_it_is(data, grids, tiny_pack, tmp_path, make):
    stage = make(data, grids, tiny_pack)
    pipeline._export_prior(pipeline.Plan(work=tmp_path, weights=tmp_path, compute=CPU), stage)
    folder = tmp_path / stage.name
    network = priors.build(json.loads((folder / "config.json").read_text()))
    assert type(network) is type(stage.model)
    network.load_state_dict(load_file(folder / "model.safetensors"))
    assert torch.allclose(network.codebook, tiny_pack.generator.codebook, atol=1e-3)


def test_the_stream_learns_which_codes_stand_beside_which(data, grids, tiny_pack):
    stage = stream_stage(data, grids, tiny_pack, steps=30, batch=4)
    losses = [stage.step(i)["loss"] for i in range(30)]
    assert np.mean(losses[-5:]) < 0.85 * losses[0]


def test_cross_entropy_in_parts_is_that_of_all_logits():
    """Its gradients as well; the last part is smaller than the others."""
    draw = torch.Generator().manual_seed(3)
    n = streaming.CHUNK + 7
    x, w = torch.randn(n, 6, generator=draw, requires_grad=True), torch.randn(9, 6, generator=draw)
    target = torch.randint(0, 9, (n,), generator=draw)
    w.requires_grad_()
    whole = torch.nn.functional.cross_entropy(x @ w.T, target)
    parts = streaming.linear_cross_entropy(x, w, target)
    torch.testing.assert_close(parts, whole)
    for found, wanted in zip(
        torch.autograd.grad(3 * parts, (x, w)), torch.autograd.grad(3 * whole, (x, w)), strict=True
    ):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)


def test_a_plan_begins_from_older_networks_where_stages_can(tmp_path):
    plan = pipeline.Plan(tmp_path, tmp_path, CPU, start=tmp_path / "old", changes={"prior": {"steps": 3}})
    changed = plan.configured("prior", prior.PriorTraining())
    assert (changed.start, changed.steps) == (str(tmp_path / "old" / "prior"), 3)
    assert plan.configured("decoder", decoder.DecoderTraining()) == decoder.DecoderTraining()


def test_divergence_stops_the_run(tmp_path):
    class Diverging:
        name, total_steps = "diverging", 3

        def step(self, i):
            return {"loss": float("nan") if i == 1 else 1.0}

        def state(self):
            return {}

    with pytest.raises(FloatingPointError, match="diverging diverged at step 1"):
        list(loop.run(Diverging(), tmp_path))


def test_materials_are_what_was_rendered(data):
    assert len(data) == 24 and data.size_px == 64
    whole = data.crop(3, 0, 0, 64)
    assert (data.crop(3, 60, 10, 16) == whole.take(range(60, 76), 0, mode="wrap")[:, 10:26]).all()
    family, colour = labels(data.params[3])
    assert family >= 0 and colour >= 0


def test_relief_survives_its_channel():
    for relief in (*RELIEF_RANGE, 0.01, 0.05):
        assert decode_relief(torch.tensor(encode_relief(relief))).item() == pytest.approx(relief, rel=1e-4)
    assert encode_relief(0.0) == 0 and encode_relief(1.0) == 1


def test_words_without_training_are_named(data, tmp_path):
    """Tokens that no caption used share a row of the table, which is how the model knows them again."""
    stage = clip_stage(data)
    stage.export(tmp_path / "guide")
    opened = Clip(f"local-dir:{tmp_path / 'guide'}", CPU)
    assert opened.unknown_words(f"Cathedral {known_name(data, stage)}, cathedral 42") == ["cathedral"]
    assert opened.unknown_words("") == []


def test_a_pack_remembers_what_looks_like_its_name(data, tiny_pack):
    build = exemplars.build(data, tiny_pack.guide, 12)
    seen = []
    while True:
        try:
            seen.append(next(build))
        except StopIteration as end:
            found = end.value
            break
    assert seen[-1] == (18, 18)
    assert 12 <= len(found.names) <= 18
    names = {captions.canonical(p): i for i, p in enumerate(data.params)}
    assert set(found.names) <= set(names)
    for name, recipe in zip(found.names, found.recipes, strict=True):
        assert recipe == data.params[names[name]] or captions.canonical(recipe) == name
    assert torch.allclose(found.keys.norm(dim=-1), torch.ones(len(found.keys)), atol=1e-5)


def test_only_what_has_its_natural_colour_goes_by_its_bare_name():
    painted, natural = sample(1, "zebra"), sample(1, "zebra")
    painted.update(palette="any", target="208080", colour="teal", modifiers={}, mixture=None)
    natural.update(palette="white", target=None, colour="white", modifiers={}, mixture=None)
    assert exemplars.meanings([painted, natural]) == ["teal zebra print", "zebra print"]


def test_of_every_name_the_better_ones_are_kept():
    names = ["a", "b", "a", "a", "b"]
    assert exemplars.kept(names, torch.tensor([0.3, 0.9, 0.1, 0.2, 0.8])) == [0, 1, 3, 4]


def test_grids_are_the_generators_codes(data, grids, tiny_pack):
    """Each version is the material moved or turned; rolling a batch changes places, never codes."""
    assert grids.codes.shape == (24, codes.VERSIONS, 8, 8)
    x = data.batch(np.arange(8), loop.rng(codes.SEED, 0, "codes/1"), data.size_px)
    assert (grids.codes[:8, 1] == tiny_pack.generator.codes_of(x).numpy()).all()
    row = grids.batch(np.array([5]), np.random.default_rng(0))[0]
    assert any((np.sort(row.flatten()) == np.sort(v.flatten())).all() for v in grids.codes[5])


def test_encoding_goes_on_where_it_stopped(data, tiny_pack, tmp_path, monkeypatch):
    monkeypatch.setattr(codes, "SHARD", 8)
    run = codes.encode(data, tiny_pack.generator, tmp_path, CPU)
    next(run)
    run.close()
    first = (tmp_path / "codes_00000.npy").stat().st_mtime_ns
    assert list(codes.encode(data, tiny_pack.generator, tmp_path, CPU)) == [8, 8, 8]
    assert (tmp_path / "codes_00000.npy").stat().st_mtime_ns == first


def test_sharpening_the_decoder_leaves_the_codes_alone(data, guide):
    """A prior knows the codes of its encoder: they must mean the same afterwards."""
    stage = decoder_stage(data, guide)
    x = data.batch(np.arange(2), np.random.default_rng(0), 64)
    before, first = stage.model.codes_of(x), stage.step(0)
    for i in range(1, 4):
        stage.step(i)
    assert torch.equal(stage.model.codes_of(x), before)
    assert stage.step(0)["error"] < first["error"]


def test_finished_weights_say_what_they_know(data, meanings, tmp_path):
    """Meanings of nothing but one: "cathedral" then is what the first known word is."""
    stage = clip_stage(data, meanings)
    stage.export(tmp_path)
    opened = Clip(f"local-dir:{tmp_path}", CPU)
    assert opened.known.nouns.keys() == {REGISTRY[p["family"]].nouns[0] for p in data.params}
    assert "cathedral" not in opened.known.words
    assert not {"photo", "with"} & set(opened.known.near)  # they say nothing about a surface
    assert opened.unknown_words(f"A cathedral of {known_name(data, stage)}") == ["cathedral"]
    assert opened.closest_known(captions.canonical(data.params[0])) in opened.known.nouns
    same = opened._tokenizer([opened.known.near[0], "cathedral"])[:, 1]
    table = opened.model.token_embedding.weight.data
    table[same[1]] = opened._meanings([opened.known.near[0]])[0]
    assert opened.unknown_words("cathedral") == []


def test_words_are_compared_with_what_captions_often_use(data):
    told = known.describe(data.params, {"glossy": 3, "glosy": 1, "photo": 9, "with": 9})
    assert told.near == ("glossy",)
    assert set(told.words) == {"glossy", "glosy", "photo", "with"}
    assert all(others == () for others in told.nouns.values())


def test_known_begins_above_foreign_words_and_below_most_synonyms():
    synonyms = torch.linspace(0.5, 1, 11)
    assert known.threshold(torch.tensor([0.1, 0.3]), synonyms) == pytest.approx((0.3 + 0.55) / 2)
    assert 0.7 < known.threshold(torch.tensor([0.1, 0.7]), synonyms) < 0.71  # foreign words come first
    assert known.threshold(torch.tensor([0.1, 0.3]), torch.empty(0)) == pytest.approx(0.35)


def test_only_the_judge_reads_withheld_words(data):
    nouns = captions.withheld_nouns()
    params = next(p for p in data.params if p["family"] in nouns)
    (noun,) = nouns[params["family"]]
    draw = np.random.default_rng(0)
    guide, judge = (clip_stage(data, withheld=c.withheld) for c in (clip.GUIDE, clip.JUDGE))
    assert any(noun in judge._caption(params, draw) for _ in range(300))
    assert not any(noun in guide._caption(params, draw) for _ in range(300))
