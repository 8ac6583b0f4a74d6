"""Figures for people: they come from a clock, here from one that does as it is told."""

from __future__ import annotations

import pytest

from engine.progress import Stopwatch


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_seconds_left_are_the_missing_steps_and_what_follows():
    clock = Clock()
    watch = Stopwatch(after_guide=0.4, after_guide_s=3.0, clock=clock)
    clock.now = 5.0
    assert watch.tick("load", 1, 1).seconds_left is None
    clock.now = 7.0
    news = watch.tick("guide", 1, 10, 0.5)
    assert (news.steps_per_second, news.seconds_left) == (0.5, 2.0 * (9 + 4) + 3.0)
    for step in range(2, 11):
        clock.now += 2.0
        news = watch.tick("guide", step, 10)
    assert news.seconds_left == pytest.approx(2.0 * 4 + 3.0)
    clock.now += 8.0
    assert watch.tick("rank", 1, 1).seconds_left == pytest.approx(3.0)
    clock.now += 1.0
    assert watch.tick("write", 1, 2).seconds_left == pytest.approx(2.0)
    assert watch.tick("write", 2, 2).seconds_left == 0.0  # over, whatever the allowance was


def test_steps_that_cost_more_are_weighed():
    """Six steps of a second, and two that cost four times as much: 14 seconds, and known from the first."""
    clock = Clock()
    watch = Stopwatch(clock=clock)
    left = []
    for step in range(1, 9):
        clock.now += 1.0 if step <= 6 else 4.0
        left.append(
            watch.tick("guide", step, 8, work=min(step, 6) / 14 + max(0, step - 6) * 4 / 14).seconds_left
        )
    assert left == pytest.approx([13, 12, 11, 10, 9, 8, 4, 0], abs=1e-6)


def test_a_run_that_goes_on_does_not_take_what_was_done_before_for_speed():
    clock = Clock()
    watch = Stopwatch(clock=clock)
    clock.now = 2.0
    assert watch.tick("guide", 6, 10).seconds_left is None
    clock.now = 4.0
    assert watch.tick("guide", 7, 10).seconds_left == pytest.approx(6.0)


def test_groups_take_several_steps_at_once():
    clock = Clock()
    watch = Stopwatch(clock=clock)
    clock.now = 2.0
    assert watch.tick("guide", 2, 20).seconds_left is None
    clock.now = 4.0
    assert watch.tick("guide", 4, 20).seconds_left == pytest.approx(16.0)


def test_an_allowance_that_was_too_small_leaves_nothing_rather_than_less():
    clock = Clock()
    watch = Stopwatch(after_guide_s=1.0, clock=clock)
    watch.tick("guide", 1, 1)
    clock.now += 60.0
    assert watch.tick("rank", 1, 1).seconds_left == 0.0


def test_one_slow_step_does_not_throw_the_estimate():
    clock = Clock()
    watch = Stopwatch(clock=clock)
    for step in range(1, 21):
        clock.now += 1.0
        watch.tick("guide", step, 100)
    clock.now += 5.0
    assert watch.tick("guide", 21, 100).seconds_left == pytest.approx(79 * 1.8)


def test_phases_add_up_to_the_total():
    clock = Clock()
    watch = Stopwatch(clock=clock)
    for phase, took in {
        "load": 1.0,
        "propose": 2.0,
        "guide": 4.0,
        "rank": 0.5,
        "maps": 0.25,
        "write": 0.125,
    }.items():
        clock.now += took
        watch.tick(phase, 1, 1)
    seconds = watch.seconds()
    assert list(seconds) == ["load", "propose", "guide", "rank", "maps", "write", "total"]
    assert seconds["total"] == sum(seconds.values()) / 2 == 7.875
    assert watch.steps_per_second() == 0.25


def test_a_run_without_steps_has_no_speed():
    assert Stopwatch().steps_per_second() == 0.0
