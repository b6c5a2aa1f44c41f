"""The verdict of the gate as a part of the report's page."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

MOST_CASES = 30
"""Those in which most is lost, and as many in which most is gained."""


def gate_section(document: Mapping[str, Any]) -> str:
    """Return the section; empty where the document holds no verdict."""
    gate = document.get("gate")
    if gate is None:
        return ""
    head = f"<h2>{_HEADS[gate['verdict']]}</h2><p>{escape(gate['sentence'])}</p>"
    if gate["current"] is None or not gate["per_class"]:
        return head
    new, current = escape(gate["new"]["title"]), escape(gate["current"]["title"])
    figure = {"dice": "Dice", "ap50": "AP50", "f1": "F1", "dice_3": "Dice after 3 clicks"}[gate["figure"]]
    rows = "".join(_row(row) for row in [gate["headline"], *gate["per_class"]])
    table = (
        f"<div class='box wide'><table><tr><th>{figure}</th><th>{new}</th><th>{current}</th><th>difference</th>"
        f"<th></th></tr>{rows}</table></div>"
    )
    where = f"{gate['patients']} {'patients' if gate['by_patient'] else 'images'}"
    note = (
        f"<p class='soft'>Of the {where} that show any of it, drawn together for both; small figures are 95 % intervals of "
        "the difference, or of the figure where only one model has the class.</p>"
    )
    return f"{head}{table}{note}{_cases(gate, new, current)}"


_HEADS = {
    "first": "The first model",
    "promoted": "It takes the place of the current model",
    "kept": "The current model is kept",
}


def _row(row: Mapping[str, Any]) -> str:
    low, high = row["ci95"]
    between = "" if low is None else f"<small>{low:+.3f} to {high:+.3f}</small>"
    own = "" if row["difference"] is not None or low is None else f"<small>{low:.3f} to {high:.3f}</small>"
    difference = "–" if row["difference"] is None else f"{row['difference']:+.3f}{between}"
    return (
        f"<tr><td>{escape(row['name'])}</td><td>{_figure(row['new'])}{own}</td><td>{_figure(row['current'])}</td>"
        f"<td>{difference}</td><td>{escape(row['verdict'])}</td></tr>"
    )


def _cases(gate: Mapping[str, Any], new: str, current: str) -> str:
    cases = gate["by_case"]
    shown = cases if len(cases) <= 2 * MOST_CASES else [*cases[:MOST_CASES], *cases[-MOST_CASES:]]
    if not shown:
        return ""
    rows = "".join(
        f"<tr><td>{escape(row['case'])}</td><td>{_figure(row['new'])}</td><td>{_figure(row['current'])}</td>"
        f"<td>{row['difference']:+.3f}</td></tr>"
        for row in shown
    )
    left = f"<p class='soft'>{len(cases) - len(shown)} more stand in gate.json.</p>" if len(shown) < len(cases) else ""
    return (
        f"<details><summary>{len(cases)} cases, where most is lost first</summary><table><tr><th>case</th><th>{new}</th>"
        f"<th>{current}</th><th>difference</th></tr>{rows}</table>{left}</details>"
    )


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
