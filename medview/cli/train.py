"""``medview train``: from reviewed labels to a model pack, in a process of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from medview.cli.output import check_device, print_json, progress, readers, say
from medview.core.errors import AmbiguousError
from medview.core.job import JobContext, JobPart
from medview.io.datasets.neutral_read import read_neutral
from medview.ml.lineage.rung import TUNES
from medview.ml.recipes.table import choose
from medview.ml.runs.clock import process_seconds
from medview.ml.runs.events import Event
from medview.ml.runs.folder import RunFolder
from medview.ml.spec import Task
from medview.workspace.export_selection import Include
from medview.workspace.models import pack_of
from medview.workspace.training.augment_sheet import write_sheet
from medview.workspace.training.breaks import breaks
from medview.workspace.training.child import train_run
from medview.workspace.training.examples import dataset_folder, examples_of
from medview.workspace.training.freeze import Wanted, freeze
from medview.workspace.training.leaks import without
from medview.workspace.training.process import ask_to_end, ask_to_pause, follow, give_way, start_training, wait_for

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def train(
    source: Annotated[Path | None, typer.Argument(metavar="P", help="Project or dataset folder, or RUN")] = None,
    *,
    task: Annotated[Task | None, typer.Option(help="What is learnt")] = None,
    recipe: Annotated[str | None, typer.Option(help="Name of a recipe, or a file (*.json)")] = None,
    target: Annotated[str | None, typer.Option(help="Classification: the question or label that is learnt")] = None,
    parent: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Begin with this model, or a LINE of P: its input, sizes, weights")
    ] = None,
    tune: Annotated[
        str | None, typer.Option(help="How much of the parent learns: auto, head, decoder, all or adapters")
    ] = None,
    rename: Annotated[
        list[str] | None, typer.Option(metavar="OLD=NEW", help="A class of the parent by its new name; repeatable")
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0.1, help="Wall time of all of it; else the recipe's steps")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="The same seed gives the same numbers here")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    reader: Annotated[str, typer.Option(help="Whose labels count where several people read a case")] = "",
    include: Annotated[Include, typer.Option(help="How far cases have to be; all: any that are labelled")] = Include.DONE,
    images: Annotated[Path | None, typer.Option(help="Where the images of a project are now")] = None,
    without_leaks: Annotated[
        bool, typer.Option("--without-leaks", help="Leave out cases whose picture or patient is in another split too")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Train in spite of what the guards want confirmed")] = False,
    apart: Annotated[bool, typer.Option("--apart", help="An experiment: the model becomes no version of P")] = False,
    output: Annotated[Path | None, typer.Option("-o", metavar="RUN", help="Folder of the training, new")] = None,
    run: Annotated[Path | None, typer.Option("--run", help="Go on with a training, or train as torchrun starts it")] = None,
    watch: Annotated[Path | None, typer.Option("--watch", help="Follow a training")] = None,
    pause: Annotated[Path | None, typer.Option(metavar="RUN", help="Let a training write a checkpoint and end")] = None,
    stop: Annotated[Path | None, typer.Option(metavar="RUN", help="End a training and keep its best weights")] = None,
    background: Annotated[bool, typer.Option("--background", help="Give way to all other programs")] = False,
    preview: Annotated[Path | None, typer.Option(metavar="PNG", help="Draw what augmentation makes; train nothing")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress")] = False,
) -> None:
    """Train a model on the reviewed labels of a project, go on with a training, or follow one. See docs/training.md."""
    began = time.monotonic() - process_seconds()
    if source is not None and run is None and RunFolder(source).settings_file.is_file():
        # torchrun takes --run for an option of its own.
        source, run = None, source
    if sum(one is not None for one in (source, run, watch, pause, stop)) != 1:
        raise AmbiguousError("Name a project to train on, or --run RUN to go on, or --watch RUN to follow; one of them.")
    if background:
        give_way()
    if pause is not None:
        ask_to_pause(pause)
        say(f"The training ends with its next step; go on with medview train --run {pause}.")
        return
    if stop is not None:
        if ask_to_end(stop):
            say(f"The training ends with its next step and judges its best weights; see medview train --watch {stop}.")
        else:
            # Nobody trains there: what there is is judged here.
            _child(stop, began, json=json, quiet=quiet, enough=True)
        return
    if preview is not None:
        _previewed(source, run, task, recipe, target, seed, preview, quiet=quiet)
        return
    if run is not None:
        _child(run, began, json=json, quiet=quiet)
        return
    if watch is not None:
        with progress(quiet=quiet) as context:
            _told(follow(watch, _Shown(context, lines=not quiet), context), json=json)
        return
    assert source is not None
    if task is None or output is None:
        raise AmbiguousError("A training needs --task (segmentation, detection, classification, interactive) and -o RUN.")
    check_device(device)
    if tune is not None and tune not in TUNES:
        raise AmbiguousError(f"--tune {tune} is none; choose one of {', '.join(TUNES)}.")
    wanted = Wanted(
        source=source,
        task=task,
        recipe=choose(task, recipe),
        seed=seed,
        include=include,
        reader=reader,
        images=images,
        target=target,
        minutes=minutes,
        device=device,
        parent=None if parent is None else pack_of(parent, source),
        recipe_given=recipe is not None,
        tune=tune,
        renames=_renames(rename or []),
        without_leaks=without_leaks,
        confirmed=yes,
        apart=apart,
        began=began,
    )
    with progress(quiet=quiet) as context:
        with readers() as pool:
            freeze(wanted, output, JobPart(context, 0.0, 0.02), pool, _Once())
        with breaks() as asked:
            result = wait_for(start_training(output), output, _Shown(context, lines=not quiet), asked)
        _told(result, json=json)


def _renames(given: Sequence[str]) -> dict[str, str]:
    """Return what ``--rename`` says as name in the parent -> name now. Raises AmbiguousError."""
    found: dict[str, str] = {}
    for one in given:
        old, equals, new = (part.strip() for part in one.partition("="))
        if not equals or not old or not new or old in found:
            raise AmbiguousError(f"--rename {one} is not OLD=NEW, or said twice: a class of the parent, its name now.")
        found[old] = new
    return found


def _child(run: Path, began: float, *, json: bool, quiet: bool, enough: bool = False) -> None:
    first = os.environ.get("RANK", "0") == "0"
    with ExitStack() as held:
        asked = held.enter_context(breaks())
        context = held.enter_context(progress(quiet=quiet or not first))
        result = train_run(run, context, asked, began, enough=enough)
    if result:
        _told(result, json=json)


def _previewed(
    source: Path | None,
    run: Path | None,
    task: Task | None,
    recipe: str | None,
    target: str | None,
    seed: int,
    file: Path,
    *,
    quiet: bool,
) -> None:
    """Draw what the recipe's augmentation makes of a dataset folder, or of the examples of a training."""
    if run is not None:
        settings = RunFolder(run).settings()
        folder, kind, chosen, what = RunFolder(run).dataset, settings.task, settings.recipe, settings.target
        reviewed_only, left_out = not settings.unfinished, settings.left_out
    elif source is not None and task is not None and dataset_folder(source):
        folder, kind, chosen, what = source, task, choose(task, recipe), target
        reviewed_only, left_out = False, ()
    else:
        raise AmbiguousError("--preview needs --run RUN, or a dataset folder and --task; export the project as one.")
    with progress(quiet=quiet) as context:
        examples = examples_of(read_neutral(folder, check=False), kind, what, reviewed_only=reviewed_only)
        count = write_sheet(without(examples, left_out), chosen, seed, file, context)
    say(f"Examples drawn in {file.name}: {count}.")


class _Once:
    """Says sentences, each once."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def __call__(self, sentences: Sequence[str]) -> None:
        for sentence in sentences:
            if sentence not in self._said:
                self._said.add(sentence)
                say(sentence)


def _told(result: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(result)
    elif result:
        score = result["score"]
        said = "" if score is None else f", validation score {score:.4f}"
        say(f"{result['model']} is in {result['pack']}: {result['steps']} steps, {result['seconds']:.0f} s{said}.")
        if "gate" in result:
            say(result["gate"]["sentence"])
        _told_of_line(RunFolder(Path(result["run"])))
    else:
        say("The training ended without a result.")


def _told_of_line(run: RunFolder) -> None:
    """Say which version of its project a model became, or how it becomes one."""
    line, taken = run.read_json(run.line), run.read_json(run.taken)
    if line is not None and taken is not None:
        say(f"It is version {taken['version']} of {taken['line']} in {line['project']}.")
    elif line is not None:
        say(f"To take it up: medview project models {line['project']} --take {run.path}")


class _Shown:
    """Shows events on a terminal: steps move the bar, the others are lines."""

    def __init__(self, context: JobContext, *, lines: bool) -> None:
        self._context, self._lines = context, lines

    def __call__(self, event: Event) -> None:
        if event["kind"] == "step":
            step, steps = event["step"], event["steps"]
            self._context.progress(0.1 + 0.8 * step / steps, f"Step {step} of {steps}, loss {event['loss'] or 0:.4g}")
        elif self._lines and (words := _words(event)):
            say(words)


def _words(event: Event) -> str:
    """Return an event as a line for a terminal; empty for those that need none."""
    kind = event["kind"]
    if kind == "check":
        figures = {n: v for n, v in event.items() if n not in ("kind", "utc", "used", "step", "best") and v is not None}
        shown = ", ".join(f"{name} {value:.4g}" for name, value in figures.items() if isinstance(value, int | float))
        return f"Step {event['step']}: {shown}{' (best so far)' if event['best'] else ''}"
    if kind == "resumed":
        return f"Going on from step {event['step']}"
    if kind == "stopped" and event.get("reason") != "asked":
        return f"Trained {event['step']} steps ({event['reason']})"
    if kind in ("failed", "borrowed"):
        return str(event["text"])
    if kind == "stage":
        return f"Stage: {event['name']}"
    return ""
