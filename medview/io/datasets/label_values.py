"""What the values of masks are called, as a person writes it: ``255=LV,128=Myocardium,64=``."""

from __future__ import annotations

from medview.core.errors import ReadError

LARGEST = 1 << 31


def label_values(text: str) -> dict[int, str]:
    """Return value -> name; a value without a name is left out of what is imported.

    Raises
    ------
    ReadError
        When it is not of the form ``value=name,value=name``.
    """
    found: dict[int, str] = {}
    for part in text.split(","):
        if not part.strip():
            continue
        value, mark, name = part.partition("=")
        if not mark or not value.strip().isdecimal() or int(value) >= LARGEST:
            raise ReadError(f"--label-values takes VALUE=NAME,VALUE=NAME and not {part.strip()[:40]}.")
        if int(value) in found:
            raise ReadError(f"--label-values names the value {int(value)} twice.")
        found[int(value)] = name.strip()
    return found
