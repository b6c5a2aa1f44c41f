"""All rows: one default recipe per task where a threshold is asked, and comparisons within one budget each.

Nothing here is chosen for a data set but time, folds and the length of the shipped training.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.accuracy.trainings.data import BCCD, FEW_IMAGES, HIPPOCAMPUS, OTHERS, PNEUMONIA, PROMPTED, SUNNYBROOK, Data
from tests.accuracy.trainings.row import Row, Threshold

ASKED = "Asked for"
PROMPTS = "From prompts"
HEAD = "Architectures"
COMPARED_MINUTES: Mapping[str, float] = {"segmentation": 6, "detection": 4, "classification": 6}
"""Of each row of a comparison, by task: looks at validation volumes take their time."""

SHORT_MINUTES = 3.0
"""Of each row that compares how the small network is trained."""

_SEGMENTATION = ("segmentation-residual-unet", "segmentation-plain-unet", "segmentation-attention-unet", "segmentation-fcn")
_CLASSIFICATION = (
    "classification-small-cnn",
    "classification-resnet18",
    "classification-resnet50",
    "classification-densenet121",
)
_OPTIMISERS: Mapping[str, Mapping[str, Any]] = {
    "sgd": {"name": "sgd", "rate": 0.05},
    "momentum": {"name": "sgd", "rate": 0.02, "momentum": 0.9},
    "nesterov": {"name": "sgd", "rate": 0.02, "momentum": 0.9, "nesterov": True},
    "adagrad": {"name": "adagrad", "rate": 0.01},
    "rmsprop": {"name": "rmsprop", "rate": 0.0005},
    "adam": {"name": "adam", "rate": 0.002},
    "adamw": {"name": "adamw", "rate": 0.002, "weight_decay": 0.01},
}

_ASKED = (
    Row(
        name="hippocampus-20min",
        title="Hippocampus in 20 minutes",
        table=ASKED,
        task="segmentation",
        data=HIPPOCAMPUS,
        minutes=20,
        thresholds=(Threshold("dice.Anterior", 0.885), Threshold("dice.Posterior", 0.865)),
    ),
    Row(
        name="hippocampus-shipped",
        title="Hippocampus without a time limit",
        table=ASKED,
        task="segmentation",
        data=HIPPOCAMPUS,
        minutes=None,
        changes={"steps": 8000},
        thresholds=(Threshold("dice.Anterior", 0.895), Threshold("dice.Posterior", 0.875)),
    ),
    Row(
        name="sunnybrook-lv",
        title="Left ventricle, five folds by patient",
        table=ASKED,
        task="segmentation",
        data=SUNNYBROOK,
        minutes=None,
        changes={"steps": 1500},
        folds=5,
        thresholds=(Threshold("dice.LV", 0.91),),
    ),
    Row(
        name="bccd-15min",
        title="Blood cells in 15 minutes",
        table=ASKED,
        task="detection",
        data=BCCD,
        minutes=15,
        thresholds=(Threshold("map50", 0.88),),
    ),
    Row(
        name="pneumonia",
        title="Pneumonia in 10 minutes",
        table=ASKED,
        task="classification",
        data=PNEUMONIA,
        minutes=10,
        thresholds=(Threshold("auc", 0.99), Threshold("accuracy", 0.96)),
    ),
)

_PROMPTS = (
    Row(
        name="prompted-objects",
        title="One object from clicks, beside growing without a model",
        table=PROMPTS,
        task="interactive",
        data=PROMPTED,
        minutes=None,
        changes={"steps": 8000},
        thresholds=tuple(Threshold(f"dice_{clicks}", above=f"growing_{clicks}") for clicks in (1, 3, 5)),
        script="packaging/train_interactive_pack.py",
    ),
)


def _compared(table: str, task: str, data: Data, named: str, title: str, minutes: float, **more: Any) -> Row:
    return Row(name=named, title=title, table=table, task=task, data=data, minutes=minutes, **more)


def _architectures() -> list[Row]:
    found = []
    for task, data, recipes in (
        ("segmentation", HIPPOCAMPUS, _SEGMENTATION),
        ("segmentation", SUNNYBROOK, _SEGMENTATION),
        ("classification", PNEUMONIA, _CLASSIFICATION),
        ("detection", BCCD, ("detection-fpn",)),
    ):
        for recipe in recipes:
            short = recipe.removeprefix(f"{task}-")
            table = f"{HEAD}: {data.title}"
            named = f"{data.name}-{short}"
            found.append(_compared(table, task, data, named, short, COMPARED_MINUTES[task], recipe=recipe))
    return found


def _optimisers() -> list[Row]:
    table, task, data = f"Optimisers: {PNEUMONIA.title}", "classification", PNEUMONIA
    rows = [
        _compared(table, task, data, f"optimiser-{name}", name, SHORT_MINUTES, changes={"optimiser": dict(optimiser)})
        for name, optimiser in _OPTIMISERS.items()
    ]
    schedules = f"Schedules: {PNEUMONIA.title}"
    for name in ("constant", "cosine", "poly"):
        changes = {"schedule": {"name": name, "warm_up": 0.03}}
        rows.append(_compared(schedules, task, data, f"schedule-{name}", name, SHORT_MINUTES, changes=changes))
    return rows


def _augmentation() -> list[Row]:
    found = []
    for task, data in (("segmentation", HIPPOCAMPUS), ("detection", BCCD), ("classification", PNEUMONIA)):
        table = f"Augmentation: {data.title}"
        for word, changes in (("with", {}), ("without", {"augment": {}})):
            named = f"{data.name}-{word}-augmentation"
            title, minutes = f"{word} augmentation", COMPARED_MINUTES[task]
            found.append(_compared(table, task, data, named, title, minutes, changes=changes))
    return found


def _transfer() -> list[Row]:
    """Return a backbone that is kept, one that learns from the start, and none, on few images."""
    table, task, data = f"Transfer: {FEW_IMAGES.title}", "classification", FEW_IMAGES
    small = {"network_options": {"stem": "small", "dropout": 0.2}}
    plain = {"recipe": "classification-resnet18", "changes": small}
    rows = [
        _compared(
            "Transfer: the model that is begun with",
            task,
            OTHERS,
            "transfer-parent",
            "residual network of 18 layers on the other images",
            COMPARED_MINUTES[task],
            **plain,
        ),
        _compared(table, task, data, "transfer-none", "random weights", COMPARED_MINUTES[task], **plain),
    ]
    for name, title, frozen, rate in (
        ("frozen", "backbone frozen all the time", 1.0, 0.1),
        ("unfrozen", "backbone frozen for 40 % of the steps, then slow", 0.4, 0.1),
        ("full", "everything learns from the start", 0.0, 1.0),
    ):
        changes = {**small, "options": {"frozen": frozen, "backbone_rate": rate}}
        more: dict[str, Any] = {"recipe": "classification-resnet18-frozen", "parent": "transfer-parent"}
        rows.append(
            _compared(table, task, data, f"transfer-{name}", title, COMPARED_MINUTES[task], changes=changes, **more)
        )
    return rows


ROWS: Mapping[str, Row] = {
    row.name: row for row in (*_ASKED, *_PROMPTS, *_architectures(), *_optimisers(), *_augmentation(), *_transfer())
}
"""By name, in the order in which they are run and told; a parent stands before what begins with it."""
