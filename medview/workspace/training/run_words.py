"""What trainings are called and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from medview.core.language import _, in_language, plural
from medview.ml.spec import Task
from medview.workspace.durations import duration
from medview.workspace.training.run_view import RunPhase, RunView
from medview.workspace.training.targets import IMAGE_LABELS

if TYPE_CHECKING:
    from medview.workspace.training.outlook import Lesson

TASKS: Mapping[Task, str] = {
    Task.SEGMENTATION: _("Segments"),
    Task.DETECTION: _("Boxes"),
    Task.CLASSIFICATION: _("Answers and image labels"),
    Task.INTERACTIVE: _("Objects from clicks"),
}
PHASES: Mapping[RunPhase, str] = {
    RunPhase.QUEUED: _("Waits for its turn"),
    RunPhase.STARTING: _("Starting"),
    RunPhase.TRAINING: _("Training"),
    RunPhase.STOPPING: _("Ends with this step"),
    RunPhase.JUDGING: _("Being judged"),
    RunPhase.PAUSED: _("Paused"),
    RunPhase.DONE: _("Done"),
    RunPhase.FAILED: _("Failed"),
}
STAGES: Mapping[str, str] = {
    "judge": _("Judging the current model"),
    "plan": _("Planning the training"),
    "prepare": _("Preparing the cases"),
    "finish": _("Finishing the model"),
    "evaluate": _("Judging the model on the validation cases"),
    "gate": _("Comparing it with the current model"),
}
_NAMED = 4
"""Names in one line."""


def run_title(run: RunView) -> str:
    """Return what a training is called: what it learns and its number."""
    task = _task_of(run)
    number = run.name.rpartition("-")[2]
    return _("{what} {number}").format(what=TASKS[task], number=number) if task is not None else run.name


def line_title(name: str) -> str:
    """Return what the versions of a model are listed under in a person's words."""
    task, _colon, target = name.partition(": ")
    what = TASKS[Task(task)] if task in set(Task) else task
    return f"{what}: {target}" if target else what


def _task_of(run: RunView) -> Task | None:
    return run.settings.task if run.settings is not None else None


def run_state(run: RunView) -> str:
    """Return in a few words where a training stands."""
    if run.phase is RunPhase.TRAINING and run.stage in STAGES:
        return STAGES[run.stage]
    if run.phase is RunPhase.DONE:
        score = run.result.get("score") if run.result is not None else None
        return (
            _("Done, score {score}").format(score=f"{score:.3f}") if isinstance(score, int | float) else PHASES[run.phase]
        )
    said = PHASES[run.phase]
    if run.phase is RunPhase.TRAINING and run.left_s is not None:
        return _("{state}, {duration} left").format(state=said, duration=duration(run.left_s))
    return said


def run_detail(run: RunView) -> str:
    """Return one line on how far a training is, or why it is where it is."""
    if run.phase in (RunPhase.PAUSED, RunPhase.FAILED) and run.text:
        return in_language(run.text)
    parts = []
    if run.phase in (RunPhase.TRAINING, RunPhase.JUDGING) and run.stage in STAGES:
        parts.append(STAGES[run.stage])
    elif run.phase is not RunPhase.DONE:
        parts.append(PHASES[run.phase])
    if run.step:
        text = _("step {step} of {steps}") if run.phase is not RunPhase.DONE else _("{step} steps")
        parts.append(text.format(step=run.step, steps=max(run.step, run.steps)))
    if run.best is not None:
        best = _("best score {score} at step {step}")
        parts.append(best.format(score=f"{run.best.figures.get('score', 0.0):.3f}", step=run.best.step))
    if run.phase is RunPhase.DONE:
        parts.append(_("took {duration}").format(duration=duration(run.used_s)))
    elif run.left_s is not None and run.phase is RunPhase.TRAINING:
        parts.append(_("{duration} left").format(duration=duration(run.left_s)))
    said = ", ".join(parts)
    return said[:1].upper() + said[1:]


def run_origin(run: RunView) -> str:
    """Return what a training was started with."""
    settings = run.settings
    if settings is None:
        return ""
    parts = [settings.target] if settings.target and settings.target != IMAGE_LABELS else []
    parts.append(_("begins with {model}").format(model=settings.parent) if settings.parent else _("begins with nothing"))
    if settings.minutes:
        parts.append(minutes_text(settings.minutes))
    said = ", ".join(parts)
    return said[:1].upper() + said[1:]


def run_told(run: RunView) -> list[str]:
    """Return what a person has to know of the labels a training learns from: what is left out, what the guards found."""
    guards = run.guards or {}
    # Trainings of before have the findings alone.
    told = guards.get("told", [one.get("sentence") for one in guards.get("findings", ())])
    return [in_language(str(sentence)) for sentence in told]


def minutes_text(minutes: float) -> str:
    """Return ``5 min``, ``1 h``, ``8 h``."""
    if minutes >= 60 and minutes % 60 == 0:
        return _("{n} h").format(n=round(minutes / 60))
    return _("{n} min").format(n=f"{minutes:g}")


def lesson_title(lesson: Lesson) -> str:
    """Return what can be learnt, with its classes and how many cases say something of it."""
    what = TASKS[lesson.task]
    if lesson.target and lesson.target != IMAGE_LABELS:
        what = lesson.target
    cases = plural("{n} case", "{n} cases", len(lesson.cases)).format(n=len(lesson.cases))
    return f"{what} ({cases})"


def lesson_cases(lesson: Lesson) -> str:
    """Return from which cases something is learnt."""
    n = len(lesson.cases)
    cases = plural("{n} reviewed case", "{n} reviewed cases", n).format(n=n)
    patients = plural("of {n} patient", "of {n} patients", lesson.patients).format(n=lesson.patients)
    said = f"{cases} {patients}."
    if lesson.held_out:
        aside = plural(
            "{n} of them is put aside for validation and test.",
            "{n} of them are put aside for validation and test.",
            len(lesson.held_out),
        )
        return f"{said} {aside.format(n=len(lesson.held_out))}"
    return f"{said} " + _("Some of them are put aside for validation and test, by patient.")


def left_out_lines(left_out: Mapping[str, Sequence[int]], names: Mapping[int, str]) -> list[str]:
    """Return why cases are left out, each reason with how many and the first of their names."""
    lines = []
    for why, cases in left_out.items():
        shown = "; ".join(names.get(one, str(one)) for one in cases[:_NAMED])
        more = _(" and {n} more").format(n=len(cases) - _NAMED) if len(cases) > _NAMED else ""
        lines.append(f"{why} ({len(cases)}): {shown}{more}")
    return lines
