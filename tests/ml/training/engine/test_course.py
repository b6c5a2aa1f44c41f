"""Under a time limit the schedule comes to its end when the time does, however fast the computer is."""

from __future__ import annotations

import pytest

from medview.ml.training.engine.course import Bearing, Course
from medview.ml.training.engine.pace import FULL, Pace

LOOK_S, EVERY, CORRECT = 4.0, 50, 16


def pace(deadline_s: float | None, steps: int = 1000) -> Pace:
    return Pace(steps, EVERY, FULL, 1.0, LOOK_S, deadline_s)


class Walk:
    """A training whose steps take what is said, on a clock of its own."""

    def __init__(self, deadline_s: float | None, steps: int = 1000) -> None:
        self.seconds, self.made = 0.0, 0
        self.course = Course(pace(deadline_s, steps), Bearing(), lambda: self.seconds, lambda stride: stride)

    def go(self, step_s: float, steps: int = 10**6, *, until_s: float = 10**9, look_s: float = LOOK_S) -> None:
        for _ in range(steps):
            if self.course.over or self.seconds > until_s:
                return
            self.seconds += step_s
            self.made += 1
            self.course.went()
            if self.made % EVERY == 0:
                self.seconds += look_s
                self.course.looked(look_s)
            if self.made % CORRECT == 0 or self.made % EVERY == 0:
                self.course.correct()


def test_without_a_limit_every_step_is_one_that_was_planned() -> None:
    walk = Walk(None)
    walk.go(1.0, 400)
    walk.go(50.0)
    assert (walk.made, walk.course.place, walk.course.done) == (1000, 1000.0, 1.0)


def test_a_computer_as_quick_as_planned_makes_about_the_planned_steps() -> None:
    walk = Walk(1000 * (1.0 + LOOK_S / EVERY) / 0.94)
    walk.go(1.0)
    assert walk.made == pytest.approx(1000, rel=0.07)


@pytest.mark.parametrize("slower", [0.2, 0.5, 3.0, 8.0])
def test_the_end_of_the_schedule_is_reached_just_before_the_time_is_over(slower: float) -> None:
    walk = Walk(1200.0)
    walk.go(1.0, 100)
    walk.go(slower, until_s=1200.0)
    assert walk.course.over
    # The clock ends a training whose last step is late.
    assert 0.85 * 1200.0 < walk.seconds <= 1200.0 + LOOK_S


def test_where_looks_take_longer_than_planned_steps_end_earlier_since_finishing_takes_looks_too() -> None:
    walk = Walk(1200.0)
    assert walk.course.deadline_s == 1200.0
    walk.go(1.0, look_s=7 * LOOK_S, until_s=1200.0)
    assert walk.course.over
    # Four looks more than was planned for each of them are left.
    assert walk.course.deadline_s == 1200.0 - 4 * 6 * LOOK_S
    assert 0.8 * 1200.0 < walk.seconds <= 1200.0 - 4 * 6 * LOOK_S + 7 * LOOK_S


def test_it_goes_up_and_down_with_the_computer() -> None:
    walk = Walk(3000.0)
    for slower in (1.0, 6.0, 0.3, 2.0):
        walk.go(slower, until_s=walk.seconds + 600.0)
    walk.go(1.0, until_s=3000.0)
    assert walk.course.over
    assert walk.seconds <= 3000.0


def test_a_later_life_goes_on_where_the_first_left_off() -> None:
    walk = Walk(1200.0)
    walk.go(1.5, 300)
    bearing = walk.course.bearing
    assert bearing.stride > 1.0
    again = Course(pace(1200.0), bearing, lambda: walk.seconds, lambda stride: stride)
    assert (again.place, again.steps_left) == (walk.course.place, walk.course.steps_left)


def test_the_first_process_sets_the_course_of_all() -> None:
    seconds = [0.0]
    course = Course(pace(1000.0), Bearing(), lambda: seconds[0], lambda _own: 2.5)
    for _ in range(CORRECT):
        seconds[0] += 5.0
        course.went()
    course.correct()
    assert course.bearing.stride == 2.5
