"""Candidates without files."""

from __future__ import annotations

import json
from typing import Any

from medview.core.acquisition import Acquisition
from medview.core.geometry import Geometry
from medview.ml.inputs.candidate import Candidate
from medview.ml.spec import ChannelSpec, ModelSpec
from medview.ml.spec_reader import read_spec
from tests.ml.small_packs import EXAMPLES

BRAIN = (
    ChannelSpec("T1", ("MR",), words=("t1",), not_words=("post", "gd")),
    ChannelSpec("T1c", ("MR",), words=("t1c", "post", "gd")),
    ChannelSpec("T2", ("MR",), words=("t2",), not_words=("flair",)),
    ChannelSpec("FLAIR", ("MR",), words=("flair",)),
)
"""What a pack for tumours of the brain lists."""


def candidate(description: str, modality: str = "MR", **changes: Any) -> Candidate:
    """Return a series of which little is said; its key is its description."""
    made = {key: changes.pop(key) for key in list(changes) if key in Acquisition.__dataclass_fields__}
    values: dict[str, Any] = {
        "key": description,
        "series_uid": description,
        "study_uid": "study",
        "description": description,
        "modality": modality,
        "unit": "HU" if modality == "CT" else "",
        "body_part": "",
        "geometry": Geometry.from_spacing((20, 30, 40), (5.0, 1.0, 1.0), frame_of_reference_uid="1.2"),
        "acquisition": Acquisition(**made),
    }
    return Candidate(**{**values, **changes})


def spec_with(**changes: Any) -> ModelSpec:
    """Return the example of a segmentation pack with some keys of its ``input`` changed."""
    content = json.loads((EXAMPLES / "segmentation.json").read_text())
    content["input"] = {**content["input"], **changes}
    return read_spec(json.dumps(content))
