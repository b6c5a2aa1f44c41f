"""The section of ``docs/accuracy.md`` about the loop, written from the results that are kept beside this file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from medview.analysis.agreement.bootstrap import Interval
from medview.core.effort_rate import SECONDS_PER_SEGMENT, SECONDS_PER_VOXEL
from tests.accuracy.loop.asked import asked_of
from tests.accuracy.loop.learning import Dices
from tests.accuracy.loop.paired import ALL, dice_of, paired
from tests.accuracy.loop.rows import ROWS, SEEDS, LoopRow
from tests.accuracy.loop.sizes import Sizes
from tests.accuracy.loop.volumes import HIPPOCAMPI
from tests.accuracy.trainings.machine import cores_of

RESULTS = Path(__file__).parent / "results"
Document = dict[str, Any]
Results = Mapping[str, Sequence[Document]]

_DASH = "–"


def read_results(folder: Path = RESULTS) -> dict[str, list[Document]]:
    """Return what is kept of rows that were played, by name; of each seed one."""
    found: dict[str, list[Document]] = {}
    for name in ROWS:
        files = sorted(folder.glob(f"{name}-[0-9]*.json"))
        if own := [json.loads(file.read_text("utf-8")) for file in files if file.stem.removeprefix(f"{name}-").isdigit()]:
            found[name] = own
    return found


def section(results: Results) -> str:
    """Return the section for results by the names of their rows."""
    parts = [_head(_sizes(results)), _asked(results)]
    for name, tell in _TELL.items():
        row, own = ROWS[name], results.get(name, ())
        parts.append(f"### {row.title}\n\n{tell(own) if own else 'Not run.'}\n{_played(row, own)}")
    return "\n".join(parts)


def _sizes(results: Results) -> Sizes:
    known = next((own[0]["sizes"] for own in results.values() if own), None)
    if known is None:
        return Sizes()
    return Sizes(**{key: tuple(value) if isinstance(value, list) else value for key, value in known.items()})  # type: ignore[arg-type]


def _head(sizes: Sizes) -> str:
    seeds = ", ".join(map(str, SEEDS))
    return f"""## The loop

What the window does again and again, by a script: a model proposes, somebody corrects, the model is trained on, the gate
compares. `python -m tests.accuracy.loop` makes these figures and goes on where it was broken off (`--list`: what is done;
`make accuracy` plays it too). Data: {HIPPOCAMPI.data.title}; {sizes.held_out} patients are held out, split as a project
splits its own, and those of the test split are in no project. Dice is the mean over classes and held-out patients; these
also chose which weights are kept. Seeds {seeds} draw other patients and other weights; behind a mean stand the least and
the most of the seeds. Intervals (95 %), and what is called better, are from draws of patients, both sides together and a
patient with all seeds.

**Who corrects** is a script. It opens cases in MedView's workspace, runs the model, accepts the proposal and goes through
the slices. A place is repaired, all of it, where a voxel of it is wrong by more than a voxel, where it lacks a piece of the
truth or holds a piece that is not true at all; an edge that is off by one voxel stays, as people leave it. Corrected voxels
are those MedView notes as correction effort. **Minutes are no measurement**: the script's clock goes by MedView's own guess
({SECONDS_PER_SEGMENT:g} s to look over a segment, {SECONDS_PER_VOXEL:g} s for a voxel that is changed). They say what fewer
voxels come to by that guess, and nothing about hands.

**What the parent knows:** {sizes.parent} other patients of the same collection, {sizes.parent_steps} steps. That is where a
loop is that has run for a while, or who has a colleague's model for the same scanner. What a model of another anatomy or
modality would give is not measured here.
"""


def _asked(results: Results) -> str:
    lines = ["| asked | value | |", "|---|---|---|"]
    for one in asked_of(results):
        open_words = "not all seeds" if one.value else "not run"
        state = open_words if one.reached is None else "reached" if one.reached else "**missed**"
        lines.append(f"| {one.asked} | {one.value or _DASH} | {state} |")
    return "\n".join(lines) + "\n"


def _played(row: LoopRow, own: Sequence[Document]) -> str:
    if not own:
        return ""
    seeds = ", ".join(str(one["seed"]) for one in own)
    missing = [str(seed) for seed in row.seeds if seed not in {one["seed"] for one in own}]
    told = f"Seeds {seeds}" if len(own) > 1 else f"Seed {seeds}"
    told += f"; not run: seed {', '.join(missing)}" if missing else ""
    made = max(one["made_utc"][:10] for one in own)
    machines = [
        f"{found['processor']}, {cores_of(found)}, torch {found['torch']}" for found in (one["machine"] for one in own)
    ]
    return f"{told}. `{row.name}`, {made}, {'; '.join(dict.fromkeys(machines))}.\n"


def _rounds(own: Sequence[Document]) -> str:
    rounds = [one["found"]["rounds"] for one in own]
    lines = [
        "| round | cases | Dice of what was trained | Dice of what counts | corrected voxels a case | with the first model "
        "| minutes a case | gate |",
        "|" + "---|" * 8,
    ]
    counts = [counting(one) for one in rounds]
    for number in range(len(rounds[0])):
        of = [one[number] for one in rounds]
        dice, now = _spread([one["dice"][ALL] for one in of]), _spread([one[number]["dice"][ALL] for one in counts])
        if not number:
            lines.append(f"| 0 | {_DASH} | {dice} | {now} | {_DASH} | {_DASH} | {_DASH} | first |")
            continue
        changed, first, minutes = (
            _mean([case[key] for one in of for case in one[part]])
            for part, key in (("effort", "changed"), ("first", "changed"), ("effort", "minutes"))
        )
        verdicts = [one["verdict"] for one in of]
        told = ", ".join(f"{verdicts.count(word)} {word}" for word in ("promoted", "kept") if word in verdicts)
        lines.append(
            f"| {number} | {of[0]['cases']} | {dice} | {now} | {changed:.0f} | {first:.0f} | {minutes:.2f} | {told} |"
        )
    last = paired([one[0]["dices"] for one in counts], [one[-1]["dices"] for one in counts])
    truth = _mean([case["truth"] for one in rounds for played in one[1:] for case in played["effort"]])
    lines += [
        "",
        f"What counts in the end less the first model: Dice {_difference(last)}. A case holds {truth:.0f} voxels of its "
        "classes. *With the first model*: what its proposals would have taken on the same cases; each round has others.",
    ]
    return "\n".join(lines) + "\n"


def _no_new_cases(own: Sequence[Document]) -> str:
    parent, after = ([one["found"][side] for one in own] for side in ("parent", "after"))
    found = paired([one["dices"] for one in parent], [one["dices"] for one in after])
    steps = _mean([one["steps"] for one in after])
    before, now = (_spread([one["dice"][ALL] for one in side]) for side in (parent, after))
    return (
        f"The first model, trained on for as many steps as all rounds together ({steps:.0f}) on its own cases alone: Dice "
        f"{now} after {before}, difference {_difference(found)}. Rounds owe to corrected cases what they bring beyond.\n"
    )


def counting(rounds: Sequence[Document]) -> list[Document]:
    """Return for each round what is known of the model that counts after it."""
    found: list[Document] = []
    for one in rounds:
        found.append(one if not found or one["verdict"] in ("first", "promoted") else found[-1])
    return found


def _few(own: Sequence[Document]) -> str:
    lines = ["| patients | from nothing | from the parent | difference | | steps |", "|" + "---|" * 6]
    for count in (key for key in own[0]["found"] if key != "parent"):
        scratch, tuned = ([one["found"][count][side] for one in own] for side in ("scratch", "tuned"))
        found = paired([one["dices"] for one in scratch], [one["dices"] for one in tuned])
        dices = (_spread([one["dice"][ALL] for one in side]) for side in (scratch, tuned))
        steps = " and ".join(f"{_mean([one['steps'] for one in side]):.0f}" for side in (scratch, tuned))
        lines.append(f"| {count} | {' | '.join(dices)} | {_difference(found)} | {verdict_of(found)} | {steps} |")
    lines += ["", f"The parent itself: {_spread([one['found']['parent']['dice'][ALL] for one in own])}."]
    return "\n".join(lines) + "\n"


def _ladder(own: Sequence[Document]) -> str:
    counts = [key for key in own[0]["found"] if key != "parent"]
    heads = " | ".join(f"{count} patients | seconds" for count in counts)
    lines = [f"| rung | {heads} |", "|" + "---|" * (1 + 2 * len(counts))]
    for rung in own[0]["found"][counts[0]]:
        cells = []
        for count in counts:
            of = [one["found"][count][rung] for one in own]
            cells += [_spread([one["dice"][ALL] for one in of]), f"{_mean([one['seconds'] for one in of]):.0f}"]
        lines.append(f"| {rung} | {' | '.join(cells)} |")
    parent = _spread([one["found"]["parent"]["dice"][ALL] for one in own])
    lines += ["", f"The parent itself: {parent}. Seconds are of the whole command, judging included."]
    return "\n".join(lines) + "\n"


def _sampling(own: Sequence[Document]) -> str:
    strategies = [key for key in own[0]["found"] if key != "start"]
    rounds = len(own[0]["found"][strategies[0]])
    heads = " | ".join(f"round {number}" for number in range(1, rounds + 1))
    lines = [
        f"| strategy | {heads} | slices | truth on them | corrected | beside by chance | |",
        "|" + "---|" * (rounds + 6),
    ]
    chance = [[one["dices"] for one in played["found"]["foreground-random"]] for played in own]
    for strategy in strategies:
        of = [played["found"][strategy] for played in own]
        dices = [_spread([one[number]["dice"][ALL] for one in of]) for number in range(rounds)]
        cases = [case for one in of for played in one for case in played["effort"]]
        slices, truth, changed = (sum(case[key] for case in cases) / len(own) for key in ("slices", "truth", "changed"))
        # Over all rounds: what a strategy is worth on the way counts as well.
        found = paired([_over_rounds(one) for one in chance], [_over_rounds([r["dices"] for r in one]) for one in of])
        told = ("", "") if strategy == "foreground-random" else (_difference(found), verdict_of(found))
        cells = [strategy, *dices, f"{slices:.0f}", f"{truth:.0f}", f"{changed:.0f}", *told]
        lines.append(f"| {' | '.join(cells)} |")
    start = _spread([one["found"]["start"]["dice"][ALL] for one in own])
    sizes = own[0]["sizes"]
    lines += [
        "",
        f"All begin with one model of {sizes['start']} patients ({start}) and choose {sizes['per_round']} cases of "
        f"{sizes['sampling_pool']} a round, of each the slices they propose; only those are labelled, and the rest of a "
        "case is unknown to the training. *Beside by chance*: Dice less that of `foreground-random`, over all rounds.",
    ]
    return "\n".join(lines) + "\n"


def _over_rounds(rounds: Sequence[Dices]) -> Dices:
    """Return the mean Dice of each patient over rounds."""
    found: Dices = {}
    for patient in rounds[0]:
        of = [dice for one in rounds if (dice := dice_of(one[patient])) is not None]
        found[patient] = {ALL: float(np.mean(of)) if of else None}
    return found


def _added(own: Sequence[Document]) -> str:
    old, *new = HIPPOCAMPI.classes
    lines = ["| seed | " + f"{old} before | {old} after | difference | " + " | ".join(new) + " | gate |"]
    lines.append("|" + "---|" * (5 + len(new)))
    for one in own:
        before, after = one["found"]["before"], one["found"]["after"]
        found = paired([before["dices"]], [after["dices"]], old)
        cells = [str(one["seed"]), f"{before['dice'][old]:.3f}", f"{after['dice'][old]:.3f}", _difference(found)]
        cells += [f"{after['dice'][name]:.3f}" if name in after["dice"] else _DASH for name in new]
        lines.append(f"| {' | '.join(cells)} | {after['verdict'] or _DASH} |")
    sizes = own[0]["sizes"]
    lines += [
        "",
        f"{sizes['parent']} patients; what is added is drawn in {sizes['added']} of them, and nobody says anything of "
        "it in the others.",
    ]
    return "\n".join(lines) + "\n"


def _worse(own: Sequence[Document]) -> str:
    lines = ["| seed | parent | the run | gate | in its words |", "|---|---|---|---|---|"]
    for one in own:
        parent, worse = one["found"]["parent"], one["found"]["worse"]
        dices = (f"{side['dice'][ALL]:.3f}" for side in (parent, worse))
        lines.append(
            f"| {one['seed']} | {' | '.join(dices)} | {worse['verdict'] or _DASH} | {worse['sentence'] or _DASH} |"
        )
    sizes = own[0]["sizes"]
    lines += ["", f"{sizes['worse_steps']} steps at a rate of {sizes['worse_rate']:g}."]
    return "\n".join(lines) + "\n"


_TELL: Mapping[str, Callable[[Sequence[Document]], str]] = {
    "rounds": _rounds,
    "no-new-cases": _no_new_cases,
    "few-steps": _few,
    "few-minutes": _few,
    "ladder": _ladder,
    "sampling": _sampling,
    "added-class": _added,
    "worse": _worse,
}


def verdict_of(found: Interval) -> str:
    """Return what an interval of a difference says, in the words of ``medview evaluate --against``."""
    if found.low is None or found.high is None:
        return "no difference shown"
    return "better" if found.low > 0 else "worse" if found.high < 0 else "no difference shown"


def _difference(found: Interval) -> str:
    if found.value is None:
        return _DASH
    between = "" if found.low is None or found.high is None else f" ({found.low:+.3f} to {found.high:+.3f})"
    return f"{found.value:+.3f}{between}"


def _spread(values: Sequence[float]) -> str:
    """Return the mean, and of several seeds the least and most."""
    if len(values) < 2:
        return f"{_mean(values):.3f}"
    return f"{_mean(values):.3f} ({min(values):.3f}–{max(values):.3f})"


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
