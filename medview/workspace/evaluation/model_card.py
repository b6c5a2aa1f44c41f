"""The card of a trained model, written from what is known of its labels, its training and its figures."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from medview.io.datasets.dataset_case import many
from medview.io.dicom.seg import RESEARCH_USE
from medview.ml.packs import ModelPack, write_pack
from medview.workspace.evaluation.report import EvaluationReport

CARD_FILE = "MODEL_CARD.md"
LONGEST = 2000
"""Of a text in a card."""
MOST_CLASSES = 12
"""Told one by one in a card's text; the page tells all."""

FEW_PATIENTS = 50
"""In training: below it a model has seen little of how people differ."""

Guards = Mapping[str, Any]
"""As ``GuardReport.document``."""


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """How a model came about.

    Attributes
    ----------
    recipe, summary : str
        Name of the recipe, and what it says of itself.
    stopped : str
        What ended it: ``steps``, ``patience``, ``time``.
    seconds : float
        Of the whole training.
    parent : str
        Model whose weights it began with; empty for none.
    begun : str
        What became of that model's weights, in a sentence.
    machine : str
        What it was computed on, without names of people or computers.
    versions : mapping of str to str
    """

    recipe: str
    summary: str
    seed: int
    steps: int
    stopped: str
    seconds: float
    created_utc: str
    parent: str = ""
    begun: str = ""
    machine: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, str]:
        """Return the facts as lines of a report."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        facts = {
            "Recipe": f"{self.recipe}: {self.summary}" if self.summary else self.recipe,
            "Seed": str(self.seed),
            "Steps": f"{self.steps}, ended by {self.stopped}",
            "Time": duration(self.seconds),
            "Began with": self.parent or "random weights",
            "Taken over": self.begun,
            "Machine": self.machine,
            "Versions": versions,
            "Started": self.created_utc,
        }
        return {name: text for name, text in facts.items() if text}


def machine_line(device: str) -> str:
    """Return what a training ran on: the device, the processor's kind and cores, the system."""
    return f"{device}; {os.cpu_count() or 1} processor cores ({platform.machine()}), {platform.system()}"


def duration(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def card_document(report: EvaluationReport, guards: Guards | None, training: TrainingFacts) -> dict[str, Any]:
    """Return the ``card`` of a ``model.json``."""
    card: dict[str, Any] = {
        "intended_use": _cut(intended_use(report)),
        "training_data": _cut(training_data(report, guards, training)),
        "limitations": _cut(" ".join(limitations(report, guards))),
        "metrics": report.metrics(),
    }
    if report.data.get("dataset_sha256"):
        card["training_set_sha256"] = report.data["dataset_sha256"]
    return card


def intended_use(report: EvaluationReport) -> str:
    """Say what the model is for."""
    spec = report.pack.spec
    names = [str(row["name"]) for row in report.figures.per_class]
    what = {
        "segmentation": "Outlines",
        "detection": "Puts boxes around",
        "classification": "Tells apart",
        "interactive": "Finds one object somebody points at; learnt on",
    }
    images = "/".join(spec.input.modality) or "images"
    kind = f"{images} images" if spec.input.modality else images
    return f"{what[spec.task.value]} {_some(names)} in {kind} like those it was trained on. {RESEARCH_USE}"


def training_data(report: EvaluationReport, guards: Guards | None, training: TrainingFacts) -> str:
    """Say in a paragraph what the model learnt from, and how."""
    parts = [f"{split_counts(guards)}."] if guards else []
    if guards:
        held = [row for row in guards["classes"] if row["split"] == "train"]
        shown = [
            f"{row['name']} in {row['cases']} cases ({row['amount']:,} {guards['unit']})" for row in held[:MOST_CLASSES]
        ]
        more = f" and {len(held) - MOST_CLASSES} more classes" if len(held) > MOST_CLASSES else ""
        parts.append(f"In training: {', '.join(shown)}{more}.")
    parts.append(f"Licence of the data: {report.data.get('licence') or 'not stated'}.")
    parts.append(f"Split by {'patient' if report.by_patient else 'image'}.")
    began = f", begun with {training.parent}" if training.parent else ""
    parts.append(
        f"Recipe {training.recipe}, seed {training.seed}, {training.steps} steps{began}, {duration(training.seconds)} on "
        f"{training.machine or report.speed.device}."
    )
    if training.begun:
        parts.append(training.begun)
    if report.data.get("splits_sha256"):
        parts.append(f"SHA-256 of the splits {report.data['splits_sha256']}.")
    return " ".join(parts)


def split_counts(guards: Guards) -> str:
    """Return how many cases and patients each split has, in words."""
    titles = {"train": "training", "val": "validation", "test": "test"}
    told = []
    for row in guards["splits"]:
        patients = "" if row["patients"] is None else f" of {many(row['patients'], '1 patient', '{n} patients')}"
        told.append(f"{many(row['cases'], '1 case', '{n} cases')}{patients} for {titles.get(row['split'], row['split'])}")
    return ", ".join(told)


def limitations(report: EvaluationReport, guards: Guards | None) -> list[str]:
    """Say what speaks against trusting it, from what was found of the labels and from how it was judged."""
    count = len(report.cases)
    said = [f"Judged on {count} validation cases, which also chose the weights that are kept: expect less of others."]
    if report.split == "test":
        said = [f"Judged on {count} test cases; they were opened {len(report.test_openings)} times so far."]
    if not report.by_patient:
        said.append("Nobody knows which images are of one patient: figures may be too good, and intervals too narrow.")
    if guards:
        patients = next((row["patients"] for row in guards["splits"] if row["split"] == "train"), None)
        if patients is not None and patients < FEW_PATIENTS:
            said.append(f"It has seen {patients} {'patient' if patients == 1 else 'patients'} only.")
        found = {one["code"] for one in guards["findings"]}
        said += [text for code, text in _FOUND.items() if code in found]
        lacking = [row["name"] for row in guards["classes"] if row["split"] == "val" and not row["cases"]]
        if lacking:
            said.append(f"How well it finds {_some(lacking)} is not known: no validation case shows it.")
    if report.failed:
        said.append(f"It did not run on {len(report.failed)} of the cases.")
    weak = [str(row["name"]) for row in report.figures.per_class if _weak(row)]
    if weak:
        said.append(f"Weak on {_some(weak)}.")
    said.append("Images of other scanners, protocols, ages and diseases than those of the training were not looked at.")
    return said


_FOUND = {
    "same-pixels": "Some pictures stand in the training more than once.",
    "unreviewed": "Some training labels were made by a model and looked at by nobody.",
    "few-patients": "Some classes are known from one patient alone.",
    "no-examples": "Some classes have no examples in training or in validation.",
    "empty": "Many cases hold no label at all.",
    "mixed-unit": "The training images are of several units.",
    "mixed-modality": "The training images are of several modalities.",
    "spacing": "A few training images have voxels of another size than the rest.",
    "intensity": "A few training images have other values than the rest.",
}
"""Code of a guard -> what it means for whoever uses the model; no case is named."""

_FAIR = {"dice": 0.7, "dice_3": 0.7, "ap50": 0.5, "auc": 0.8}


def _weak(row: Mapping[str, Any]) -> bool:
    return any(row.get(name) is not None and row[name] < least for name, least in _FAIR.items())


def model_card(report: EvaluationReport, guards: Guards | None, training: TrainingFacts) -> str:
    """Return MODEL_CARD.md: facts only, and no case or patient."""
    spec = report.pack.spec
    rows = "\n".join(
        f"| {_cell(one.title)} | {_number(one.interval.value)} | {_between(one.interval.low, one.interval.high)} |"
        for one in report.figures.headlines
    )
    patients = f" of {report.patients} patients" if report.patients else ""
    by = "patients" if report.by_patient else "images"
    facts = "\n".join(f"| {name} | {_cell(text)} |" for name, text in training.document().items())
    notes = "\n".join(f"- {note}" for note in report.figures.notes)
    return f"""# {spec.name} {spec.version}

**{RESEARCH_USE}**

{spec.summary}

## Use

{intended_use(report)}

## Data

{training_data(report, guards, training)}

{_class_table(guards)}
## Training

| what | |
|---|---|
{facts}

## Figures

On the {len(report.cases)} {_split_title(report.split)} cases{patients}, run as MedView runs it for a person; 95 % intervals
from draws of {by}.

| figure | value | 95 % interval |
|---|---|---|
{rows}

{notes}

A case took {report.speed.seconds["median"]:.2f} s (median) on {report.speed.device}.

## Limits

{chr(10).join(f"- {text}" for text in limitations(report, guards))}

Licence: {spec.licence.rstrip(".")}. Weights (SHA-256): `{report.pack.sha256}`.
"""


def carded(
    report: EvaluationReport, guards: Guards | None, training: TrainingFacts, more: Mapping[str, bytes] | None = None
) -> ModelPack:
    """Write a pack anew with its card; the weights stay as they are.

    Parameters
    ----------
    more : mapping of str to bytes
        Further files of the pack, in place of those of the same names.

    Raises
    ------
    PackError, WriteError
    """
    pack = report.pack
    content = {name: value for name, value in pack.spec.document.items() if name != "files"}
    content["card"] = card_document(report, guards, training)
    files: dict[str, Any] = {name: pack.folder / name for name in pack.spec.files if name != CARD_FILE}
    files |= more or {}
    files[CARD_FILE] = model_card(report, guards, training).encode()
    return write_pack(pack.folder, content, files)


def _class_table(guards: Guards | None) -> str:
    if not guards:
        return ""
    rows = "\n".join(
        f"| {_cell(row['name'])} | {row['split']} | {row['cases']} | {_known(row['patients'])} | {row['amount']:,} |"
        for row in guards["classes"]
    )
    return f"| class | split | cases | patients | {guards['unit']} |\n|---|---|---|---|---|\n{rows}\n"


def _known(patients: int | None) -> str:
    return "not known" if patients is None else str(patients)


def _split_title(split: str) -> str:
    return {"val": "validation", "train": "training", "": "given"}.get(split, split)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_CLASSES} more" if len(names) > MOST_CLASSES else ""
    return ", ".join(names[:MOST_CLASSES]) + more


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _between(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{low:.3f} to {high:.3f}"
