"""Whether there is enough of everything to learn it and to judge it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from medview.ml.examples import ExampleSet
from medview.ml.guards.facts import ExampleFacts
from medview.ml.guards.finding import ClassCount, GuardFinding, Severity, SplitCount, counted
from medview.ml.spec import Task

SPLITS = ("train", "val", "test")
TITLES = {"train": "training", "val": "validation", "test": "test"}
FEWEST_PATIENTS = 2


def class_counts(facts: Sequence[ExampleFacts], examples: ExampleSet) -> tuple[ClassCount, ...]:
    """Return the table of classes, in their order, by split."""
    rows = []
    for n, one in enumerate(examples.classes):
        for split in _splits(facts):
            own = [fact for fact in facts if fact.split == split]
            held = [fact for fact in own if fact.amounts[n]]
            rows.append(
                ClassCount(
                    one.name,
                    split,
                    len(held),
                    _patients(held),
                    sum(fact.amounts[n] for fact in held),
                    sum(not fact.known[n] for fact in own),
                )
            )
    return tuple(rows)


def split_counts(facts: Sequence[ExampleFacts]) -> tuple[SplitCount, ...]:
    """Return how many cases and patients each split has."""
    own = {split: [fact for fact in facts if fact.split == split] for split in _splits(facts)}
    return tuple(SplitCount(split, len(held), _patients(held)) for split, held in own.items())


def enough(facts: Sequence[ExampleFacts], examples: ExampleSet) -> Iterator[GuardFinding]:
    """Splits without cases or labels, classes that nobody or one patient shows."""
    for split in ("train", "val"):
        own = [fact for fact in facts if fact.split == split]
        if not own:
            yield GuardFinding(
                "no-cases",
                Severity.BLOCK,
                f"There is no {TITLES[split]} case; put some patients into {TITLES[split]} and export again.",
            )
            continue
        empty = [fact.key for fact in own if _silent(fact, examples.task)]
        if len(empty) == len(own):
            yield GuardFinding(
                "empty",
                Severity.BLOCK,
                f"Nothing is labelled in any {TITLES[split]} case; label some first.",
                tuple(empty),
            )
            continue
        if examples.task is not Task.CLASSIFICATION and 2 * len(empty) > len(own):
            yield GuardFinding(
                "empty",
                Severity.WARN,
                f"{len(empty)} of {len(own)} {TITLES[split]} cases have no label at all; leave them out unless there is "
                "really nothing in them.",
                tuple(empty),
            )
        yield from _classes(own, split, examples)


def _silent(fact: ExampleFacts, task: Task) -> bool:
    """Whether an example says nothing; that a class is absent is an answer."""
    return not any(fact.known) if task is Task.CLASSIFICATION else fact.empty


def _classes(own: Sequence[ExampleFacts], split: str, examples: ExampleSet) -> Iterator[GuardFinding]:
    for n, one in enumerate(examples.classes):
        held = [fact for fact in own if fact.amounts[n]]
        lack = [fact for fact in own if fact.known[n] and not fact.amounts[n]]
        patients = len({fact.group for fact in held})
        if not held and split == "train":
            yield GuardFinding(
                "no-examples",
                # Those of masks learn the other classes all the same; no others can be planned.
                Severity.BLOCK if examples.task in (Task.DETECTION, Task.CLASSIFICATION) else Severity.CONFIRM,
                f"No training case shows {one.name}, so it cannot be learnt; label it somewhere or take it out.",
            )
        elif not lack and split == "train" and examples.task is Task.CLASSIFICATION:
            yield GuardFinding(
                "no-examples",
                Severity.BLOCK,
                f"All training cases have {one.name}, so nothing can be learnt of how it differs; add some without it.",
            )
        elif not held:
            yield GuardFinding(
                "no-examples",
                Severity.CONFIRM,
                f"No validation case shows {one.name}, so nothing will be known of how well it is found; put a patient who "
                "has it into validation.",
            )
        elif patients < FEWEST_PATIENTS and split == "train":
            yield GuardFinding(
                "few-patients",
                Severity.CONFIRM,
                f"All training examples of {one.name} are of one patient ({counted(len(held), 'case', 'cases')}); a model "
                "learns that patient: label it in others too.",
                tuple(fact.key for fact in held),
            )


def _patients(facts: Sequence[ExampleFacts]) -> int | None:
    patients = {fact.patient for fact in facts}
    return None if "" in patients else len(patients)


def _splits(facts: Sequence[ExampleFacts]) -> list[str]:
    there = {fact.split for fact in facts}
    return [split for split in SPLITS if split in there] + sorted(there - set(SPLITS))
