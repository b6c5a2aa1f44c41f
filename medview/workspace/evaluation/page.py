"""The report of an evaluation as one HTML page without scripts, made from its JSON document and a few pictures."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from medview.ml.spec import Task
from medview.workspace.evaluation.charts import curve_chart, matrix_table, reliability_chart, strip_chart
from medview.workspace.evaluation.gate_section import gate_section
from medview.workspace.evaluation.page_style import STYLE

MOST_ROWS = 500
"""Cases in the table of the page; the JSON has all of them."""

FROC_RATE = 8.0

Document = Mapping[str, Any]


def report_page(document: Document, pictures: Mapping[str, bytes]) -> str:
    """Return the page.

    Parameters
    ----------
    document : mapping
        Of ``EvaluationReport.document``; may also hold ``guards`` and ``training`` of a run.
    pictures : mapping of str to bytes
        PNG by the key of a case.
    """
    parts = [
        _head(document),
        _tiles(document),
        gate_section(document),
        _warnings(document),
        _charts(document),
        _per_class(document),
        _comparison(document),
        _confusion(document),
        _worst(document, pictures),
        _training(document),
        _facts(document),
        _by_case(document),
    ]
    title = escape(f"{document['model_name']} {document['version']}: evaluation")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _head(document: Document) -> str:
    patients = f", {document['patients']} patients" if document["patients"] else ""
    where = {"all": "everything", "val": "validation", "train": "training"}.get(document["split"], document["split"])
    said = f"{document['task']}, {where}: {document['cases']} cases{patients}; {document['made_utc']}"
    return (
        f"<header><h1>{escape(document['model_name'])} <span class='soft'>{escape(document['version'])}</span></h1>"
        f"<div class='soft'>{escape(said)}</div><div class='notice'>{escape(document['notice'])}</div></header>"
    )


def _tiles(document: Document) -> str:
    tiles = []
    for one in document["headlines"]:
        ends = "" if one["low"] is None else f"{number(one['low'])} to {number(one['high'])}"
        tiles.append(
            f"<div class='tile'><div class='name'>{escape(one['title'])}</div>"
            f"<div class='value'>{number(one['value'])}</div><div class='ends'>{ends}&nbsp;</div></div>"
        )
    drawn = document["bootstrap"]
    how = (
        f"<p class='soft'>Intervals of {100 * drawn['level']:.0f} %, from {drawn['resamples']} draws of "
        f"{'patients' if drawn['by'] == 'patient' else 'images'}.</p>"
    )
    return f"<div class='tiles'>{''.join(tiles)}</div>{how}"


def _warnings(document: Document) -> str:
    said = [f"<p>{escape(one)}</p>" for one in document["warnings"]]
    openings = document["test_openings"]
    if openings:
        count = len(openings)
        said.insert(
            0,
            f"<p>The locked test cases were opened {count} {'time' if count == 1 else 'times'} so far: the more often, the "
            "less their figures say of new patients.</p>",
        )
    return f"<div class='warnings'>{''.join(said)}</div>" if said else ""


def _charts(document: Document) -> str:
    task = document["task"]
    if task == Task.SEGMENTATION.value:
        return f"<h2>Dice of every case</h2>{_box(_dice_strip(document))}"
    if task == Task.DETECTION.value:
        return f"<h2>Curves</h2><div class='charts'>{''.join(_detection_charts(document))}</div>"
    if task == Task.INTERACTIVE.value:
        return f"<h2>Clicks</h2><div class='charts'>{''.join(_click_charts(document))}</div>"
    return f"<h2>Curves</h2><div class='charts'>{''.join(_classification_charts(document))}</div>"


def _dice_strip(document: Document) -> str:
    rows = []
    for row in document["per_class"]:
        cases = [
            (case["case"], one["dice"])
            for case in document["by_case"]
            for one in case["classes"]
            if one["name"] == row["name"] and one["dice"] is not None
        ]
        rows.append((row["name"], cases, row["dice"], document["ci95"]["classes"][row["name"]]["dice"]))
    note = "<div class='key'><span>A dot is a case, the line the mean, the bar its interval.</span></div>"
    return strip_chart(rows) + note


def _detection_charts(document: Document) -> list[str]:
    charts = [_chart("Precision and recall", curve_chart(document["curves"]["pr"], "recall", "precision"))]
    if document["froc"] is not None:
        points = [point[:2] for point in document["froc"]["points"]]
        drawn = curve_chart(
            {"all classes": [[0.0, 0.0], *points]},
            "false positives per image",
            "sensitivity",
            largest_x=FROC_RATE,
            steps=True,
        )
        at = "".join(f"<tr><td>{rate:g}</td><td>{number(found)}</td></tr>" for rate, found in document["froc"]["at"])
        charts.append(_chart("FROC", drawn))
        table = f"<table><tr><th>per image</th><th>sensitivity</th></tr>{at}</table>"
        charts.append(_chart("Sensitivity by false positives", table))
    return charts


def _click_charts(document: Document) -> list[str]:
    curves = {"the model": document["curves"]["model"], "growing without a model": document["curves"]["growing"]}
    seconds = document["click_seconds"]
    rows = (
        ("first click, median", "first_median"),
        ("first click, 95 % under", "first_p95"),
        ("further clicks, median", "median"),
        ("further clicks, 95 % under", "p95"),
    )
    times = "".join(f"<tr><td>{name}</td><td>{number(seconds[key])} s</td></tr>" for name, key in rows)
    most = float(len(document["curves"]["model"]))
    return [
        _chart("Dice after so many clicks", curve_chart(curves, "clicks", "Dice", largest_x=most)),
        _chart("From a click to the mask", f"<table>{times}</table>"),
    ]


def _classification_charts(document: Document) -> list[str]:
    rows = {row["name"]: row for row in document["per_class"]}
    roc = document["curves"]["roc"]
    marks = {
        name: (1 - rows[name]["specificity"], rows[name]["recall"])
        for name in roc
        if rows[name]["specificity"] is not None and rows[name]["recall"] is not None
    }
    charts = [
        _chart(
            "ROC (ring: the model's own threshold)",
            curve_chart(roc, "part of false alarms", "sensitivity", diagonal=True, marks=marks),
        ),
        _chart("Precision and recall", curve_chart(document["curves"]["pr"], "recall", "precision")),
    ]
    found = document["calibration"]
    if found["ece"] is not None:
        told = f"<div class='key'><span>ECE {number(found['ece'])}, Brier {number(found['brier'])}</span></div>"
        charts.append(_chart("Calibration", reliability_chart(found["bins"]) + told))
    return charts


def _per_class(document: Document) -> str:
    columns = _COLUMNS[document["task"]]
    unit = document["unit"] or ""
    head = "".join(f"<th>{escape(title.format(unit=unit, tolerance=_tolerance(document)))}</th>" for _, title in columns)
    lines = []
    for row in document["per_class"]:
        ends = document["ci95"]["classes"].get(row["name"], {})
        cells = "".join(f"<td>{_cell(row.get(key), ends.get(key))}</td>" for key, _ in columns)
        lines.append(f"<tr><td>{escape(row['name'])}</td>{cells}</tr>")
    notes = "".join(f"<p class='soft'>{escape(note)}</p>" for note in document["notes"])
    table = f"<div class='scroll'><table><tr><th>class</th>{head}</tr>{''.join(lines)}</table></div>"
    return f"<h2>By class</h2>{_box(table)}<div style='margin-top:10px'>{notes}</div>"


_COLUMNS: Mapping[str, Sequence[tuple[str, str]]] = {
    "interactive": (
        ("dice_1", "Dice, 1 click"),
        ("dice_3", "3 clicks"),
        ("dice_5", "5 clicks"),
        ("growing_1", "growing, 1 click"),
        ("growing_3", "3 clicks"),
        ("growing_5", "5 clicks"),
        ("objects", "objects"),
    ),
    "segmentation": (
        ("dice", "Dice"),
        ("surface_dice", "surface Dice at {tolerance}"),
        ("hd95", "HD95 ({unit})"),
        ("volume_error", "volume error"),
        ("cases", "cases"),
        ("empty", "empty on both sides"),
        ("one_empty", "empty on one side"),
        ("not_known", "not known"),
    ),
    "detection": (
        ("ap50", "AP50"),
        ("ap", "AP 50 to 95"),
        ("recall", "recall"),
        ("precision", "precision"),
        ("truths", "true boxes"),
        ("images", "images"),
    ),
    "classification": (
        ("auc", "AUC"),
        ("precision", "precision"),
        ("recall", "recall"),
        ("specificity", "specificity"),
        ("f1", "F1"),
        ("average_precision", "average precision"),
        ("truths", "true"),
        ("items", "images"),
    ),
}


def _tolerance(document: Document) -> str:
    rows = document["per_class"]
    return f"{rows[0]['tolerance']:g} {document['unit'] or ''}".strip() if rows and "tolerance" in rows[0] else ""


def _comparison(document: Document) -> str:
    found = document.get("comparison")
    if not found:
        return ""
    title = f"<h2>Beside {escape(found['name'])} {escape(found['version'])}</h2>"
    if not found["same_cases"]:
        return f"{title}<p>Not compared: both did not run on the same cases.</p>"
    rows = "".join(
        f"<tr><td>{escape(one['title'])}</td><td>{number(one['other'])}</td><td>{number(one['value'])}</td>"
        f"<td>{_cell(one['difference'], (one['low'], one['high']))}</td><td>{escape(one['verdict'])}</td></tr>"
        for one in found["figures"]
    )
    head = "<tr><th>figure</th><th>the other</th><th>this model</th><th>difference</th><th></th></tr>"
    note = (
        "<p class='soft' style='margin-top:10px'>The same patients are drawn for both; an interval without 0 says that "
        "they differ.</p>"
    )
    return f"{title}{_box(f'<table>{head}{rows}</table>')}{note}"


def _confusion(document: Document) -> str:
    found = document["confusion"]
    if found is None:
        return ""
    of = escape(found["of"])
    if "classes" in found:
        tables = [
            _chart(row["name"], matrix_table(("no", "yes"), ("no", "yes"), row["counts"], lambda n: f"{n:,}"))
            for row in found["classes"]
        ]
        return f"<h2>What is taken for what ({of})</h2><div class='charts'>{''.join(tables)}</div>"
    table = matrix_table(found["rows"], found["columns"], found["counts"], lambda n: f"{n:,}")
    return f"<h2>What is taken for what ({of})</h2>{_box(table)}"


def _worst(document: Document, pictures: Mapping[str, bytes]) -> str:
    if not document["worst"]:
        return ""
    shown = []
    for one in document["worst"]:
        picture = ""
        if one["case"] in pictures:
            held = base64.b64encode(pictures[one["case"]]).decode()
            picture = f"<div class='frame'><img alt='' src='data:image/png;base64,{held}'></div>"
        told = f"<b>{escape(one['case'])}</b><br>{escape(one['why'])}"
        shown.append(f"<figure>{picture}<figcaption>{told}</figcaption></figure>")
    key = ""
    if pictures and document["task"] != Task.CLASSIFICATION.value:
        key = (
            "<div class='key' style='max-width:none;margin:0 0 12px'><span><i style='background:#40c860'></i>true</span>"
            "<span><i style='background:#ec54be'></i>found</span></div>"
        )
    return f"<h2>Worst cases</h2>{key}<div class='worst'>{''.join(shown)}</div>"


def _training(document: Document) -> str:
    """Return what a run says of its data and of itself, where the document holds it."""
    parts = []
    guards = document.get("guards")
    if guards:
        heads = "".join(f"<th>{one}</th>" for one in ("split", "cases", "patients", guards["unit"], "not looked for"))
        keys = ("split", "cases", "patients", "amount", "not_known")
        rows = "".join(
            f"<tr><td>{escape(row['name'])}</td>{''.join(f'<td>{_count(row[key])}</td>' for key in keys)}</tr>"
            for row in guards["classes"]
        )
        parts.append(
            f"<h2>Labels</h2>{_box(f'<div class=scroll><table><tr><th>class</th>{heads}</tr>{rows}</table></div>')}"
        )
        said = "".join(f"<p>{escape(one['sentence'])}</p>" for one in guards["findings"])
        parts.append(f"<div class='warnings'>{said}</div>" if said else "")
    training = document.get("training")
    if training:
        parts.append(f"<h2>Training</h2>{_box(_list({str(key): str(value) for key, value in training.items()}))}")
    return "".join(parts)


def _facts(document: Document) -> str:
    seconds = document["seconds"]
    stages = ", ".join(
        f"{name} {seconds[name]:.2f} s" for name in ("load", "prepare", "infer", "finish") if name in seconds
    )
    data = document["data"]
    facts = {
        "Model": f"{document['model']}@{document['version']}",
        "Weights (SHA-256)": document["model_sha256"],
        "Time of a case": f"median {seconds['median']:.2f} s, 95 % under {seconds['p95']:.2f} s (mean: {stages})",
        "Ran on": f"{document['device']}, {document['peak_memory_mb']:.0f} MB",
        "Dataset (SHA-256)": data.get("dataset_sha256") or "not known",
        "Splits (SHA-256)": data.get("splits_sha256") or "not known",
        "Licence of the data": data.get("licence") or "not known",
        "Split by": document["split_by"],
        "Written by": document["written_by"],
    }
    openings = "".join(
        f"<tr><td>{escape(str(one['when_utc']))}</td><td>{escape(str(one['who'] or 'nobody'))}</td>"
        f"<td>{escape(str(one['model']))} {escape(str(one['version']))}</td><td>{one['cases']}</td></tr>"
        for one in document["test_openings"]
    )
    if openings:
        openings = "<h2>Openings of the test cases</h2>" + _box(
            f"<table><tr><th>when</th><th>who</th><th>model</th><th>cases</th></tr>{openings}</table>"
        )
    return f"<h2>Facts</h2>{_box(_list(facts))}{openings}"


def _by_case(document: Document) -> str:
    rows = document["by_case"]
    scored = sorted(rows, key=lambda row: (row["score"] is None, row["score"] if row["score"] is not None else 0.0))
    lines = "".join(
        f"<tr><td>{escape(row['case'])}</td><td>{escape(row['patient'] or '')}</td><td>{number(row['score'])}</td></tr>"
        for row in scored[:MOST_ROWS]
    )
    more = f"<p class='soft'>{len(rows) - MOST_ROWS} more stand in report.json.</p>" if len(rows) > MOST_ROWS else ""
    title = {
        "interactive": "mean Dice after all clicks",
        "segmentation": "mean Dice",
        "detection": "mistakes, negative",
        "classification": "probability of what is true",
    }
    return (
        f"<h2>Every case</h2><details><summary>{len(rows)} cases, the worst first</summary>"
        f"<table><tr><th>case</th><th>patient</th><th>{title[document['task']]}</th></tr>{lines}</table>{more}</details>"
    )


def _list(facts: Mapping[str, str]) -> str:
    return f"<dl>{''.join(f'<dt>{escape(key)}</dt><dd>{escape(value)}</dd>' for key, value in facts.items())}</dl>"


def _box(content: str) -> str:
    return f"<div class='box wide'>{content}</div>"


def _chart(title: str, content: str) -> str:
    return f"<div class='chart'><h3>{escape(title)}</h3>{content}</div>"


def _cell(value: Any, ends: Sequence[float | None] | None) -> str:
    if isinstance(value, int):
        return _count(value)
    between = "" if not ends or ends[0] is None else f"<small>{number(ends[0])} to {number(ends[1])}</small>"
    return f"{number(value)}{between}"


def _count(value: int | str | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else escape(value)


def number(value: float | None) -> str:
    """Return a figure with three digits behind the point, or two where it is large; a dash for none."""
    if value is None:
        return "–"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.2f}"
