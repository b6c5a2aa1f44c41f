"""Which models run by themselves on a series that is opened: rules a person keeps, off until they are turned on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from medview.core.annotations import BoxAnnotation, ImageLabel, Trace
from medview.core.changes import ProposalChange
from medview.core.study import Series
from medview.ml.packs import ModelPack
from medview.workspace.open_case import OpenCase
from medview.workspace.queue import QueueTask, SeriesPlace, TaskState
from medview.workspace.queue_fit import fit_of
from medview.workspace.workspace import Workspace

MOST_WORDS = 20


@dataclass(frozen=True, slots=True)
class RunRule:
    """One model and the series it is for, beyond what its pack says.

    Attributes
    ----------
    model : str
        Id of a pack; its newest version runs.
    words : tuple of str
        One of them has to be in the body part or a description of the series or its study; empty fits all.
    not_words : tuple of str
        None of them may.
    on : bool
        Whether the rule counts.
    """

    model: str
    words: tuple[str, ...] = ()
    not_words: tuple[str, ...] = ()
    on: bool = True

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> RunRule:
        """Read a rule. Raises KeyError or TypeError on any other shape."""
        words, not_words = (
            tuple(str(word) for word in document.get(name, ()))[:MOST_WORDS] for name in ("words", "not_words")
        )
        return cls(str(document["model"]), words, not_words, bool(document.get("on", True)))

    def document(self) -> dict[str, Any]:
        """Return the rule as it is written."""
        return {"model": self.model, "words": list(self.words), "not_words": list(self.not_words), "on": self.on}

    def fits(self, series: Series) -> bool:
        """Whether the words of a series are those of the rule; case and what stands around them count for nothing."""
        said = " ".join((series.body_part, series.description, series.study_description)).casefold()
        wanted = not self.words or any(word.casefold() in said for word in self.words)
        return wanted and not any(word.casefold() in said for word in self.not_words)


def run_rules(workspace: Workspace) -> tuple[RunRule, ...]:
    """Return the rules; those of another shape are left out."""
    found = []
    for document in workspace.settings.run_rules:
        try:
            found.append(RunRule.of(document))
        except (KeyError, TypeError, AttributeError):
            continue
    return tuple(found)


def use_run_rules(workspace: Workspace, rules: Iterable[RunRule]) -> None:
    """Replace the rules."""
    workspace.settings = replace(workspace.settings, run_rules=tuple(rule.document() for rule in rules))
    workspace.settings_changed.emit()


def run_on_open(workspace: Workspace, *, on: bool) -> None:
    """Turn all rules on or off: the one place that does."""
    workspace.settings = replace(workspace.settings, run_on_open=on)
    workspace.settings_changed.emit()


def runs_on_open(workspace: Workspace) -> bool:
    """Whether any model runs by itself."""
    return workspace.settings.run_on_open and any(rule.on for rule in run_rules(workspace))


def fitting_models(workspace: Workspace, case: OpenCase) -> list[ModelPack]:
    """Return the packs that are to run by themselves on a case, by the rules and their own descriptions."""
    rules = {rule.model: rule for rule in run_rules(workspace) if rule.on}
    found: dict[str, ModelPack] = {}
    for pack in workspace.services.registry.list() if rules else ():
        rule = rules.get(pack.spec.id)
        # The registry lists the newest version first.
        if rule is None or not pack.available or pack.spec.id in found or not rule.fits(case.series):
            continue
        if fit_of(pack, case.volume.modality, case.entry).ok:
            found[pack.spec.id] = pack
    return list(found.values())


def ran_before(case: OpenCase, pack: ModelPack) -> bool:
    """Whether this version of a model has proposed something here: it waits, was taken over, or was turned down."""
    spec = pack.spec
    labels = case.labels
    sources = [proposal.prediction.source for proposal in labels.proposals.values()]
    sources += [segment.source for segment in labels.segmentation.segments]
    made = [one for one in labels.annotations.values() if isinstance(one, BoxAnnotation | ImageLabel | Trace)]
    sources += [one.source for one in made]
    history = case.history
    for command in (*history.next_undos(len(history.names)), *history.next_redos(len(history.undone_names))):
        for change in command.changes:
            if isinstance(change, ProposalChange) and change.before is not None:
                sources.append(change.before.prediction.source)
    return any((source.model_id, source.model_version) == (spec.id, spec.version) for source in sources)


def run_rules_on(workspace: Workspace, case: OpenCase) -> int:
    """Put the models that are to run by themselves on a case that was just opened before all others; return how many."""
    if not workspace.settings.run_on_open or case.read_only or not case.ready:
        return 0
    place = SeriesPlace.of(case.series, case.entry)
    asked = [QueueTask(pack.spec.key, place) for pack in fitting_models(workspace, case) if not ran_before(case, pack)]
    # Where one found nothing, only the queue remembers that it looked.
    looked = {task.work for task in workspace.queue.queue.tasks if task.state is TaskState.DONE}
    fresh = [task for task in asked if task.work not in looked]
    return workspace.queue.add(fresh, first=True) if fresh else 0
