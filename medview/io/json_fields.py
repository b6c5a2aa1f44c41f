"""Fields of JSON documents that people write by hand, each wrong one told in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from medview.core.segmentation import Code

T = TypeVar("T")

MOST_LETTERS = 100
"""Of a name. DICOM keeps 64 of a segment's."""


class WrongError(Exception):
    """What is wrong with a document, without the file's name and without a full stop."""


def text_of(document: Mapping[str, Any], key: str, which: str, most: int = MOST_LETTERS) -> str:
    """Return a short text, empty where there is none. Raises WrongError on anything else."""
    value = document.get(key, "")
    if not isinstance(value, str) or len(value) > most:
        raise WrongError(f"the {key} of {which} is not a short text")
    return value.strip()


def code_of(value: object, which: str) -> Code:
    """Return a coded concept. Raises WrongError where a part of it is missing."""
    if not isinstance(value, dict):
        raise WrongError(f"the code of {which} is not an object with value, scheme and meaning")
    parts = [text_of(value, key, f"the code of {which}") for key in ("value", "scheme", "meaning")]
    if not all(parts):
        raise WrongError(f"the code of {which} lacks its value, scheme or meaning")
    return Code(*parts)


def code_document(code: Code) -> dict[str, str]:
    """Return a coded concept as JSON knows it."""
    return {"value": code.value, "scheme": code.scheme, "meaning": code.meaning}


def list_of(document: Mapping[str, Any], key: str, which: str, read: Callable[[object, str], T]) -> tuple[T, ...]:
    """Return what ``read`` makes of each thing in a list; empty where there is none."""
    value = document.get(key, [])
    if not isinstance(value, list):
        raise WrongError(f"the {key} of {which} are not a list")
    return tuple(read(one, f"{key[:-1]} {number} of {which}") for number, one in enumerate(value, start=1))
