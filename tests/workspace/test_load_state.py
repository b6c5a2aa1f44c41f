from __future__ import annotations

from medview.workspace.load_state import LoadState, SliceState


def test_a_volume_is_complete_only_when_every_slice_has_arrived_or_is_known_damaged() -> None:
    load = LoadState(3)
    load.mark(1, ok=True)
    load.mark(0, ok=True)
    assert not load.complete
    load.mark(2, ok=False, reason="it ends early.")
    assert load.complete
    assert load.damaged == (2,)
    assert load.state(2) is SliceState.DAMAGED


def test_a_damaged_slice_is_named_with_its_reason_and_the_number_still_shown() -> None:
    load = LoadState(100)
    load.mark_all_ready()
    load.mark(46, ok=False, reason="it ends early.")
    assert load.sentence() == "Slice 47 is damaged: it ends early. The other 99 are shown."


def test_a_whole_volume_needs_no_words() -> None:
    load = LoadState(4)
    load.mark_all_ready()
    assert load.sentence() == ""
