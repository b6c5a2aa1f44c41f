"""The labels of an nnU-Net training: one value each, or regions made of several."""

from __future__ import annotations

from medview.core.segmentation import VALUES_PER_LAYER
from medview.ml.convert.foreign_json import ForeignObject
from medview.ml.texts import different

BACKGROUND = "background"
IGNORE = "ignore"
"""Voxels that training left out; the network has no channel for them."""


def output_of(dataset: ForeignObject) -> tuple[dict[str, object], int]:
    """Return the ``output`` of a ``model.json`` and how many channels the network answers with.

    Raises
    ------
    PackError
        When the labels are none that nnU-Net v2 trains with.
    """
    labels = dataset.inside("labels")
    values = {name: _values(labels, name) for name in labels.content if name != IGNORE}
    if values.get(BACKGROUND) != (0,):
        labels.lacks(BACKGROUND, "0")
    if any(len(numbers) > 1 for numbers in values.values()):
        return _regions(dataset, {name: numbers for name, numbers in values.items() if set(numbers) != {0}})
    names = {numbers[0]: name for name, numbers in values.items()}
    if sorted(names) != list(range(len(values))) or not 1 < len(names) <= VALUES_PER_LAYER + 1:
        dataset.lacks("labels", f"names with the values 0, 1, 2 and so on, at most {VALUES_PER_LAYER}")
    texts = different((names[value] for value in range(1, len(names))), "Label")
    listed = [{"value": n, "name": text} for n, text in enumerate(texts, start=1)]
    return {"labels": listed, "activation": "softmax"}, len(names)


def _regions(dataset: ForeignObject, regions: dict[str, tuple[int, ...]]) -> tuple[dict[str, object], int]:
    order = dataset.whole_numbers("regions_class_order", (len(regions),))
    if len(set(order)) != len(order):
        dataset.lacks("regions_class_order", "different values")
    if not 0 < len(regions) <= VALUES_PER_LAYER:
        dataset.lacks("labels", f"at most {VALUES_PER_LAYER} regions")
    listed = [{"value": n, "name": text} for n, text in enumerate(different(regions, "Label"), start=1)]
    # nnU-Net writes one label map and paints regions over each other, which leaves rims of them; here each stays whole.
    return {"labels": listed, "activation": "sigmoid", "overlapping": True}, len(listed)


def _values(labels: ForeignObject, name: str) -> tuple[int, ...]:
    found = labels.content[name]
    listed = found if isinstance(found, list) else [found]
    numbers = []
    for one in listed:
        digits = str(one) if isinstance(one, int | str) and not isinstance(one, bool) else ""
        if not digits.isascii() or not digits.isdigit():
            labels.lacks(name, "a value or a list of values (labels of nnU-Net v1 are the other way round)")
        numbers.append(int(digits))
    if not numbers:
        labels.lacks(name, "a value or a list of values")
    return tuple(numbers)
