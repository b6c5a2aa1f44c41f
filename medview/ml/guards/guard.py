"""All guards, run over a labelled dataset before it is learnt from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from medview.core.job import JobContext
from medview.ml.examples import ExampleSet
from medview.ml.guards.amounts import class_counts, enough, split_counts
from medview.ml.guards.facts import ExampleFacts, facts_of
from medview.ml.guards.finding import GuardFinding, GuardReport, Severity
from medview.ml.guards.leaks import same_patient, same_pixels, unreviewed
from medview.ml.guards.outliers import unlike
from medview.ml.guards.parent import other_than_parent
from medview.ml.spec import ModelSpec, Task

GUARDS: tuple[Callable[[Sequence[ExampleFacts], ExampleSet], Iterator[GuardFinding]], ...] = (
    same_patient,
    same_pixels,
    unreviewed,
    enough,
    unlike,
)

UNITS = {Task.DETECTION: "boxes", Task.CLASSIFICATION: "images"}


def guard(
    examples: ExampleSet,
    context: JobContext,
    parent: ModelSpec | None = None,
    renames: Mapping[str, str] | None = None,
) -> GuardReport:
    """Look at every example once and say what speaks against training on them; belongs into a worker.

    Of test examples only the pixels, the counts and the patients are looked at, so that they are known to be no others.

    Parameters
    ----------
    parent : ModelSpec, optional
        Of the model that training begins from.
    renames : mapping of str to str, optional
        Name of a class in that model -> name now.

    Raises
    ------
    MedViewError
        When an example cannot be read.
    """
    facts = facts_of(examples, context)
    findings = [finding for one in GUARDS for finding in one(facts, examples)]
    if parent is not None:
        findings += other_than_parent(facts, examples, parent, renames)
    order = list(Severity)
    findings.sort(key=lambda finding: order.index(finding.severity))
    return GuardReport(
        tuple(findings), class_counts(facts, examples), split_counts(facts), UNITS.get(examples.task, "voxels")
    )
