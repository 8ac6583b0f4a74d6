"""How words and pictures share in the choice of an exemplar."""

from __future__ import annotations

import torch

from engine.synthesis.wish import mixed

# what the words call, what is of its kind, what is neither, and many others
WORDS = torch.tensor([0.9, 0.35, 0.0, *torch.linspace(-0.2, 0.2, 200).tolist()])
LOOKS = torch.tensor([0.2, 0.85, 0.95, *torch.linspace(-0.2, 0.2, 200).tolist()])
CALLED, KIN, STRANGE = 0, 1, 2


def best(weight):
    return int(mixed(WORDS, [LOOKS], [1.0, weight]).argmax())


def test_a_light_picture_leaves_what_is_called_so_and_a_heavy_one_takes_its_own():
    assert best(0.1) == CALLED
    assert best(10.0) == STRANGE


def test_at_even_weights_it_is_of_the_kind_that_words_name_and_looks_like_the_picture():
    assert best(1.0) == KIN


def test_several_pictures_count_by_their_weights():
    other = LOOKS.flip(0)
    one = mixed(WORDS, [LOOKS, other], [1.0, 3.0, 0.1]).argmax()
    two = mixed(WORDS, [LOOKS, other], [1.0, 0.1, 3.0]).argmax()
    assert one in (KIN, STRANGE) and len(WORDS) - 1 - two in (KIN, STRANGE)
    some = torch.tensor([CALLED, KIN, STRANGE])
    few = mixed(WORDS[some], [LOOKS[some]], [1.0, 1.0], among=(WORDS, [LOOKS]))
    torch.testing.assert_close(few, mixed(WORDS, [LOOKS], [1.0, 1.0])[some])
    alike = torch.full_like(LOOKS, 0.3)
    assert torch.isfinite(mixed(WORDS, [alike], [1.0, 1.0])).all(), "a picture that is as near to all"
