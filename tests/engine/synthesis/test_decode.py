"""Which decoded channel becomes which map: by the names that a pack gives them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.material.relief import decode_relief
from engine.models.vqgan import TORUS, VQGAN
from engine.settings import RunSettings
from engine.synthesis.decode import STRETCH, decode_maps, spread

CHANNELS = ("red", "green", "blue", "height", "roughness", "metallic", "emission", "relief")
SETTINGS = RunSettings(prompt="lava", seed=1)


@pytest.fixture
def dull_pack(tiny_pack):
    """A pack from before emission: one channel less."""
    torch.manual_seed(3)
    cfg = tiny_pack.generator.cfg.model_copy(update={"in_channels": 7, "out_ch": 7})
    channels = tuple(name for name in CHANNELS if name != "emission")
    return replace(tiny_pack, channels=channels, generator=VQGAN(cfg).eval())


def latent(pack):
    return pack.generator.lookup(torch.arange(2 * 4 * 4).view(2, 4, 4) % 32)


def test_every_channel_is_the_map_of_its_name(tiny_pack):
    z = latent(tiny_pack)
    maps = decode_maps(z, SETTINGS, tiny_pack, TORUS)
    x = tiny_pack.generator.decode(z, TORUS)
    assert torch.equal(maps.basecolor, x[:, :3])
    assert torch.equal(maps.height, spread(x[:, 3:4]))
    for name in ("roughness", "metallic", "emission"):
        assert torch.equal(getattr(maps, name), x[:, CHANNELS.index(name)][:, None]), name
    assert maps.emission.max() > 0
    torch.testing.assert_close(maps.relief, decode_relief(x[:, 7].mean((1, 2))))


def test_without_a_channel_for_it_nothing_glows(dull_pack):
    z = latent(dull_pack)
    maps = decode_maps(z, SETTINGS, dull_pack, TORUS)
    assert maps.emission.shape == maps.height.shape
    assert maps.emission.count_nonzero() == 0
    relief = dull_pack.generator.decode(z, TORUS)[:, 6].mean((1, 2))
    torch.testing.assert_close(maps.relief, decode_relief(relief))


def test_heights_are_stretched_to_span_their_range_but_not_from_nothing():
    ramp = torch.linspace(0, 1, 4096).view(1, 1, 64, 64)
    tame = torch.cat([0.3 + 0.5 * ramp, 0.45 + 0.1 * ramp])
    wide, slight = spread(tame)
    assert wide.min() == 0 and wide.max() == 1
    torch.testing.assert_close(wide.mean(), torch.tensor(0.5), atol=1e-3, rtol=0)
    assert slight.max() - slight.min() == pytest.approx(0.1 * STRETCH, rel=1e-3)
    torch.testing.assert_close(spread(tame.roll(9, 3)), spread(tame).roll(9, 3))
