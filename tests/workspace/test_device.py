"""What is offered when the graphics card, not the model, was to blame."""

from __future__ import annotations

import pytest

from medview.core.errors import DeviceError, GraphicsError, MedViewError
from medview.workspace.events import Message, Severity
from medview.workspace.operations.device import reporting
from medview.workspace.workspace import Workspace


def _heard(workspace: Workspace) -> list[Message]:
    heard: list[Message] = []

    def hear(message: Message) -> None:
        heard.append(message)

    workspace.message.connect(hear)
    return heard


def test_a_card_without_memory_offers_the_processor_for_the_same_series(workspace: Workspace) -> None:
    heard, again = _heard(workspace), []
    assert workspace.active is not None
    report = reporting(workspace, workspace.active.key, lambda: again.append("cpu"))
    report(GraphicsError("Graphics memory ran out while Organs ran; run it on the processor."))
    (message,) = heard
    assert message.severity is Severity.ERROR
    assert message.way_out is not None
    message.way_out.take()
    assert again == ["cpu"]


def test_once_another_series_is_open_the_offer_runs_nothing(workspace: Workspace) -> None:
    heard, again = _heard(workspace), []
    report = reporting(workspace, "another series", lambda: again.append("cpu"))
    report(GraphicsError("Graphics memory ran out while Organs ran; run it on the processor."))
    assert heard[0].way_out is not None
    heard[0].way_out.take()
    assert again == []
    assert "no longer the open one" in heard[-1].text


@pytest.mark.parametrize("error", [DeviceError("Memory ran out."), MedViewError("It failed.")])
def test_what_the_processor_would_not_mend_offers_nothing(workspace: Workspace, error: MedViewError) -> None:
    heard = _heard(workspace)
    reporting(workspace, "", lambda: None)(error)
    assert heard[0].way_out is None
