"""The report is one page that is right for every task, and harmless whatever names its labels have."""

from __future__ import annotations

import re
import xml.dom.minidom
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from medview.core.job import Inline
from medview.ml.examples import TrueBox, Truth
from medview.workspace.evaluation.charts import curve_chart, matrix_table, reliability_chart, strip_chart
from medview.workspace.evaluation.evaluate import evaluate_pack
from medview.workspace.evaluation.page import number, report_page
from medview.workspace.evaluation.report import EvaluationReport
from tests.workspace.evaluation.test_evaluate import SMALL, judged_set, names_of, quick_pack


def judged(task: str, folder: Path) -> EvaluationReport:
    if task == "segmentation":
        layer = np.zeros((1, *SMALL), dtype=np.uint8)
        layer[0, 2:5], layer[0, 6:8] = 1, 2
        truths = [Truth(layer)] * 3
    elif task == "detection":
        truths = [Truth(boxes=(TrueBox(1, (1, 2, 3), (5, 9, 12)),))] * 3
    else:
        first, second = names_of(task)
        truths = [Truth(answers={first: float(n % 2), second: float(1 - n % 2)}) for n in range(4)]
    return evaluate_pack(quick_pack(folder, task), judged_set(task, truths), "val", Inline())


class Balanced(HTMLParser):
    """Fails where a tag is closed that was not opened last."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "img", "br", "path", "circle", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("path", "circle", "rect"):
            assert self.open.pop() == tag


@pytest.mark.parametrize("task", ["segmentation", "detection", "classification"])
def test_every_task_has_a_page_with_charts_that_are_well_formed(task: str, tmp_path: Path) -> None:
    report = judged(task, tmp_path / "pack")
    page = report_page(report.document(), report.pictures)
    reader = Balanced()
    reader.feed(page)
    assert reader.open == []
    charts = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert charts
    for chart in charts:
        xml.dom.minidom.parseString(chart)
    assert "nan" not in " ".join(charts)
    for one in report.figures.headlines:
        assert one.title in page
        assert number(one.interval.value) in page
    assert page.count("data:image/png") == len(report.worst)


def test_names_that_look_like_markup_stay_names(tmp_path: Path) -> None:
    document = judged("segmentation", tmp_path / "pack").document()
    bad = "<script>alert('x')</script>"
    document["model_name"] = bad
    document["warnings"] = [bad]
    for row in document["per_class"]:
        document["ci95"]["classes"][bad] = document["ci95"]["classes"].pop(row["name"])
        row["name"] = bad
        break
    document["confusion"]["rows"] = document["confusion"]["columns"] = ["background", bad, "other"]
    document["test_openings"] = [{"who": bad, "when_utc": "now", "model": bad, "version": "1", "cases": 3}]
    page = report_page(document, {})
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 6


def test_labels_and_training_of_a_run_stand_in_the_page(tmp_path: Path) -> None:
    document = judged("segmentation", tmp_path / "pack").document()
    document["guards"] = {
        "unit": "voxels",
        "classes": [{"name": "Lung", "split": "train", "cases": 3, "patients": 2, "amount": 12345, "not_known": 0}],
        "findings": [{"sentence": "Look here.", "code": "x", "severity": "warn", "cases": []}],
    }
    document["training"] = {"Recipe": "plain", "Seed": "7"}
    page = report_page(document, {})
    assert "12,345" in page
    assert "Look here." in page
    assert "<dt>Seed</dt><dd>7</dd>" in page


def test_charts_hold_what_they_are_given() -> None:
    chart = curve_chart({"a": [[0, 0], [0.5, 1.0], [1, 1]], "b": []}, "x", "y", diagonal=True, marks={"a": (0.5, 1.0)})
    assert chart.count('class="curve"') == 1
    assert chart.count("<circle") == 1
    assert "<span" in chart
    assert reliability_chart([{"items": 0}, {"items": 4, "said": 0.3, "true": 0.5}]).count("<circle") == 1
    strip = strip_chart([("A", [("c1", 0.5), ("c2", 1.0)], 0.75, (0.6, 0.9)), ("B", [], None, (None, None))])
    assert strip.count("<circle") == 2
    assert strip.count("<rect") == 1
    table = matrix_table(("a", "b"), ("a", "b"), [[3, 1], [0, 0]], str)
    assert "75 %" in table
    assert "rgba(var(--heat),0.56)" in table
