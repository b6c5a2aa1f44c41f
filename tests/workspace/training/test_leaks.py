"""What stands in the way of an honest split is left out, and no more than that."""

from __future__ import annotations

from medview.core.job import Inline
from medview.ml.guards.guard import guard
from medview.workspace.training.leaks import leaking, without
from tests.ml.guards.test_guard import case, labelled, sound, volume


def test_of_each_pair_the_one_that_is_learnt_from_before_goes_and_validation_stays_where_only_training_leaks() -> None:
    shared, locked = volume(50), volume(51)
    examples = labelled(
        [
            *sound(),
            case(10, "P10", "train", shared),
            case(11, "P11", "val", shared),
            case(12, "P12", "val", locked),
            case(13, "P13", "test", locked),
            case(14, "P2", "val"),
        ]
    )
    report = guard(examples, Inline())
    gone = leaking(report, examples)
    # case_2 is P2's training case; case_11 and case_14 are validated on, case_13 stays locked.
    assert gone == {"case_2", "case_10", "case_12"}
    assert not guard(without(examples, gone), Inline()).blocked


def test_a_sound_split_loses_nothing() -> None:
    examples = labelled(sound())
    assert leaking(guard(examples, Inline()), examples) == frozenset()
