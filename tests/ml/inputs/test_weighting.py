"""What the words of a series say of contrast agent: neither an operation nor a correction is one."""

from __future__ import annotations

import pytest

from medview.ml.inputs.weighting import told_by_words


@pytest.mark.parametrize(
    "text",
    [
        "T1 post op",
        "T1 POSTOP",
        "T1_post-op",
        "Post operative T1",
        "T1 with motion correction",
        "T1 with fat sat",
        "T1 post-processed",
        "T1 POSTPROC",
        "T1 posterior fossa",
    ],
)
def test_words_that_only_look_like_contrast_agent_say_nothing_of_it(text: str) -> None:
    found = told_by_words(text)
    assert (found.kind, found.enhanced) == ("t1", None)


@pytest.mark.parametrize(
    "text",
    [
        "T1 post",
        "T1post",
        "T1_POST_CONTRAST",
        "post T1",
        "T1 post op +C",
        "T1 POSTOP GD",
        "T1 postgad",
        "T1 with contrast",
        "T1 with i.v. contrast",
        "T1 with gadovist",
        "T1 with 10ml Gd",
        "AX T1 WITH",
        "T1 mit KM",
    ],
)
def test_words_of_contrast_agent_are_understood(text: str) -> None:
    found = told_by_words(text)
    assert (found.kind, found.enhanced) == ("t1", True)


@pytest.mark.parametrize("text", ["T1 without contrast", "T1 w/o", "T1 pre op", "T1 non-contrast"])
def test_words_of_none_are_understood(text: str) -> None:
    assert told_by_words(text).enhanced is False
