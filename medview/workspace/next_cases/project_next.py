"""What to label next in a project that is not open: every case nobody began is scored, unless that was done before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from medview.core.effort_rate import EffortRate, effort_rate
from medview.core.errors import CancelledError, DeviceError, DiskFullError, MedViewError, ModelError
from medview.core.job import JobContext, JobPart
from medview.core.language import _
from medview.io.reader_pool import Pool
from medview.ml.next_cases.case_scores import CaseScores
from medview.ml.next_cases.strategy import Strategy
from medview.ml.packs import ModelPack
from medview.store.cases import CaseRow
from medview.store.project import Project
from medview.workspace.case_filter import FINISHED
from medview.workspace.next_cases.batch import Candidates, candidates, next_cases
from medview.workspace.next_cases.next_words import rate_text, reason_text
from medview.workspace.next_cases.scoring import check_pack, score_case, shelf_of

Document = dict[str, Any]

CONTROL = Strategy.FOREGROUND_RANDOM
"""What every other strategy is to be compared with on one's own data."""


@dataclass(frozen=True, slots=True)
class NextRun:
    """What is asked.

    Attributes
    ----------
    most : int or None
        So many cases are looked at at most, drawn by chance; all unless given.
    """

    pack: ModelPack
    project: Path
    count: int = 5
    strategy: Strategy = Strategy.UNCERTAINTY
    seed: int = 0
    device: str = "auto"
    most: int | None = None


@dataclass(slots=True)
class _Scored:
    scores: dict[int, CaseScores] = field(default_factory=dict)
    known: int = 0
    skipped: list[Document] = field(default_factory=list)


def next_of_project(run: NextRun, context: JobContext, pool: Pool) -> Document:
    """Return which cases of a project to label next.

    What was worked out is kept in the project's folder: interrupted and begun again, it goes on where it was.

    Returns
    -------
    dict
        ``model``, ``digest``, ``strategy``, ``seed``, ``cases`` (each with ``case``, ``patient``, ``split``, ``class``,
        ``unsure``, ``reason``, ``slices``, ``minutes``, ``minutes_in_slices``), ``control`` (``strategy`` and ``cases`` of
        the batch chance would give; None where that was asked for), ``labelled``, ``scored`` and ``from_cache`` (counts),
        ``skipped`` (cases the model cannot be run on, with the reason), ``held_out`` (cases of patients of validation and
        test, which are never proposed), ``rate`` (what minutes follow from).

    Raises
    ------
    ModelError
        When the model cannot say what it is unsure of, or there is no case it can be run on.
    MedViewError
        When the project cannot be read, or this computer cannot run the model.
    CancelledError
    """
    check_pack(run.pack)
    with Project.open(run.project, read_only=True) as project:
        rows, images = project.cases(), {row.case_id: row for row in project.images()}
        rate = rate_of(rows, project)
    found = candidates(rows)
    scored = _score(run, found, list(images.values()), context, pool)
    if not scored.scores and found.free:
        first = scored.skipped[0]["reason"] if scored.skipped else ""
        raise ModelError(f"{run.pack.spec.name} cannot be run on any case nobody has begun. {first}".strip())

    def batch(strategy: Strategy) -> list[Document]:
        chosen = next_cases(found, scored.scores, run.count, strategy, run.seed, rate)
        return [one.document(reason_text(one)) for one in chosen]

    return {
        "model": run.pack.spec.key,
        "digest": run.pack.digest,
        "strategy": run.strategy.value,
        "seed": run.seed,
        "cases": batch(run.strategy),
        "control": None if run.strategy is CONTROL else {"strategy": CONTROL.value, "cases": batch(CONTROL)},
        "labelled": found.labelled,
        "scored": len(scored.scores),
        "from_cache": scored.known,
        "skipped": scored.skipped,
        "held_out": [{"case": row.case_id, "split": row.split} for row in found.held_out],
        "rate": rate_document(rate),
    }


def rate_of(rows: Sequence[CaseRow], project: Project) -> EffortRate:
    """Return how long work takes in a project."""
    finished = [float(row.seconds) for row in rows if row.status in FINISHED]
    return effort_rate(chain.from_iterable(project.done_efforts().values()), finished)


def rate_document(rate: EffortRate) -> Document:
    """Return a rate ready for JSON."""
    return {
        "grounds": rate.grounds.value,
        "cases": rate.cases,
        "seconds_per_segment": round(rate.per_segment_s, 3),
        "seconds_per_voxel": round(rate.per_voxel_s, 6),
        "seconds_per_case": round(rate.whole_s, 3),
        "sentence": rate_text(rate),
    }


def _score(run: NextRun, found: Candidates, images: Sequence[Any], context: JobContext, pool: Pool) -> _Scored:
    by_id = {row.case_id: row for row in images}
    wanted = [by_id[row.case_id] for row in found.free if row.case_id in by_id]
    if run.most is not None and len(wanted) > run.most:
        chosen = np.random.default_rng(run.seed).permutation(len(wanted))[: run.most]
        wanted = [wanted[n] for n in sorted(chosen.tolist())]
    shelf, scored = shelf_of(run.project, run.pack), _Scored()
    for number, row in enumerate(wanted):
        context.raise_if_cancelled()
        told = _("Case {number} of {count}").format(number=number + 1, count=len(wanted))
        part = JobPart(context, number / len(wanted), (number + 1) / len(wanted), text=told)
        known = shelf.get(row)
        if known is not None:
            scored.known += 1
            scored.scores[row.case_id] = known
            continue
        try:
            scored.scores[row.case_id] = score_case(run.pack, row, images, shelf, part, pool, run.device)
        except (CancelledError, DeviceError, DiskFullError):
            raise
        except MedViewError as error:
            scored.skipped.append({"case": row.case_id, "reason": error.sentence})
    return scored
