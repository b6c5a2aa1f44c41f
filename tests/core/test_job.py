"""What a part of a job tells the one who started the whole."""

from __future__ import annotations

from medview.core.job import Inline, JobPart


class _Told(Inline):
    def __init__(self) -> None:
        super().__init__()
        self.steps: list[tuple[float, str]] = []

    def progress(self, fraction: float, text: str) -> None:
        self.steps.append((fraction, text))


def test_a_part_tells_how_far_the_whole_is_in_its_own_words_or_in_those_of_its_steps() -> None:
    told = _Told()
    JobPart(told, 0.25, 0.5).progress(0.5, "reading")
    JobPart(told, 0.5, 0.75, text="Case 3 of 4").progress(2.0, "reading")
    assert told.steps == [(0.375, "reading"), (0.75, "Case 3 of 4")]
