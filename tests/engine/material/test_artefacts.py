"""Each fault, put into a good picture, is named; the good picture is not blamed."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from engine.material.artefacts import FLAGS, flags, measures
from tests.engine.material.surfaces import waves

N = 128


def draw(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def good(n=N):
    """Waves with detail: power falls evenly with frequency, as in a photograph."""
    f = torch.hypot(torch.fft.fftfreq(n)[:, None], torch.fft.rfftfreq(n)[None]).clamp(min=1 / n)
    grain = torch.fft.irfft2(torch.fft.rfft2(draw(1, 1, n, n)) / f**1.2, s=(n, n))
    grey = 0.5 + 0.1 * (grain / grain.std()) + 0.05 * (waves(n, n) - 0.5)
    return (grey * torch.tensor([1.0, 0.9, 0.8]).view(1, 3, 1, 1)).clamp(0.02, 0.98)


def checkered(x):
    y, z = torch.meshgrid(torch.arange(N), torch.arange(N), indexing="ij")
    return x + 0.02 * (1 - 2 * ((y + z) % 2))


FAULTS = {
    "flat": lambda x: x.mean((2, 3), keepdim=True).expand_as(x),
    "crushed": lambda x: (x > 0.45).float().amax(1, keepdim=True).expand_as(x),
    "blurred": lambda x: F.interpolate(F.avg_pool2d(x, 16), (N, N), mode="bilinear"),
    "noisy": lambda x: x + 0.1 * draw(1, 1, N, N),
    "checkerboard": checkered,
    "speckled": lambda x: x + 0.1 * draw(1, 3, N, N),
    "uneven": lambda x: x * torch.linspace(0.2, 1, N)[:, None],
}


def test_a_good_picture_has_no_flag():
    assert flags(measures(good())) == [()]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(fault):
    assert fault in flags(measures(FAULTS[fault](good())))[0]
    assert set(FAULTS) == {"flat", *(name for name, *_ in FLAGS)}


def test_a_row_does_not_depend_on_its_neighbours_nor_on_its_shape():
    rows = torch.cat([good(), FAULTS["noisy"](good()), FAULTS["blurred"](good())])
    together, alone = measures(rows), measures(rows[1:2])
    for name, found in together.items():
        torch.testing.assert_close(found[1], alone[name][0], msg=name)
    wide = measures(torch.cat([good(), good()], 3))
    assert wide["contrast"][0] == pytest.approx(float(together["contrast"][0]), rel=1e-6)
    assert flags(wide) == [()]


def test_the_slope_is_that_of_the_spectrum():
    """Power that falls with the 2.4th power of frequency, by construction."""
    f = torch.hypot(torch.fft.fftfreq(N)[:, None], torch.fft.rfftfreq(N)[None]).clamp(min=1 / N)
    grain = torch.fft.irfft2(torch.fft.rfft2(draw(1, 1, N, N)) / f**1.2, s=(N, N))
    found = measures((0.5 + 0.1 * grain / grain.std()).expand(1, 3, N, N))
    assert found["slope"][0] == pytest.approx(-2.4, abs=0.15)


def test_the_checkerboards_amplitude_is_measured():
    assert measures(checkered(good()))["checkerboard"][0] == pytest.approx(0.02, rel=0.05)
    columns = good() + 0.03 * (1 - 2 * (torch.arange(N) % 2))
    assert measures(columns)["checkerboard"][0] == pytest.approx(0.03, rel=0.05)
