"""A mask: what is black stays to the last bit, and the border around the white wraps."""

from __future__ import annotations

import torch

from engine.material.maps import DecodedMaps
from engine.models.vqgan import PLANE, TORUS
from engine.settings import RunSettings
from engine.synthesis.edits import Edits, Stored
from engine.synthesis.mask import blend, softened
from engine.synthesis.run import synthesize

F = 8


def corner(side=128):
    """White in the top left corner alone."""
    mask = torch.zeros(1, 1, side, side)
    mask[..., :40, :40] = 1
    return mask


def noise(*shape, seed=1):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def maps(seed=1, relief=0.05, batch=1, side=128):
    rows = [noise(batch, c, side, side, seed=seed + c) for c in (3, 1, 1, 1, 1)]
    return DecodedMaps(*rows, relief=torch.full((batch,), relief))


def run(pack, edits, **changes):
    base = {"prompt": "red bricks", "seed": 5, "variations": 2, "width": 128, "height": 128, "steps": 3}
    base |= {"lr": 0.2, "cutouts": 2, "judge_views": 2}
    job = synthesize(RunSettings(**{**base, **changes}), pack, edits=edits)
    while True:
        try:
            next(job)
        except StopIteration as end:
            return end.value


def test_the_border_is_narrow_and_wraps():
    soft = softened(corner(), F, TORUS)[0, 0]
    assert soft[20, 20] == 1
    assert soft[39, 20] > 0.4 > soft[40, 20] - 0.1
    assert (soft[40 + F :, 40 + F :][:-F, :-F] == 0).all()
    assert 0 < soft[-1, 20] < 1, "white at the top blends at the bottom, too"
    assert 0 < soft[20, -1] < 1
    assert softened(corner(), F, PLANE)[0, 0, -1, 20] == 0


def test_rolling_the_mask_rolls_the_border():
    rolled = softened(corner().roll((13, -50), (-2, -1)), F, TORUS)
    torch.testing.assert_close(rolled, softened(corner(), F, TORUS).roll((13, -50), (-2, -1)))


def test_what_is_black_is_the_stored_results_bit_for_bit(tiny_pack):
    stored = maps()
    edits = Edits(stored=Stored(stored, "picture", 5), mask=corner()[0])
    kept = softened(corner(), F, TORUS)[0, 0] == 0
    for start in ("auto", "exemplar", "noise"):
        result = run(tiny_pack, edits, start=start, strength=1.0)
        assert kept.float().mean() > 0.7
        for name in ("basecolor", "height", "roughness", "metallic", "emission"):
            new, old = getattr(result.maps, name), getattr(stored, name)
            assert torch.equal(new[..., kept], old[..., kept].expand_as(new[..., kept])), (start, name)
        assert result.maps.relief.tolist() == stored.relief.tolist() * 2
        free = softened(corner(), F, TORUS)[0, 0] == 1
        assert not torch.equal(result.maps.basecolor[:1, :, free], stored.basecolor[..., free])


def test_without_a_picture_the_mask_keeps_the_beginning(tiny_pack):
    edits = Edits(mask=corner()[0])
    kept = softened(corner(), F, TORUS)[0, 0] == 0
    guided, begun = (run(tiny_pack, edits, steps=n).maps.basecolor for n in (6, 0))
    assert torch.equal(guided[..., kept], begun[..., kept])
    assert not torch.equal(guided, begun)


def test_only_what_is_free_is_guided(tiny_pack):
    """Nothing free, nothing changes: the result is the picture, whatever the steps."""
    stored = maps()
    edits = Edits(stored=Stored(stored, "picture", 5), mask=torch.zeros(1, 128, 128))
    result = run(tiny_pack, edits)
    assert torch.equal(result.maps.basecolor, stored.basecolor.expand(2, -1, -1, -1))
    assert result.origins == ["edit: picture"] * 2


def test_new_heights_come_to_the_originals_scale():
    """Half as deep a relief is half as high a wave in the original's units."""
    original, new = maps(relief=0.1), maps(seed=9, relief=0.05)
    both = blend(original, new, torch.ones(1, 1, 128, 128))
    torch.testing.assert_close(both.height, 0.5 + (new.height - 0.5) / 2)
    assert both.relief == original.relief
    deep = blend(original, maps(seed=9, relief=0.4), torch.ones(1, 1, 128, 128))
    torch.testing.assert_close(deep.height, new.height)  # as deep as there is room for, and not cut off
    flat = maps(relief=0.0)
    assert blend(flat, new, torch.ones(1, 1, 128, 128)).relief == new.relief
