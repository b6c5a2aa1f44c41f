"""Which class of a model is which of the labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from medview.core.errors import AmbiguousError
from medview.ml.examples import ExampleSet, TrainingClass
from medview.ml.lineage.class_map import plain_name
from medview.ml.outputs import ClassificationOutput, DetectionOutput, SegmentationOutput
from medview.ml.spec import ModelSpec, Task

ModelClass = tuple[str, tuple[str, str] | None]
"""Name and code (scheme, value) of what a model finds."""


@dataclass(frozen=True, slots=True)
class JudgedClass:
    """A class that the model finds and the labels have.

    Attributes
    ----------
    name : str
        As the model calls it.
    model : int
        Its place among the model's classes, from 0; of masks its value is one more.
    truth : int
        Its number in the examples, from 1.
    truth_name : str
        As the examples call it.
    """

    name: str
    model: int
    truth: int
    truth_name: str


def match_classes(spec: ModelSpec, examples: ExampleSet, *, common: bool = False) -> tuple[JudgedClass, ...]:
    """Pair the classes of a model with those of the examples: by code where both have one, else by name.

    Parameters
    ----------
    common : bool
        Classes that only one side has are left out.

    Raises
    ------
    AmbiguousError
        When a class has no counterpart, or none has with ``common``; says what each side has.
    """
    if spec.task is Task.INTERACTIVE:
        # It finds whatever is pointed at: all that the labels have.
        return tuple(JudgedClass(one.name, n, n + 1, one.name) for n, one in enumerate(examples.classes))
    mine, theirs = model_classes(spec), examples.classes
    taken = counterparts(mine, theirs)
    found = tuple(
        JudgedClass(name, n, taken[n], theirs[taken[n] - 1].name) for n, (name, _) in enumerate(mine) if n in taken
    )
    whole = len(found) == len(mine) == len(theirs)
    if not found or not (whole or common):
        alone = [name for n, (name, _) in enumerate(mine) if n not in taken]
        alone += [one.name for number, one in enumerate(theirs, start=1) if number not in taken.values()]
        remedy = "call them alike" if not found else "call them alike, or say --common to judge only what both have"
        raise AmbiguousError(
            f"{spec.name} finds {_listed([name for name, _ in mine])} and the labels are of "
            f"{_listed([one.name for one in theirs])}; {_listed(alone)} has no counterpart: {remedy}."
        )
    return found


def counterparts(mine: Sequence[ModelClass], theirs: Sequence[TrainingClass]) -> dict[int, int]:
    """Return which classes of examples, from 1, those of a model are, from 0; one without a counterpart is not in it.

    A code speaks for a class only if no other class on either side has it: a left and a right kidney may share theirs, and
    are told apart by their names.
    """
    taken: dict[int, int] = {}
    held = Counter(code for _, code in mine), Counter(_code(one) for one in theirs)

    def same_code(n: int, one: TrainingClass) -> bool:
        code = mine[n][1]
        return code is not None and code == _code(one) and all(counts[code] == 1 for counts in held)

    def same_name(n: int, one: TrainingClass) -> bool:
        return plain_name(mine[n][0]) == plain_name(one.name)

    for same in (same_code, same_name):
        for n in range(len(mine)):
            for number, one in enumerate(theirs, start=1):
                if n not in taken and number not in taken.values() and same(n, one):
                    taken[n] = number
    return taken


def model_classes(spec: ModelSpec) -> list[ModelClass]:
    """Return what a model finds, in its order."""
    output = spec.output
    if isinstance(output, SegmentationOutput):
        return [(one.name, None if one.code is None else (one.code.scheme, one.code.value)) for one in output.labels]
    if isinstance(output, DetectionOutput):
        return [(one.name, None) for one in output.classes]
    if isinstance(output, ClassificationOutput):
        return [(name, None) for name in output.classes]
    return []


def _code(one: TrainingClass) -> tuple[str, str] | None:
    return None if one.code is None else (one.code.get("scheme", ""), one.code.get("value", ""))


def _listed(names: Sequence[str], most: int = 12) -> str:
    shown = [name[:40] for name in names[:most]]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "") if shown else "nothing"
