"""Frozen values to plain JSON and back, so that they can lie on a disk and be read again without running anything.

What may be written is read off the type hints of the dataclasses. Reading builds nothing but those dataclasses, their
enums, tuples, numbers, texts, bytes and arrays of numbers, and checks every value against its hint. Parts that many values
have in common are written once and, when read, are one object.
"""

from __future__ import annotations

import base64
import hashlib
import types
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np


class PlainWriter:
    """Makes lists of texts and numbers out of dataclasses.

    Parameters
    ----------
    parts : sequence
        Of an earlier writer, whose lists are to be kept beside those made now.

    Attributes
    ----------
    parts : list
        What the lists point at; goes with them to the ``PlainReader``.
    """

    def __init__(self, parts: Sequence[Any] = ()) -> None:
        self.parts: list[Any] = list(parts)
        self.path = ""
        self._known = {repr(part): number for number, part in enumerate(self.parts)}

    def write(self, value: Any, path: str) -> Any:
        """Return the list for a value of the file at ``path``. Raises TypeError for what does not fit its hint."""
        self.path = path
        kind: Any = type(value)
        return _dataclass_coder(kind).write(value, self)

    def put(self, part: Any) -> int:
        """Return the number of a part, written now or before."""
        # Not the part itself: 1, 1.0 and True are equal, and so are both zeros.
        text = repr(part)
        number = self._known.get(text)
        if number is None:
            number = self._known[text] = len(self.parts)
            self.parts.append(part)
        return number


class PlainReader:
    """Makes dataclasses out of what a ``PlainWriter`` wrote.

    Parameters
    ----------
    parts : list
        Those of the writer.
    """

    def __init__(self, parts: Sequence[Any]) -> None:
        self.parts = parts
        self.path = ""
        self.made: defaultdict[object, dict[Any, Any]] = defaultdict(dict)

    def read(self, kind: type, plain: object, path: str) -> Any:
        """Return the dataclass of type ``kind``; ``path`` stands where the writer was given the path of the file.

        Raises
        ------
        ValueError, TypeError, LookupError, ArithmeticError, RecursionError
            When it was made from something else.
        """
        self.path = path
        return _dataclass_coder(kind).read(plain, self)


def layout_of(*kinds: type) -> str:
    """Return a digest that changes whenever a field, or anything below it, is added, renamed or gets another type."""
    found: dict[type, str] = {}
    for kind in kinds:
        _describe(kind, found)
    texts = sorted(f"{kind.__module__}.{kind.__qualname__}({text})" for kind, text in found.items())
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


_NONE = type(None)
_SCALARS: frozenset[type] = frozenset({str, int, float, bool, _NONE})
_LEAVES: dict[object, frozenset[type]] = {
    str: frozenset({str}),
    bool: frozenset({bool}),
    int: frozenset({int}),
    float: frozenset({int, float}),
    _NONE: frozenset({_NONE}),
}
_OWN_PATH_FIELDS = frozenset({"path", "paths"})
"""Fields that may hold the path of the file itself, which is not written."""
_OWN_PATH = 0


@dataclass(frozen=True, slots=True)
class _Coder:
    """How values of one hint are written and read.

    Attributes
    ----------
    leaves : frozenset of type
        Values of these types stay as they are.
    personal : bool
        It may hold the path of its file, so no two files have it in common.
    """

    leaves: frozenset[type]
    write: Callable[[Any, PlainWriter], Any]
    read: Callable[[Any, PlainReader], Any]
    personal: bool = False


@cache
def _coder(hint: Any, own: bool) -> _Coder:
    if own and hint is str:
        return _Coder(frozenset(), _write_path, _read_path, personal=True)
    if hint in _LEAVES:
        return _leaf_coder(_LEAVES[hint])
    if hint in (object, Any):
        return _Coder(_SCALARS, _write_any, _read_any)
    if hint is bytes:
        return _shared(_Coder(frozenset(), _write_bytes, _read_bytes))
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        return _shared(_tuple_coder(arguments, own))
    if origin in (Union, types.UnionType):
        return _union_coder(arguments, own)
    if origin is np.ndarray:
        return _shared(_Coder(frozenset(), _write_array, _read_array))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum_coder(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        return _shared(_dataclass_coder(hint))
    raise TypeError(f"{hint} cannot be written as plain values")


def _shared(coder: _Coder) -> _Coder:
    """Let equal parts be written once and read as one object."""
    if coder.personal:
        return coder
    key = object()
    inner_write, inner_read = coder.write, coder.read

    def write(value: Any, writer: PlainWriter) -> Any:
        return writer.put(inner_write(value, writer))

    def read(plain: Any, reader: PlainReader) -> Any:
        made = reader.made[key]
        value = made.get(plain)
        if value is None:
            if type(plain) is not int or plain < 0:
                raise ValueError("no number of a part")
            value = made[plain] = inner_read(reader.parts[plain], reader)
        return value

    return _Coder(coder.leaves, write, read)


def _leaf_coder(leaves: frozenset[type]) -> _Coder:
    def write(value: Any, _writer: PlainWriter) -> Any:
        plain = _bare(value)
        if type(plain) not in leaves:
            raise TypeError(f"{type(value).__name__} stands where its hint says otherwise")
        return plain

    def read(plain: Any, _reader: PlainReader) -> Any:
        raise ValueError(f"{type(plain).__name__} stands where something else belongs")

    return _Coder(leaves, write, read)


def _bare(value: Any) -> Any:
    """Return the value behind one that is more than its hint says: an enum, a numpy scalar, a special kind of text."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, np.generic):
        return value.item()
    return "".join(value) if isinstance(value, str) else value


def _write_path(value: Any, writer: PlainWriter) -> Any:
    return _OWN_PATH if value == writer.path else str(value)


def _read_path(plain: Any, reader: PlainReader) -> str:
    if type(plain) is str:
        return plain
    if type(plain) is not int or plain != _OWN_PATH:
        raise ValueError("no path")
    return reader.path


def _write_any(value: Any, writer: PlainWriter) -> Any:
    if isinstance(value, tuple):
        return [part if type(part) in _SCALARS else _write_any(part, writer) for part in value]
    return _leaf_coder(_SCALARS).write(value, writer)


def _read_any(plain: Any, reader: PlainReader) -> Any:
    return tuple([part if type(part) in _SCALARS else _read_any(part, reader) for part in _row(plain)])


def _write_bytes(value: Any, _writer: PlainWriter) -> Any:
    return base64.b64encode(value).decode()


def _read_bytes(plain: Any, _reader: PlainReader) -> bytes:
    return base64.b64decode(plain, validate=True)


def _write_array(value: Any, _writer: PlainWriter) -> Any:
    array = np.ascontiguousarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"an array of {array.dtype} cannot be written as plain values")
    return [array.dtype.str, list(np.shape(value)), base64.b64encode(array.tobytes()).decode()]


def _read_array(plain: Any, _reader: PlainReader) -> Any:
    kind, shape, content = _row(plain)
    dtype = np.dtype(str(kind))
    if dtype.kind not in "biuf":
        raise ValueError("no array of numbers")
    return np.frombuffer(base64.b64decode(content, validate=True), dtype).reshape(shape)


def _enum_coder(kind: type[Enum]) -> _Coder:
    def write(value: Any, _writer: PlainWriter) -> Any:
        return kind(value).name

    def read(plain: Any, _reader: PlainReader) -> Any:
        return kind[plain]

    return _Coder(frozenset(), write, read)


def _tuple_coder(arguments: tuple[Any, ...], own: bool) -> _Coder:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        part = _coder(arguments[0], own)
        leaves, write_part, read_part = part.leaves, part.write, part.read

        def write_all(value: Any, writer: PlainWriter) -> Any:
            return [one if type(one) in leaves else write_part(one, writer) for one in value]

        def read_all(plain: Any, reader: PlainReader) -> Any:
            return tuple([one if type(one) in leaves else read_part(one, reader) for one in _row(plain)])

        return _Coder(frozenset(), write_all, read_all, part.personal)
    parts = [_coder(argument, own) for argument in arguments]
    steps = [(part.leaves, part.write, part.read) for part in parts]

    def write(value: Any, writer: PlainWriter) -> Any:
        together = zip(value, steps, strict=True)
        return [one if type(one) in leaves else step(one, writer) for one, (leaves, step, _) in together]

    def read(plain: Any, reader: PlainReader) -> Any:
        together = zip(_row(plain), steps, strict=True)
        return tuple([one if type(one) in leaves else step(one, reader) for one, (leaves, _, step) in together])

    return _Coder(frozenset(), write, read, any(part.personal for part in parts))


def _union_coder(arguments: tuple[Any, ...], own: bool) -> _Coder:
    """Scalars alone, or one other kind beside None: anything else could not be told apart when it is read."""
    parts = [_coder(argument, own) for argument in arguments]
    leaves = frozenset(kind for part in parts for kind in part.leaves)
    others = [part for part, argument in zip(parts, arguments, strict=True) if argument not in _LEAVES]
    if not others:
        return _leaf_coder(leaves)
    if len(others) > 1 or not leaves <= {_NONE}:
        raise TypeError(f"one of {arguments} cannot be told from another as plain values")
    return _Coder(leaves, others[0].write, others[0].read, others[0].personal)


@cache
def _dataclass_coder(kind: type) -> _Coder:
    if not is_dataclass(kind):
        raise TypeError(f"{kind.__name__} cannot be written as plain values")
    hints = get_type_hints(kind)
    made_of = [one for one in fields(kind) if one.init]
    if any(one.kw_only for one in made_of):
        raise TypeError(f"{kind.__name__} takes fields by name only")
    names = [one.name for one in made_of]
    coders = [_coder(hints[name], name in _OWN_PATH_FIELDS) for name in names]
    writes = [(name, coder.leaves, coder.write) for name, coder in zip(names, coders, strict=True)]
    reads = [(coder.leaves, coder.read) for coder in coders]

    def write(value: Any, writer: PlainWriter) -> Any:
        if type(value) is not kind:
            raise TypeError(f"{type(value).__name__} stands where {kind.__name__} belongs")
        plain = []
        for name, leaves, step in writes:
            part = getattr(value, name)
            plain.append(part if type(part) in leaves else step(part, writer))
        return plain

    def read(plain: Any, reader: PlainReader) -> Any:
        together = zip(_row(plain), reads, strict=True)
        return kind(*[part if type(part) in leaves else step(part, reader) for part, (leaves, step) in together])

    return _Coder(frozenset(), write, read, any(coder.personal for coder in coders))


def _row(plain: Any) -> list[Any]:
    if type(plain) is not list:
        raise ValueError("no row of values")
    return plain


def _describe(hint: Any, found: dict[type, str]) -> None:
    for argument in get_args(hint):
        _describe(argument, found)
    if not isinstance(hint, type) or hint in found:
        return
    if is_dataclass(hint):
        hints = {one.name: get_type_hints(hint)[one.name] for one in fields(hint) if one.init}
        found[hint] = ", ".join(f"{name}: {inner}" for name, inner in hints.items())
        for inner in hints.values():
            _describe(inner, found)
    elif issubclass(hint, Enum):
        found[hint] = ", ".join(hint.__members__)
