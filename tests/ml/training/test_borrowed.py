"""Weights of other trainings become first weights where they fit, and what did not is said."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from medview.core.errors import ModelError, PackError
from medview.core.job import Inline
from medview.ml.networks.resnet import resnet18
from medview.ml.training.borrowed import borrow, borrow_file
from medview.ml.training.classification.task import ClassificationTask
from tests.ml.training.pictures import bright_or_not, recipe


def _theirs(classes: int = 1000, channels: int = 3) -> dict[str, torch.Tensor]:
    torch.manual_seed(8)
    return resnet18(channels, classes, 2, width=8).state_dict()


def test_a_state_dict_with_torchvisions_names_is_taken_over_but_for_its_head(tmp_path: Path) -> None:
    theirs = _theirs()
    torch.save(theirs, tmp_path / "resnet18.pth")
    own = resnet18(3, 2, 2, width=8)
    found = borrow_file(own, tmp_path / "resnet18.pth")
    assert found.fresh == ("fc.weight", "fc.bias")
    assert found.unused == ()
    assert torch.equal(own.layer3[1].conv2.weight, theirs["layer3.1.conv2.weight"])  # type: ignore[index, union-attr]
    assert torch.equal(own.bn1.running_var, theirs["bn1.running_var"])


def test_grey_pictures_are_answered_to_as_the_same_in_colour(tmp_path: Path) -> None:
    theirs = _theirs(classes=2)
    save_file({f"module.{key}": tensor for key, tensor in theirs.items()}, tmp_path / "w.safetensors")
    own, judge = resnet18(1, 2, 2, width=8).eval(), resnet18(3, 2, 2, width=8).eval()
    judge.load_state_dict(theirs)
    found = borrow_file(own, tmp_path / "w.safetensors")
    assert found.adapted == ("conv1.weight",)
    assert "first layers made to fit: conv1.weight" in str(found)
    grey = torch.randn(2, 1, 40, 40)
    with torch.no_grad():
        assert torch.allclose(own(grey), judge(grey.expand(-1, 3, -1, -1)), atol=1e-4)


def test_weights_of_another_network_are_refused_and_nothing_is_changed() -> None:
    own = resnet18(1, 2, 2, width=8)
    before = {key: tensor.clone() for key, tensor in own.state_dict().items()}
    with pytest.raises(ModelError, match=r"unet\.pth are of another kind"):
        borrow(own, {"encoder.0.weight": torch.zeros(3, 3)}, "unet.pth")
    assert all(torch.equal(before[key], tensor) for key, tensor in own.state_dict().items())


def test_a_file_that_holds_more_than_tensors_is_refused(tmp_path: Path) -> None:
    torch.save({"weights": Path}, tmp_path / "code.pth")
    with pytest.raises(PackError, match="could run code"):
        borrow_file(resnet18(1, 2, 2, width=8), tmp_path / "code.pth")


def test_a_training_begins_with_the_weights_its_recipe_names_and_with_no_others(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(_theirs(), path)
    options = {"weights": str(path), "frozen": 0.5}
    made = recipe("classification", "resnet18", network_options={"width": 8, "stem": "usual"}, options=options)
    task = ClassificationTask()
    plan = task.plan(bright_or_not(count=12), made, Inline())
    network = task.network(plan)
    assert torch.equal(network.layer4[0].conv1.weight, _theirs()["layer4.0.conv1.weight"])  # type: ignore[index, union-attr]
    save_file({key: 2 * tensor for key, tensor in _theirs().items()}, path)
    with pytest.raises(ModelError, match="not those this training began with"):
        task.network(plan)
    path.unlink()
    with pytest.raises(PackError, match=r"w\.safetensors cannot be read"):
        task.plan(bright_or_not(count=12), made, Inline())
