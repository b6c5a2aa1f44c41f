"""What is kept between prompts: no more than there is room for, and nothing after the volume is gone."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from medview.core.errors import GraphicsError, ModelError
from medview.core.job import Inline
from medview.core.prompt_log import NOTHING
from medview.ml.runners import interactive, memory_plan, prompt_session
from medview.ml.runners.interactive import find_object
from medview.ml.runners.prompt_session import KEPT, KeptSession, PromptSession, session_bytes
from medview.ml.runners.run import let_go
from medview.ml.weights import RESIDENT
from tests.ml.runners.test_interactive import SHAPE, ball, found, known_pack, plain, prompt, volume_of
from tests.ml.small_packs import small_pack

MIDDLE = (14, 20, 20)


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    KEPT.clear()
    yield
    KEPT.clear()


def kept(kept_session: KeptSession = KEPT) -> PromptSession:
    session = kept_session._session
    assert session is not None
    return session


@pytest.mark.parametrize(("room", "most"), [(10, 10), (0, 2), (1000, 24)])
def test_answers_are_kept_as_far_as_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, most: int
) -> None:
    geometry = plain()
    state_bytes = 2 * SHAPE[0] * SHAPE[1] * SHAPE[2]
    monkeypatch.setattr(prompt_session, "KEPT_BYTES", room * state_bytes)
    pack, volume = known_pack(tmp_path / "p"), volume_of(geometry, ball(geometry, MIDDLE, 5.0))
    prompts = [prompt(geometry, (14, 20, 10 + n), key=str(n)) for n in range(26)]
    found(pack, volume, *prompts)
    states = kept().states
    assert len(states) == most
    assert sum(state.chance.nbytes for state in states.values()) == most * state_bytes
    # The last prompt can be taken back without asking anew.
    calls = []
    monkeypatch.setattr(interactive, "_step", lambda *_: calls.append(1))
    found(pack, volume, *prompts[:-1])
    assert not calls


def test_what_is_kept_goes_with_the_voxels_of_the_volume(tmp_path: Path) -> None:
    geometry = plain()
    pack, volume = known_pack(tmp_path / "p"), volume_of(geometry, ball(geometry, MIDDLE, 5.0))
    found(pack, volume, prompt(geometry, MIDDLE))
    image = weakref.ref(kept().prepared.values)
    del volume
    assert image() is None


def test_of_two_volumes_only_one_is_ever_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    geometry = plain()
    pack, one = known_pack(tmp_path / "p"), volume_of(geometry, ball(geometry, MIDDLE, 5.0))
    found(pack, one, prompt(geometry, MIDDLE))
    image = weakref.ref(kept().prepared.values)
    left, real = [], interactive.prepare

    def prepare(*arguments: object) -> object:
        left.append(image())
        return real(*arguments)

    monkeypatch.setattr(interactive, "prepare", prepare)
    other = replace(one, voxels=one.voxels.copy())
    found(pack, other, prompt(geometry, MIDDLE))
    assert left == [None]


def test_what_gives_memory_back_after_an_error_of_the_computer_gives_this_back(tmp_path: Path) -> None:
    geometry = plain()
    volume = volume_of(geometry, ball(geometry, MIDDLE, 5.0))
    found(known_pack(tmp_path / "p"), volume, prompt(geometry, MIDDLE))
    let_go()
    assert KEPT._session is None


def test_a_run_that_lacks_memory_has_what_prompts_keep_before_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    geometry = plain()
    volume = volume_of(geometry, ball(geometry, MIDDLE, 5.0))
    found(known_pack(tmp_path / "p"), volume, prompt(geometry, MIDDLE))
    pack = small_pack(tmp_path / "q")
    network = RESIDENT.get(pack, torch.device("cpu"))
    RESIDENT.keep_only(pack)
    monkeypatch.setattr(memory_plan, "free_memory_bytes", lambda: 1 << 24 if KEPT._session is not None else 1 << 40)
    assert memory_plan.plan_for(pack, network, (64, 64, 64), "cpu").device.type == "cpu"


def test_a_series_that_is_too_large_is_refused_with_figures_before_it_is_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    geometry = plain()
    pack, volume = known_pack(tmp_path / "p"), volume_of(geometry, ball(geometry, MIDDLE, 5.0))
    monkeypatch.setattr(interactive, "prepare", lambda *_: pytest.fail("prepared all the same"))
    monkeypatch.setattr(memory_plan, "free_memory_bytes", lambda: session_bytes(SHAPE))
    with pytest.raises(ModelError, match="GB of memory for this series"):
        found(pack, volume, prompt(geometry, MIDDLE))


def test_a_graphics_card_that_is_not_there_is_said_as_for_any_run(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this computer has a graphics card")
    geometry = plain()
    pack, volume = known_pack(tmp_path / "p"), volume_of(geometry, ball(geometry, MIDDLE, 5.0))
    with pytest.raises(GraphicsError, match="no graphics card"):
        find_object(pack, volume, [prompt(geometry, MIDDLE)], NOTHING, Inline(), "cuda")


def test_a_session_on_the_processor_goes_on_there_and_only_an_order_moves_it(tmp_path: Path) -> None:
    geometry = plain()
    pack, volume = known_pack(tmp_path / "p"), volume_of(geometry, ball(geometry, MIDDLE, 5.0))
    found(pack, volume, prompt(geometry, MIDDLE))
    assert KEPT.going_on(pack, volume, "auto") is KEPT.going_on(pack, volume, "cpu") is kept()
    assert KEPT.going_on(pack, volume, "cuda") is None
    assert KEPT._session is None


def test_what_torch_keeps_for_itself_on_the_card_counts_as_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (100, 1000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 70)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: 30)
    assert memory_plan.free_on("cuda") == 140
