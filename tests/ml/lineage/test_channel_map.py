"""Channels are found by name, by place where no name fits, and are averaged where nothing is known of them."""

from __future__ import annotations

from dataclasses import replace

from medview.ml.lineage.channel_map import ChannelMap, map_channels
from medview.ml.spec import ChannelSpec, ModelSpec
from tests.ml.lineage.models import segmenter


def seeing(*names: str) -> ModelSpec:
    spec = segmenter()
    return replace(spec, input=replace(spec.input, channels=tuple(ChannelSpec(name) for name in names)))


def test_names_decide_and_the_rest_is_new_or_gone() -> None:
    found = map_channels(seeing("T1", "FLAIR"), ("flair", "T2"))
    assert (found.old, found.gone) == ((1, None), ("T1",))
    assert found.sentence() == "channels new: T2; gone: T1"
    assert ChannelMap.of_document(found.document()) == found


def test_one_channel_under_another_name_is_the_same_one() -> None:
    found = map_channels(seeing("CT"), ("image",))
    assert found.unchanged
    assert found.sentence() == ""


def test_grey_is_the_mean_of_colours() -> None:
    found = map_channels(seeing("red", "green", "blue"), ("XA",))
    assert found.averaged
    assert found.gone == ()
    assert "mean of the 3" in found.sentence()
