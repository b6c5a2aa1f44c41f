"""The card of a trained model says what is known of it, and names no case and no patient."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from medview.core.job import Inline
from medview.ml.examples import Truth
from medview.ml.guards.guard import guard
from medview.ml.packs import load_pack
from medview.workspace.evaluation.evaluate import evaluate_pack
from medview.workspace.evaluation.model_card import TrainingFacts, card_document, carded, duration, machine_line, model_card
from tests.workspace.evaluation.test_evaluate import SMALL, images, judged_set, names_of, quick_pack

FACTS = TrainingFacts(
    "segmentation-3d",
    "A residual U-Net.",
    7,
    1200,
    "time",
    1130.0,
    "2026-01-02T03:04:05+00:00",
    machine="cpu; 2 processor cores (x86_64), Linux",
    versions={"medview": "0.1.0", "torch": "2.13.0"},
)


def judged(folder: Path, **more: object):  # type: ignore[no-untyped-def]
    pack = quick_pack(folder)
    layer = np.zeros((1, *SMALL), dtype=np.uint8)
    layer[0, 2:5], layer[0, 6:8] = 1, 2
    examples = judged_set("segmentation", [Truth(layer)] * len(images(4)), licence="CC0", dataset_sha256="ab" * 32)
    examples = replace(
        examples,
        examples=tuple(replace(one, split="train" if n < 3 else "val") for n, one in enumerate(examples.examples)),
        **more,
    )
    return evaluate_pack(pack, examples, "val", Inline()), guard(examples, Inline()).document()


def test_a_pack_gets_its_card_and_stays_the_same_model(tmp_path: Path) -> None:
    report, guards = judged(tmp_path / "pack")
    pack = carded(report, guards, FACTS)
    assert pack.sha256 == report.pack.sha256
    again = load_pack(tmp_path / "pack")
    card = again.spec.card
    assert card.training_set_sha256 == "ab" * 32
    assert card.metrics["Dice, mean over classes"] == round(report.figures.headlines[0].interval.value, 4)
    assert "3 cases of 3 patients for training, 1 case of 1 patient for validation" in card.training_data
    assert "Recipe segmentation-3d, seed 7, 1200 steps, 19 min on cpu; 2 processor cores" in card.training_data
    assert "Licence of the data: CC0" in card.training_data
    assert "also chose the weights" in card.limitations
    assert "seen 3 patients only" in card.limitations
    text = (tmp_path / "pack" / "MODEL_CARD.md").read_text()
    for name in names_of("segmentation"):
        assert f"| {name} | train | 3 | 3 |" in text
    assert "Research use. Not a medical device." in text
    # A card may be written twice.
    assert carded(replace(report, pack=pack), guards, FACTS).sha256 == pack.sha256


def test_no_case_or_patient_is_named(tmp_path: Path) -> None:
    report, guards = judged(tmp_path / "pack")
    guards["findings"].append(
        {"code": "same-pixels", "severity": "warn", "sentence": "case_1 (train), case_2 (train)", "cases": ["case_1"]}
    )
    text = model_card(report, guards, FACTS) + str(card_document(report, guards, FACTS))
    assert "Some pictures stand in the training more than once." in text
    for case in report.cases:
        assert case.key not in text
        assert f"{case.patient} " not in text
    assert "case_1" not in text


def test_what_is_weak_or_unknown_stands_among_the_limits(tmp_path: Path) -> None:
    report, guards = judged(tmp_path / "pack", by_patient=False)
    report = replace(report, by_patient=False, failed=(("x", "no"),))
    guards["classes"] = [{**row, "cases": 0} if row["split"] == "val" else row for row in guards["classes"]]
    said = card_document(report, guards, FACTS)["limitations"]
    assert "figures may be too good" in said
    assert "did not run on 1 of the cases" in said
    assert "no validation case shows it" in said
    assert f"Weak on {', '.join(names_of('segmentation'))}." in said


def test_cases_of_nobody_known_are_no_patients(tmp_path: Path) -> None:
    report, guards = judged(tmp_path / "pack")
    guards["splits"] = [{**row, "patients": None} for row in guards["splits"]]
    guards["classes"] = [{**row, "patients": None} for row in guards["classes"]]
    text = model_card(report, guards, FACTS)
    assert "3 cases for training, 1 case for validation" in text
    assert "has seen" not in text
    assert "| not known |" in text


def test_times_are_told_as_people_say_them() -> None:
    assert [duration(n) for n in (12.4, 1130.0, 9000.0)] == ["12 s", "19 min", "2.5 h"]
    assert "processor cores" in machine_line("cpu")
