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

    Further files of a source are named by fields that end in ``_path``.

    Raises
    ------
    ReadError
        When the file of masks cannot be read.
    """
    stated = [field.name for field in fields(cast("Any", source))]
    paths = [name for name in stated if name == "path" or name.endswith("_path")]
    said = {name: getattr(source, name) for name in stated if name not in paths}
    digest = hashlib.sha256(repr((type(source).__name__, said)).encode())
    if not isinstance(source, PictureShapes | ClassAnswers):
        for path in (getattr(source, name) for name in paths):
            digest.update(content_sha256(path) if path else b"")
    return digest.hexdigest()
