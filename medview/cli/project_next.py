"""``medview project next``: which cases to label next, and which slices of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medview.cli.output import check_device, print_json, progress, readers, say, show
from medview.core.errors import AmbiguousError
from medview.ml.next_cases.strategy import Strategy
from medview.workspace.next_cases.models import model_for
from medview.workspace.next_cases.next_words import STRATEGY, minutes_text
from medview.workspace.next_cases.project_next import NextRun, next_of_project


def show_next(
    path: Path, model: str, strategy: str, *, count: int, seed: int, device: str, most: int, json: bool, quiet: bool
) -> None:
    """Score what was not scored before, and list the cases.

    Raises
    ------
    AmbiguousError
        When there is no such strategy or device, or it is not clear which model is meant.
    MedViewError
        As ``next_of_project``.
    """
    try:
        wanted = Strategy(strategy)
    except ValueError as error:
        known = ", ".join(one.value for one in Strategy)
        raise AmbiguousError(f"--strategy {strategy} is none; choose one of {known}.") from error
    check_device(device)
    run = NextRun(model_for(path, model), path, count, wanted, seed, device, most or None)
    with progress(quiet=quiet or json) as context, readers() as pool:
        document = next_of_project(run, context, pool)
    if json:
        print_json(document)
        return
    _show(document, wanted)


def _show(document: Mapping[str, Any], strategy: Strategy) -> None:
    lists = [(strategy, document["cases"])]
    if document["control"] is not None:
        control = document["control"]
        lists.append((Strategy(control["strategy"]), control["cases"]))
    for which, cases in lists:
        show(f"{STRATEGY[which]}:")
        for case in cases:
            show(f"  case {case['case']}  {case['patient'] or '-'}  {case['reason']}  {minutes_text(case['minutes'])}")
        if not cases:
            show("  none")
    for case in document["skipped"]:
        show(f"case {case['case']} is left out: {case['reason']}")
    again = f", {document['from_cache']} of them before" if document["from_cache"] else ""
    say(f"{document['model']} looked at {document['scored']} cases{again}. {document['rate']['sentence']}")
    if document["held_out"]:
        count = len(document["held_out"])
        say(f"{count} cases of patients of validation and test are not proposed.")
