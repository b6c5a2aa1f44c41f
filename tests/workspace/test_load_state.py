from __future__ import annotations

import numpy as np

from medview.core.geometry import Geometry
from medview.core.study import Series, Verdict, VolumeEntry
from medview.core.volume import Volume
from medview.workspace.keeping import StoredCase
from medview.workspace.load_state import LoadState, SliceState
from medview.workspace.operations.open import make_case
from medview.workspace.requests import OpenedSeries


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


def test_reading_follows_the_crosshair_of_the_case_it_fills() -> None:
    geometry = Geometry.from_spacing((9, 4, 5), (5.0, 0.9, 0.6))
    volume = Volume(np.zeros((9, 4, 5), np.int16), geometry, modality="CT")
    entry = VolumeEntry(Verdict.VOLUME, (), geometry, (9, 4, 5), (), (5.0, 0.9, 0.6))
    series = Series("1.2", "1.1", modality="CT", instances=9, volumes=(entry,))
    load = LoadState(9)
    case = make_case(series, entry, OpenedSeries(volume, StoredCase(), load))
    assert case.load is load
    assert load.wanted_k == case.view.crosshair_kji[0] == 4
    case.view.set_slice(0, 7)
    assert load.wanted_k == 7
    case.view.set_slice(2, 1)
    assert load.wanted_k == 7
