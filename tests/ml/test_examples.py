"""What a labelled dataset says of itself to the packs that learn from it."""

from __future__ import annotations

from medview.ml.examples import LONGEST_LICENCE, ExampleSet
from medview.ml.spec import Task


def test_a_licence_is_as_long_as_packs_hold_and_one_that_is_missing_is_said() -> None:
    whole = ExampleSet(Task.DETECTION, (), (), (), licence="CC BY 4.0")
    assert whole.stated_licence == "CC BY 4.0"
    assert ExampleSet(Task.DETECTION, (), (), ()).stated_licence == "No licence is stated."
    long = ExampleSet(Task.DETECTION, (), (), (), licence="As told by the clinic. " * 30)
    assert long.stated_licence == long.licence[:LONGEST_LICENCE]
