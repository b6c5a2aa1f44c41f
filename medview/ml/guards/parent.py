"""Whether labels are those that an earlier model was trained on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from medview.ml.examples import ExampleSet
from medview.ml.guards.facts import ExampleFacts
from medview.ml.guards.finding import GuardFinding, Severity, listed
from medview.ml.lineage.channel_map import map_channels
from medview.ml.lineage.class_map import How, map_classes
from medview.ml.spec import ModelSpec, Task


def other_than_parent(
    facts: Sequence[ExampleFacts],
    examples: ExampleSet,
    parent: ModelSpec,
    renames: Mapping[str, str] | None = None,
) -> Iterator[GuardFinding]:
    """Say where task, channels, values or classes are not those of the model that training begins from.

    Raises
    ------
    AmbiguousError
        When classes are renamed that are none.
    """
    if parent.task is not examples.task:
        yield GuardFinding(
            "parent",
            Severity.BLOCK,
            f"{parent.name} is a model for {parent.task.value} and this is {examples.task.value}; begin from another "
            "model, or from none.",
        )
        return
    channels = map_channels(parent, examples.channels)
    if not channels.unchanged:
        yield GuardFinding(
            "parent",
            Severity.CONFIRM,
            f"The images are not those of {parent.name} ({channels.sentence()}); its first layers are made to fit.",
        )
    yield from _other_values(facts, parent, channels.old[0])
    if examples.task is Task.INTERACTIVE:
        # It finds whatever is pointed at.
        return
    classes = map_classes(parent, examples.classes, renames)
    if classes.unchanged and not classes.named(How.RENAMED):
        return
    kept = [one.name for one in classes.classes if one.old is not None]
    # A class that somebody renamed or that stands elsewhere is the same class: nothing is lost by it.
    harmless = not classes.gone and not classes.named(How.NEW)
    yield GuardFinding(
        "parent",
        Severity.WARN if harmless else Severity.CONFIRM,
        f"The classes are not those of {parent.name} ({'; '.join(classes.sentence_parts()) or 'in another order'}); "
        + (f"{', '.join(kept)} {'goes' if len(kept) == 1 else 'go'} on as it has them." if kept else "none goes on."),
    )


def _other_values(facts: Sequence[ExampleFacts], parent: ModelSpec, place: int | None) -> Iterator[GuardFinding]:
    """Say where the first channel holds other values than the model was trained on: they are prepared as it says."""
    if place is None:
        return
    channel = parent.input.channels[place]
    for kind, wanted, have in (
        ("unit", {channel.unit} - {""}, [one.unit or "none" for one in facts]),
        ("modality", set(channel.modality), [one.modality for one in facts if one.modality]),
    ):
        others = sorted(set(have) - wanted)
        if wanted and others:
            yield GuardFinding(
                "parent",
                Severity.CONFIRM,
                f"{parent.name} was trained on images of the {kind} {listed(sorted(wanted))} and there are some of "
                f"{listed(others)}; they are prepared as it says all the same.",
            )
