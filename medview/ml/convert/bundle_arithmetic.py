"""Numbers written as small expressions, worked out without running them: ``[1.5] * 3``, ``2**4 * 6``, ``a if b else c``.

The expression is taken apart by Python's parser, which runs nothing, and each of the few kinds of pieces known here is
worked out by this file. Names, attributes, subscripts and calls of anything but ``int``, ``float`` and ``len`` are code.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping

LONGEST = 400
"""Characters of an expression."""

LARGEST = 1e12
MOST_ITEMS = 1024

_REFERENCE = re.compile(r"@([A-Za-z_][\w]*(?:(?:#|::)[\w]+)*)")

_BINARY: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARED: Mapping[type[ast.cmpop], Callable[[object, object], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.eq,
    ast.IsNot: operator.ne,
}
_ORDERED: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class NeedsCodeError(ValueError):
    """The expression is more than arithmetic."""


def evaluate(text: str, reference: Callable[[str], object]) -> object:
    """Return the number, text or list an expression stands for.

    Parameters
    ----------
    text : str
        Without the leading ``$``.
    reference : callable
        Returns the value of an ``@id``.

    Raises
    ------
    NeedsCodeError
        When it is more than arithmetic on literals and references.
    """
    if len(text) > LONGEST:
        raise NeedsCodeError("too long")
    found: list[str] = []

    def named(match: re.Match[str]) -> str:
        found.append(match.group(1))
        return f" ref_{len(found) - 1}_ "

    try:
        tree = ast.parse(_REFERENCE.sub(named, text).strip(), mode="eval")
        return _Walk({f"ref_{n}_": name for n, name in enumerate(found)}, reference).value(tree.body)
    except (SyntaxError, RecursionError, MemoryError, ArithmeticError, TypeError, ValueError) as error:
        raise NeedsCodeError(str(error)) from error


class _Walk:
    """Works out a parsed expression piece by piece."""

    def __init__(self, names: Mapping[str, str], reference: Callable[[str], object]) -> None:
        self._names = names
        self._reference = reference

    def value(self, node: ast.expr) -> object:
        if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float | str | None):
            return _bounded(node.value)
        if isinstance(node, ast.Name) and node.id in self._names:
            return self._reference(self._names[node.id])
        if isinstance(node, ast.List | ast.Tuple):
            return [self.value(item) for item in node.elts]
        if isinstance(node, ast.IfExp):
            return self.value(node.body if self.value(node.test) else node.orelse)
        if isinstance(node, ast.UnaryOp):
            return self._unary(node)
        if isinstance(node, ast.BinOp):
            return _bounded(self._binary(node))
        if isinstance(node, ast.BoolOp):
            values = [self.value(item) for item in node.values]
            return all(values) if isinstance(node.op, ast.And) else any(values)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._compared(self.value(node.left), type(node.ops[0]), self.value(node.comparators[0]))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1 and not node.keywords:
            return self._called(node.func.id, self.value(node.args[0]))
        raise NeedsCodeError(type(node).__name__)

    def _unary(self, node: ast.UnaryOp) -> object:
        inner = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return not inner
        if isinstance(node.op, ast.USub):
            return -_number(inner)
        if isinstance(node.op, ast.UAdd):
            return _number(inner)
        raise NeedsCodeError(type(node.op).__name__)

    def _binary(self, node: ast.BinOp) -> object:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.Add) and isinstance(left, str) and isinstance(right, str):
            return left + right
        if isinstance(node.op, ast.Add) and isinstance(left, list) and isinstance(right, list):
            return left + right
        if isinstance(node.op, ast.Mult) and isinstance(left, list) and isinstance(right, int):
            if len(left) * max(right, 0) > MOST_ITEMS:
                raise NeedsCodeError("too many items")
            return left * right
        a, b = _number(left), _number(right)
        if isinstance(node.op, ast.Pow):
            if abs(a) > 64 or not -16 <= b <= 16:
                raise NeedsCodeError("too large a power")
            return a**b
        known = _BINARY.get(type(node.op))
        if known is None:
            raise NeedsCodeError(type(node.op).__name__)
        return known(a, b)

    def _compared(self, left: object, kind: type[ast.cmpop], right: object) -> bool:
        if kind in _COMPARED:
            return _COMPARED[kind](left, right)
        if kind in _ORDERED:
            return _ORDERED[kind](_number(left), _number(right))
        raise NeedsCodeError(kind.__name__)

    def _called(self, name: str, argument: object) -> object:
        if name == "len" and isinstance(argument, list | str | dict):
            return len(argument)
        if name == "int":
            return int(_number(argument))
        if name == "float":
            return float(_number(argument))
        raise NeedsCodeError(f"{name}()")


def _number(found: object) -> int | float:
    if isinstance(found, int | float):
        return found
    raise NeedsCodeError(f"{type(found).__name__} where a number belongs")


def _bounded(found: object) -> object:
    if isinstance(found, int | float) and not abs(found) <= LARGEST:
        raise NeedsCodeError("too large a number")
    if isinstance(found, str | list) and len(found) > MOST_ITEMS:
        raise NeedsCodeError("too long")
    return found
