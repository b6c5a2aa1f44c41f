"""Who reads which case of a project, as a value."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadingRule:
    """How many readers a case is to have, and whether they see each other's labels.

    Attributes
    ----------
    everybody : bool
        Every reader reads every case; the next field counts nothing then.
    double_every : int
        Else a case has one reader, and every so many-th has two: 1 for all of them, 0 for none.
    blinded : bool
        Nobody sees what others made of a case before it is compared.
    """

    everybody: bool = True
    double_every: int = 0
    blinded: bool = True

    def readers_of(self, number: int) -> int | None:
        """Return how many readers the case at a place of the list (1, 2, 3 ...) is to have; None for all there are."""
        if self.everybody:
            return None
        return 2 if self.double_every > 0 and (number - 1) % self.double_every == 0 else 1

    def text(self) -> str:
        """Return the rule as JSON."""
        document = {"everybody": self.everybody, "double_every": self.double_every, "blinded": self.blinded}
        return json.dumps(document, sort_keys=True)

    @classmethod
    def read(cls, text: str) -> ReadingRule:
        """Return what ``text`` made; where it says nothing sensible, that everybody reads everything, blinded."""
        try:
            found = json.loads(text)
            every = found.get("double_every", 0)
            count = every if isinstance(every, int) and not isinstance(every, bool) else 0
            return cls(found.get("everybody", True) is True, max(0, count), found.get("blinded", True) is not False)
        except (ValueError, TypeError, AttributeError):
            return cls()
