"""Pictures of an nnU-Net folder as a model: ``python -m tests.end_to_end.nnunet_pictures DIR``.

A synthetic training whose regions lie in each other is added from its folder and run on the demo study. Its weights are
random, so the masks mean nothing; what is looked at is the card of the model and the proposals whose segments share voxels.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from PySide6.QtWidgets import QApplication

from medview.workspace.operations import labels
from medview.workspace.operations.files import add_model
from medview.workspace.operations.predict import run_model
from tests.ml.convert.nnunet_folders import configuration, dataset_json, network, plans_json, trained_folder
from tests.ml.runners.test_nnunet import balanced

# Sets the platform before Qt looks at it.
from tests.end_to_end.pictures import LARGE, SMALL, Studio, private_home  # isort: skip
from tests.end_to_end.segments_pictures import open_demo  # isort: skip


def training(folder: Path) -> Path:
    """Write a training with tiles large enough for a whole chest to be quick."""
    given = configuration() | {"spacing": [12.0, 8.0, 8.0], "patch_size": [16, 48, 48]}
    made = balanced(network(), torch.randn(1, 1, 16, 48, 48, generator=torch.Generator().manual_seed(3)))
    dataset = dataset_json(
        labels={"background": 0, "Whole tumour": [1, 2, 3], "Tumour core": [2, 3], "Enhancing": 3},
        regions_class_order=[1, 2, 3],
        description="Regions of a tumour; a synthetic training with random weights.",
    )
    plans = plans_json({"3d_fullres": given})
    return trained_folder(folder, [made.state_dict()], dataset=dataset, plans=plans, inference_allowed_mirroring_axes=(0,))


def main(folder: Path) -> None:
    """Write all pictures."""
    app = QApplication(sys.argv[:1])
    with private_home() as home:
        studio = Studio(app, folder)
        window, workspace = studio.window, studio.program.workspace
        case = open_demo(studio, home)
        registry = workspace.services.registry
        add_model(workspace, training(home / "results"))
        studio.wait(lambda: any(pack.spec.id.startswith("nnunet") for pack in registry.list()), "the pack", 300.0)
        pack = next(pack for pack in registry.list() if pack.spec.id.startswith("nnunet"))
        window.side.show_part("models")
        studio.shoot("nnunet-card-dark", SMALL)
        for proposal_id in list(case.labels.proposals):
            labels.reject(case, proposal_id)
        run_model(workspace, pack)
        studio.wait(lambda: len(case.labels.proposals) > 1, "the proposals", 600.0)
        window.side.show_part("proposals")
        studio.shoot("nnunet-regions-dark", SMALL)
        studio.shoot("nnunet-regions-large-light", LARGE, "light")
        for proposal_id in list(case.labels.proposals):
            labels.accept(case, proposal_id)
            studio.wait(lambda one=proposal_id: one not in case.labels.proposals, "taking it over", 60.0)
        studio.shoot("nnunet-taken-over-dark", LARGE)
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "pictures")
