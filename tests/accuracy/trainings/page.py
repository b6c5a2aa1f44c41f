"""``docs/accuracy.md``, written from the results that are kept beside this file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.accuracy.loop.page import Results, read_results, section
from tests.accuracy.trainings.bench import Bench, code_sha256, recipe_of
from tests.accuracy.trainings.command_line import ROOT
from tests.accuracy.trainings.figures import WITHOUT
from tests.accuracy.trainings.machine import cores_of
from tests.accuracy.trainings.row import Row, Threshold
from tests.accuracy.trainings.rows import ROWS

RESULTS = Path(__file__).parent / "results"
PAGE = ROOT / "docs" / "accuracy.md"

Document = dict[str, Any]

_HEAD = """# Accuracy

Figures of models trained by `medview train` with the recipes that come with MedView, on public data, judged by
`medview evaluate` on validation cases. `make accuracy` makes them, goes on where it was interrupted and writes this page;
`make accuracy ROWS="pneumonia bccd-15min"` makes some. The recipe is the task's default unless its name is told, and what a
recipe leaves open follows from the training cases; no option was chosen for a data set but time, folds and steps. The
defaults themselves were made on these data: a loss that counts each picture by itself was taken up because the first fold
of the heart gained by it, and its number of steps was set after a look at that fold. Minutes are wall time of the whole
command, freezing and report included. Intervals (95 %) are from draws of patients, of images where nobody knows the
patients.

The validation cases also chose which weights are kept, so expect less of other cases. No test split was opened.
"""


def keep_results(bench: Bench) -> None:
    """Copy the results of full budget beside this file, where the page is made from them."""
    if bench.share != 1.0:
        return
    for row in ROWS.values():
        if (result := bench.result(row)) is not None:
            RESULTS.mkdir(exist_ok=True)
            text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
            (RESULTS / f"{row.name}.json").write_text(text, encoding="utf-8")


def write_page(results: Path = RESULTS, page: Path = PAGE) -> None:
    """Write the page from the results in a folder."""
    own = {file.stem: json.loads(file.read_text("utf-8")) for file in results.glob("*.json")}
    page.write_text(page_of(own, read_results()), encoding="utf-8")


def page_of(results: Mapping[str, Document], loop: Results = MappingProxyType({})) -> str:
    """Return the page for results by the names of their rows, and for those of the loop."""
    code = code_sha256()
    tables: dict[str, list[Row]] = {}
    for row in ROWS.values():
        tables.setdefault(row.table, []).append(row)
    parts = [_HEAD, _state(results)]
    for title, rows in tables.items():
        parts.append(f"## {title}\n")
        asked = any(row.thresholds for row in rows)
        parts.append(_thresholds(rows, results) if asked else _comparison(rows, results))
    parts += [section(loop), _how(results, code), _data()]
    return "\n".join(parts)


def _state(results: Mapping[str, Document]) -> str:
    """Say which thresholds are missed and what has not been run."""
    missed = [
        f"{row.name} ({one['figure']})"
        for row in ROWS.values()
        for one in results.get(row.name, {}).get("thresholds", ())
        if not one["reached"] or not row.in_time(results[row.name])
    ]
    asked = [row for row in ROWS.values() if row.thresholds]
    waiting = [row.name for row in asked if row.name not in results]
    others = sum(row.name not in results for row in ROWS.values() if not row.thresholds)
    lines = [f"**Missed:** {', '.join(missed)}." if missed else ""]
    lines.append(f"**Not run yet:** {', '.join(waiting)}." if waiting else "")
    lines.append(f"Of the comparisons {others} rows have not been run yet." if others else "")
    if not missed and not waiting:
        lines[0] = "Every threshold is reached."
    return "\n".join(line for line in lines if line) + "\n"


def _thresholds(rows: list[Row], results: Mapping[str, Document]) -> str:
    lines = ["| row | figure | asked | value | 95 % interval | |", "|---|---|---|---|---|---|"]
    for row in rows:
        result = results.get(row.name)
        for one in row.thresholds:
            figure = (result or {}).get("figures", {}).get(one.figure)
            title = one.figure if figure is None else figure["title"]
            state = "not run" if result is None else _reached(row, one, result)
            asked = f"at least {one.least:g}" if not one.above else f"above {_above(one.above, result)}"
            lines.append(f"| {row.name} | {title} | {asked} | {_value(figure)} | {_between(figure)} | {state} |")
    folds = [_folds(row, results[row.name]) for row in rows if row.folds and row.name in results]
    clicks = [_clicks(row, results[row.name]) for row in rows if row.name in results]
    return "\n".join([*lines, "", *folds, *filter(None, clicks)])


def _reached(row: Row, one: Threshold, result: Document) -> str:
    if not one.reached(result["figures"]):
        return "**missed**"
    if row.in_time(result):
        return "reached"
    used = max(part["minutes_used"] for part in result["parts"])
    return f"**missed**: in {used:g} minutes instead of {row.minutes:g}"


def _above(name: str, result: Document | None) -> str:
    figure = (result or {}).get("figures", {}).get(name)
    return name if figure is None else f"{_value(figure)} ({figure['title']})"


def _clicks(row: Row, result: Document) -> str:
    """Say how long a person waits for the mask after a click, where they do."""
    told = result["parts"][0].get("click_seconds")
    if not told:
        return ""
    each, first = (
        f"median {told[f'{which}median']:.2f} s, 95 % within {told[f'{which}p95']:.1f} s" for which in ("", "first_")
    )
    return f"{row.name}, from a click to the mask: {each}; the first click, for which the image is prepared: {first}.\n"


def _folds(row: Row, result: Document) -> str:
    told = []
    for part in result["parts"]:
        values = ", ".join(_value(figure) for figure in part["figures"].values())
        told.append(f"{values} ({part['patients']} patients, {part['cases']} images)")
    lines = [f"Folds of {row.name}: {'; '.join(told)}."]
    found = [one for name, one in result["figures"].items() if name.endswith(WITHOUT)]
    if found:
        values = ", ".join(f"{_value(one)} ({_between(one)})" for one in found)
        lines.append(f"Without {'; '.join(row.data.doubtful.values())}: {values}. What is asked is judged with them.")
    return "\n".join(lines) + "\n"


def _comparison(rows: list[Row], results: Mapping[str, Document]) -> str:
    names: dict[str, str] = {}
    for row in rows:
        for name, figure in results.get(row.name, {}).get("figures", {}).items():
            names.setdefault(name, figure["title"])
    minutes = sorted({f"{row.minutes:g}" for row in rows if row.minutes})
    first = f"{' and '.join(minutes)} minutes each, seed {rows[0].seed}, {rows[0].data.title}.\n"
    heads = " | ".join(["", *names.values(), "steps"] if names else ["", "steps"])
    lines = [first, f"|{heads} |", "|" + "---|" * (len(names) + 2)]
    for row in rows:
        result = results.get(row.name)
        if result is None:
            lines.append(f"| {row.title} |" + " |" * len(names) + " not run |")
            continue
        cells = []
        for name in names:
            figure = result["figures"].get(name)
            low_high = _between(figure)
            cells.append(f"{_value(figure)}{f' ({low_high})' if low_high else ''}")
        lines.append(f"| {' | '.join([row.title, *cells, str(result['parts'][0]['steps'])])} |")
    return "\n".join(lines) + "\n"


def _how(results: Mapping[str, Document], code: str) -> str:
    lines = [
        "## How\n",
        "| row | recipe | seed | minutes asked | minutes used | steps | ended by | validation | made | machine |",
        "|" + "---|" * 10,
    ]
    machines: list[str] = []
    old = []
    for row in ROWS.values():
        result = results.get(row.name)
        if result is None:
            continue
        told = _machine(result["machine"])
        if told not in machines:
            machines.append(told)
        if result["code_sha256"] != code or not _same_row(row, result):
            old.append(row.name)
        lines.extend(_part(result, part, machines.index(told) + 1) for part in result["parts"])
    if not machines:
        return "## How\n\nNothing has been run yet.\n"
    lines.append("")
    lines += [f"Machine {number}: {told}." for number, told in enumerate(machines, start=1)]
    if old:
        told = "Made before the newest changes to the code that trains or judges, or to the row"
        lines.append(f"\n{told}: {', '.join(old)}.")
    return "\n".join(lines) + "\n"


def _same_row(row: Row, result: Document) -> bool:
    """Whether a result is of the row as it is now; data that changed are not seen here."""
    minutes = {part["minutes_asked"] for part in result["parts"]}
    same = (minutes, result["seed"], len(result["parts"])) == ({row.minutes}, row.seed, len(row.parts))
    return same and result["recipe_document"] == recipe_of(row)


def _part(result: Document, part: Document, number: int) -> str:
    asked = "–" if part["minutes_asked"] is None else f"{part['minutes_asked']:g}"
    patients = f" of {part['patients']} patients" if part["patients"] else ""
    cells = (
        part["name"],
        result["recipe"],
        result["seed"],
        asked,
        part["minutes_used"],
        part["steps"],
        part["stopped"] or "–",
        f"{part['cases']} cases{patients}, by {part['split_by']}",
        result["made_utc"][:10],
        number,
    )
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _machine(found: Document) -> str:
    memory = f", {found['memory_gb']} GB" if found["memory_gb"] else ""
    place = f"{found['processor']}, {cores_of(found)}{memory}"
    return f"{place}, {found['system']}, Python {found['python']}, torch {found['torch']}"


def _data() -> str:
    lines = ["## Data\n", "| data | from | licence | split | rows |", "|---|---|---|---|---|"]
    by_data: dict[str, list[Row]] = {}
    for row in ROWS.values():
        by_data.setdefault(row.data.name, []).append(row)
    for rows in by_data.values():
        data = rows[0].data
        by_patient = data.patient or any(row.script for row in rows)
        split = data.split or ("by patient" if by_patient else "by image: nobody knows the patients")
        lines.append(f"| {data.title} | {data.origin} | {data.licence} | {split} | {', '.join(row.name for row in rows)} |")
    return "\n".join(lines) + "\n"


def _value(figure: Document | None) -> str:
    return "–" if figure is None or figure["value"] is None else f"{figure['value']:.3f}"


def _between(figure: Document | None) -> str:
    if figure is None or figure["low"] is None or figure["high"] is None:
        return ""
    return f"{figure['low']:.3f} to {figure['high']:.3f}"
