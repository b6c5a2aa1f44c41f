"""What tells the labels of one case of a dataset from other labels of it, without reading them."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from typing import Any, cast

from medview.io.datasets.answers import ClassAnswers
from medview.io.datasets.foreign import LabelSource
from medview.io.datasets.shapes import PictureShapes
from medview.io.sources import content_sha256


def labels_sha256(source: LabelSource) -> str:
    """Return a hash of what a source says of its case: the same wherever its file lies and whatever that is called.

    Shapes and classes were read when the dataset was listed, and stand for themselves: a list of many cases in which one
    changed is another for that one only. Of masks the file speaks, with the names its values are given.

    Raises
    ------
    ReadError
        When the file of masks cannot be read.
    """
    stated = fields(cast("Any", source))
    said = {field.name: getattr(source, field.name) for field in stated if field.name != "path"}
    digest = hashlib.sha256(repr((type(source).__name__, said)).encode())
    if not isinstance(source, PictureShapes | ClassAnswers):
        digest.update(content_sha256(source.path))
    return digest.hexdigest()
