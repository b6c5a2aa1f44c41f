"""What repairing another model's proposals would have taken on cases that are repaired already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from medview.core.job import Inline
from medview.io.library import Library
from medview.io.reader_pool import InlinePool
from medview.ml.packs import load_pack
from medview.store.project import Project
from medview.workspace.case_request import request_of_case
from medview.workspace.input_preparation import prepared
from tests.accuracy.loop.corrections import changed_voxels, corrected
from tests.accuracy.loop.scene import Scene

Document = dict[str, Any]


def wanted_effort(scene: Scene, project: Path, cases: Sequence[int], pack: Path) -> list[Document]:
    """Run a model on cases of a project and count what the annotator would change; nothing is written.

    Returns
    -------
    list of dict
        ``case_id``, ``proposed`` and ``changed`` as the annotator counts them.
    """
    # It brings torch with it, which who only writes the page can do without.
    from medview.ml.runners.run import predict

    model, pool, library = load_pack(pack), InlinePool(), Library(project.parent / "library")
    with Project.open(project, read_only=True) as opened:
        rows = {row.case_id: row for row in opened.images()}
    found = []
    for case_id in cases:
        case = request_of_case(model, rows[case_id], list(rows.values()), Inline(), pool, "cpu", library)
        request, context = prepared(case.request, Inline())
        proposed = np.zeros(case.volume.geometry.shape_kji, dtype=np.uint8)
        for mask in predict(request, context).masks:
            on_grid = mask.on_grid(proposed.shape)
            for one in mask.segments:
                proposed[on_grid == one.value] = 1 + scene.volumes.classes.index(one.name)
        truth = scene.truth(Path(rows[case_id].sources.paths[0]), case.volume)
        repaired = np.stack([corrected(before, true) for before, true in zip(proposed, truth, strict=True)])
        found.append(
            {
                "case_id": case_id,
                "proposed": int(np.count_nonzero(proposed)),
                "changed": changed_voxels(proposed, repaired, len(scene.volumes.classes)),
            }
        )
    return found
