"""Small XML files of others, as plain elements. Entities, document types and everything from elsewhere are refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from medview.core.errors import ReadError, RefusedError
from medview.io.sources import name_of, open_source

MOST_BYTES = 16 << 20
MOST_ELEMENTS = 1_000_000
DEEPEST = 32
LONGEST_TEXT = 1 << 16


@dataclass(slots=True)
class Element:
    """An element: its name, its own text and what stands in it."""

    tag: str
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, tag: str) -> Iterator[Element]:
        """Yield the elements of a name right inside this one."""
        return (child for child in self.children if child.tag == tag)

    def first(self, tag: str) -> Element | None:
        """Return the first element of a name right inside this one, or None."""
        return next(self.all(tag), None)

    def word(self, tag: str) -> str:
        """Return the text of the first element of a name right inside this one, or nothing."""
        child = self.first(tag)
        return child.text.strip() if child is not None else ""


def read_xml(path: str) -> Element:
    """Return the root of an XML file.

    Raises
    ------
    ReadError
        When it is damaged.
    RefusedError
        When it is too large, or defines entities or a document type: those can be made to eat any memory.
    """
    name = name_of(path)
    with open_source(path) as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise RefusedError(f"{name} is larger than any list of boxes; it was not opened.")
    root = Element("")
    open_now = [root]
    count = 0

    def start(tag: str, _attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > MOST_ELEMENTS or len(open_now) > DEEPEST:
            raise RefusedError(f"{name} holds too many elements, or too deep ones; it was not opened.")
        element = Element(tag)
        open_now[-1].children.append(element)
        open_now.append(element)

    def end(_tag: str) -> None:
        open_now.pop()

    def text(words: str) -> None:
        open_now[-1].text += words
        if len(open_now[-1].text) > LONGEST_TEXT:
            raise RefusedError(f"{name} holds a text longer than any list of boxes has; it was not opened.")

    def refuse(*_: object) -> Any:
        raise RefusedError(f"{name} defines a document type or entities, which no list of boxes needs; it was not opened.")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = parser.UnparsedEntityDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise ReadError(f"{name} is damaged: it is no XML; copy it again.", detail=str(error)[:200]) from error
    return root.children[0]
