"""The two gradient tricks, against numbers worked out by hand."""

from __future__ import annotations

import torch

from engine.models.grad import clamp_with_grad, replace_grad


def test_replace_grad_takes_value_from_one_and_gradient_to_the_other():
    value = torch.tensor([5.0, 6.0], requires_grad=True)
    slot = torch.tensor([1.0, 2.0], requires_grad=True)
    out = replace_grad(value, slot)
    assert out.tolist() == [5.0, 6.0]
    (out * torch.tensor([10.0, 20.0])).sum().backward()
    assert slot.grad.tolist() == [10.0, 20.0]
    assert value.grad is None


def test_clamp_with_grad_lets_burnt_out_values_come_back():
    """Descent subtracts the gradient: above the range a positive one leads back, below a negative one."""
    x = torch.tensor([-1.0, -1.0, 0.5, 2.0, 2.0], requires_grad=True)
    out = clamp_with_grad(x, 0, 1)
    assert out.tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]
    (out * torch.tensor([3.0, -3.0, 3.0, 3.0, -3.0])).sum().backward()
    assert x.grad.tolist() == [0.0, -3.0, 3.0, 3.0, 0.0]
