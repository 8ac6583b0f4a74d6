"""Runs that do not fit into memory at once: the same pictures in groups, or a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine import compute
from engine.errors import OutOfMemory
from engine.settings import RunSettings
from engine.synthesis.groups import synthesize_in_groups
from engine.synthesis.memory import Cost, at_once, cost_of
from engine.synthesis.run import synthesize


def settings(**changes):
    plain = {"prompt": "red bricks", "pack": "tiny", "seed": 5, "variations": 3, "width": 128, "height": 128}
    return RunSettings(**{**plain, "steps": 2, "cutouts": 2, "proposals": 1, "judge_views": 2, **changes})


def run(phases):
    """What comes of it, and the phases on the way."""
    seen = []
    while True:
        try:
            seen.append(next(phases))
        except StopIteration as end:
            return end.value, seen


def same(a, b):
    assert (a.seeds, a.origins, a.order, a.warnings) == (b.seeds, b.origins, b.order, b.warnings)
    for name, x in vars(a.maps).items():
        torch.testing.assert_close(x, vars(b.maps)[name], rtol=0, atol=1e-4, msg=name)
    torch.testing.assert_close(a.judge_scores, b.judge_scores, rtol=0, atol=1e-4)


@pytest.fixture(scope="module")
def at_one_go(tiny_pack):
    """What comes of `settings` where memory is no matter, and the phases on the way."""
    return run(synthesize(settings(), tiny_pack))


def test_groups_make_the_same_pictures(tiny_pack, at_one_go):
    whole, _ = at_one_go
    least = cost_of(tiny_pack).of_variation(settings())
    for budget in (1, 2 * least):
        grouped, seen = run(synthesize_in_groups(settings(), tiny_pack, budget=budget))
        assert [w.split(":")[0] for w in grouped.warnings] == (["Memory is short"] if budget == 1 else [])
        same(replace(grouped, warnings=[]), whole)
        guided = [p for p in seen if p.name == "guide"]
        steps = [p.step for p in guided]
        assert steps == sorted(set(steps)) and steps[-1] == guided[-1].total
        assert {p.first for p in guided} == ({0, 1, 2} if budget == 1 else {0, 2})


def test_what_fits_is_left_as_it_is(tiny_pack, at_one_go):
    whole, seen = at_one_go
    plain, again = run(synthesize_in_groups(settings(), tiny_pack, budget=1 << 40))
    same(plain, whole)
    assert [(p.name, p.step, p.total) for p in again] == [(p.name, p.step, p.total) for p in seen]


def short_of(most, error):
    """A synthesis that does not fit with more than so many variations."""

    def try_to(s, pack, *rest, **files):
        phases = synthesize(s, pack, *rest, **files)
        yield next(phases)
        if s.variations > most:
            raise error
        return (yield from phases)

    return try_to


def of_the_allocator():
    """What PyTorch raises on this machine's CPU for more than any machine has: 2^50 bytes."""
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 50, dtype=torch.uint8)
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("DefaultCPUAllocator: not enough memory"),
        RuntimeError("MPS backend out of memory (MPS allocated: 5.5 GB, max allowed: 6.8 GB)."),
        MemoryError("Unable to allocate 1.00 PiB"),
        of_the_allocator(),
    ],
    ids=["cuda", "cpu on Windows", "mps", "numpy", "cpu here"],
)
def test_memory_that_runs_out_halves_the_group_and_is_said(tiny_pack, at_one_go, error):
    whole, _ = at_one_go
    made, _ = run(synthesize_in_groups(settings(), tiny_pack, synthesize=short_of(1, error)))
    assert made.seeds == whole.seeds
    torch.testing.assert_close(made.maps.basecolor, whole.maps.basecolor, rtol=0, atol=1e-4)
    assert made.warnings[-1] == "Memory was short, so that 1 of the variations were made at once."


def test_one_variation_too_large_is_refused_with_a_way_out(tiny_pack):
    phases = synthesize_in_groups(
        settings(width=512), tiny_pack, synthesize=short_of(0, torch.OutOfMemoryError("no"))
    )
    with pytest.raises(OutOfMemory, match="512 x 128 pixels does not fit") as caught:
        run(phases)
    assert (caught.value.remedy.setting, caught.value.remedy.value) == ("width", 256)


def test_one_variation_that_does_not_fit_saves_memory_first(tiny_pack):
    """Only then, and only as long; what runs out of memory all the same tries it, too."""
    least = cost_of(tiny_pack).of_variation(settings())
    for budget, lean in ((least, False), (least - 1, True)):
        phases = synthesize_in_groups(settings(), tiny_pack, budget=budget)
        assert next(phases).name == "propose" and tiny_pack.generator.lean is lean
        phases.close()  # as a job that is cancelled does
        assert not tiny_pack.generator.lean

    def only_if_lean(s, pack, *rest, **files):
        if not pack.generator.lean:
            raise torch.OutOfMemoryError("no")
        return (yield from synthesize(s, pack, *rest, **files))

    one = settings(variations=1)
    whole, _ = run(synthesize(one, tiny_pack))
    made, _ = run(synthesize_in_groups(one, tiny_pack, synthesize=only_if_lean))
    torch.testing.assert_close(made.maps.basecolor, whole.maps.basecolor, rtol=0, atol=1e-4)
    assert made.warnings


def test_the_estimate_is_of_the_way_that_was_taken(tiny_pack):
    cost = cost_of(tiny_pack)
    plain, lean = cost.of_variation(settings()), cost.of_variation(settings(), lean=True)
    assert 0 < lean < plain
    for budget, estimated in ((3 * plain, 3 * plain), (plain, plain), (plain - 1, lean)):
        made, _ = run(synthesize_in_groups(settings(), tiny_pack, budget=budget))
        assert (made.estimated, made.warnings) == (estimated, [])
    unknown, _ = run(synthesize_in_groups(settings(variations=1), tiny_pack))
    assert unknown.estimated is None


def test_what_does_not_even_fit_with_memory_before_time_is_said(tiny_pack):
    """And tried: an estimate is none of what runs out."""
    one = settings(variations=1)
    lean = cost_of(tiny_pack).of_variation(one, lean=True)
    made, _ = run(synthesize_in_groups(one, tiny_pack, budget=lean - 1))
    assert made.estimated == lean
    (said,) = made.warnings
    assert f"one variation takes about {lean / 1e6:,.0f} MB" in said and "make it smaller" in said


def test_a_block_is_kept_whole_only_while_it_is_measured(tiny_pack):
    Cost.of(tiny_pack, (True, True))
    assert not tiny_pack.generator.lean


def test_the_way_out_is_a_size_that_the_pack_can_make(tiny_pack):
    phases = synthesize_in_groups(
        settings(width=272 + 8), tiny_pack, synthesize=short_of(0, torch.OutOfMemoryError("no"))
    )
    with pytest.raises(OutOfMemory) as caught:
        run(phases)
    assert caught.value.remedy.value == 136


def test_candidates_that_are_too_many_are_what_to_change(tiny_pack):
    many = settings(candidates=8)
    phases = synthesize_in_groups(many, tiny_pack, synthesize=short_of(0, torch.OutOfMemoryError("no")))
    with pytest.raises(OutOfMemory, match="8 candidates of 128 x 128") as caught:
        run(phases)
    assert (caught.value.remedy.setting, caught.value.remedy.value) == ("candidates", 4)


def test_other_errors_are_what_they_are(tiny_pack):
    with pytest.raises(RuntimeError, match="shape"):
        run(synthesize_in_groups(settings(), tiny_pack, synthesize=short_of(0, RuntimeError("shape"))))


@pytest.mark.parametrize("start", ["exemplar", "prior", "codes"])
def test_any_number_of_whole_codes_is_a_size(tiny_pack, start):
    """17 codes of 8 pixels: no multiple of 16."""
    assert tiny_pack.step_px == 8
    one = settings(width=136, variations=1, steps=1, start=start)
    made, _ = run(synthesize(one, tiny_pack))
    assert made.maps.basecolor.shape == (1, 3, 128, 136) and made.maps.height.shape[-1] == 136


def test_a_prior_that_writes_blocks_wants_whole_ones(tiny_pack, stream_prior):
    assert replace(tiny_pack, prior=stream_prior).step_px == 16
    assert replace(tiny_pack, prior=None).step_px == 8


def test_memory_grows_with_pixels_and_views(tiny_pack):
    cost = Cost.of(tiny_pack, (True, True))
    assert cost.pixel > 0 and cost.view > 0
    small, large = (cost.of_variation(settings(width=side, height=side)) for side in (128, 256))
    assert 3 < (large - 2 * cost.view) / (small - 2 * cost.view) < 5
    assert at_once(settings(variations=8), cost, 3 * small) == 3
    assert at_once(settings(variations=8), cost, 0) == 1


def test_free_memory_is_known():
    free = compute.budget(torch.device("cpu"))
    assert free is not None and free > 1 << 26
