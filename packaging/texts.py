"""Gathers every text for people into ``resources/locale/medview.pot`` and compiles the translations beside it.

Texts stand in ``_("...")`` or ``plural("...", "...", n)``. Errors, reasons, findings and names of history entries are made
in English and looked up when they are shown, so they are gathered from where they are made; what is filled into an f-string
becomes a named field.
"""

from __future__ import annotations

import ast
import json
import re
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_LOCALE = _ROOT / "resources" / "locale"
_TEMPLATE = _LOCALE / "medview.pot"

_SAYING = frozenset({
    "Charset", "Command", "DamagedFile", "Finding", "Fit", "Quantity", "Reason", "SliceReport", "Unavailable", "_alter",
    "commit", "pour", "progress", "wrong",
})  # fmt: skip
_CLI_SAYING = frozenset({"say"})
_FAULTS = frozenset({
    "AttributeError", "FileNotFoundError", "KeyError", "OSError", "RuntimeError", "TypeError", "ValueError",
})  # fmt: skip
_WHOLE_FILES = frozenset({"medview/workspace/check.py", "medview/core/source.py", "medview/core/spacing.py"})
_SENTENCES = frozenset({
    "medview/workspace/dataset_export.py", "medview/workspace/export_selection.py", "medview/workspace/label_export.py",
    "medview/workspace/neutral_export.py",
})  # fmt: skip
"""Files whose sentences are data of ``--json`` and are put into the language where they are shown."""
_PHRASES = frozenset({"medview/scene/camera.py", "medview/scene/messages.py", "medview/scene/presets.py"})
"""Files of the deeper rooms whose titles are shown."""

_SAME = frozenset({"capitalize", "get", "lower", "replace", "rstrip", "split", "strip"})
_FIELD = re.compile(r"\{(\w*)[^{}]*\}")
_LETTERS = re.compile(r"[^\W\d_]{2,}")


@dataclass
class Text:
    """A text with where it stands; ``many`` is empty unless it comes in two forms."""

    one: str
    many: str = ""
    places: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Field:
    """What is filled into a text."""

    name: str
    value: ast.expr
    form: str


def template(node: ast.expr) -> tuple[str, list[Field]]:
    """Return a literal as a text with named fields, ``{name} is locked``, and what goes into them."""
    if isinstance(node, ast.Constant):
        return str(node.value), []
    assert isinstance(node, ast.JoinedStr)
    text, fields = "", {}
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            form = ("!" + chr(part.conversion) if part.conversion > 0 else "") + _spec(part)
            key = ast.unparse(part.value)
            if key not in fields:
                fields[key] = Field(_free(_name(part.value), {f.name for f in fields.values()}), part.value, form)
            text += "{" + fields[key].name + form + "}"
        elif isinstance(part, ast.Constant):
            text += str(part.value).replace("{", "{{").replace("}", "}}")
    return text, list(fields.values())


def _spec(part: ast.FormattedValue) -> str:
    spec = part.format_spec
    if not isinstance(spec, ast.JoinedStr):
        return ""
    if not all(isinstance(piece, ast.Constant) for piece in spec.values):
        raise ValueError(f"line {part.lineno}: a format that is itself computed")
    return ":" + "".join(str(piece.value) for piece in spec.values if isinstance(piece, ast.Constant))


def _free(name: str, taken: set[str]) -> str:
    return next(n for n in (name, *(f"{name}_{number}" for number in range(2, 20))) if n not in taken)


def _name(node: ast.expr) -> str:
    """Return a readable name for an expression."""
    if isinstance(node, ast.Name):
        return node.id.strip("_").lower() or "value"
    if isinstance(node, ast.Attribute):
        return node.attr.strip("_").lower()
    if isinstance(node, ast.Call):
        return _call_name(node)
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    if isinstance(node, ast.BinOp):
        side = node.left if not isinstance(node.left, ast.Constant) else node.right
        if isinstance(node.op, ast.Mult) and not isinstance(node.right, ast.Constant):
            side = node.right
        return _name(side)
    if isinstance(node, ast.BoolOp):
        return _name(node.values[0])
    if isinstance(node, ast.IfExp):
        inner = [side for side in (node.body, node.orelse) if not isinstance(side, ast.Constant | ast.JoinedStr)]
        return _name(inner[0]) if inner else "words"
    return "value"


def _call_name(node: ast.Call) -> str:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "value")
    if name in ("len", "count", "cpu_count"):
        return "count"
    if name == "join" and node.args:
        listed = node.args[0]
        return _name(listed.elt if isinstance(listed, ast.GeneratorExp | ast.ListComp) else listed)
    if name in ("abs", "round", "max", "min", "int", "float", "str", "Path") and node.args:
        return _name(node.args[-1])
    if name in ("lower", "capitalize", "strip", "rstrip", "replace", "get", "split") and isinstance(
        node.func, ast.Attribute
    ):
        return _name(node.func.value)
    return name.strip("_").lower()


def gathered() -> list[Text]:
    """Return every text of the package in the order of files and lines, and the names in the shipped data."""
    texts: dict[str, Text] = {}
    for path in sorted((_ROOT / "medview").rglob("*.py")):
        name = path.relative_to(_ROOT).as_posix()
        for found in _texts_of(ast.parse(path.read_text(encoding="utf-8")), name):
            known = texts.setdefault(found.one, found)
            known.many = known.many or found.many
            if name not in known.places:
                known.places.append(name)
    for folder in ("colour_maps", "volume_presets", "windows"):
        for path in sorted((_ROOT / "resources" / folder).glob("*.json")):
            for title in _titles(json.loads(path.read_text(encoding="utf-8"))):
                texts.setdefault(title, Text(title, places=[path.relative_to(_ROOT).as_posix()]))
    return list(texts.values())


def _titles(data: object) -> Iterator[str]:
    """Yield the names and titles in a document."""
    if isinstance(data, dict):
        yield from (value for key, value in data.items() if key in ("name", "title"))
    if isinstance(data, dict | list):
        for inner in data.values() if isinstance(data, dict) else data:
            yield from _titles(inner)


def _texts_of(tree: ast.Module, name: str) -> Iterator[Text]:
    nodes = list(ast.walk(tree))
    quiet = {id(inner) for node in nodes for inner in _never(node)}
    deep = name.split("/")[1] not in ("gui", "cli", "workspace", "phantom") or name in _WHOLE_FILES | _SENTENCES
    saying = _SAYING | _CLI_SAYING if name.startswith("medview/cli/") else _SAYING
    for node in nodes:
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            literals = [a for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if called == "_" and literals:
                yield Text(literals[0].value)
            elif called == "plural" and len(literals) == 2:
                yield Text(literals[0].value, literals[1].value)
            elif called in saying or (called.endswith("Error") and called not in _FAULTS):
                for argument in [*node.args, *(k.value for k in node.keywords if k.arg in ("sentence", "text"))]:
                    yield from (Text(plain(piece)) for piece in _sides(argument) if _is_said(_fixed(piece), called))
        if deep and isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in quiet and _is_sentence(node, name):
            yield Text(plain(node))


def _sides(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the literals an expression may be."""
    if isinstance(node, ast.IfExp):
        yield from (*_sides(node.body), *_sides(node.orelse))
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _sides(value)
    elif isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        yield node


def plain(node: ast.expr) -> str:
    """Return a literal as a text whose fields have no format: what is looked up is finished by then."""
    text = template(node)[0]
    return re.sub(r"\{(\w+)[!:][^{}]*\}", r"{\1}", text) if isinstance(node, ast.JoinedStr) else text


def _never(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is no text for people: docstrings, parts of f-strings, log lines, programming errors."""
    if isinstance(node, ast.Expr):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield from (inner for part in node.values for inner in ast.walk(part) if not isinstance(part, ast.FormattedValue))
        yield from (part.format_spec for part in node.values if isinstance(part, ast.FormattedValue) and part.format_spec)
    elif isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in _FAULTS or called in ("debug", "info", "warning", "error", "exception", "execute", "compile", "sub"):
            yield from node.args
        yield from (k.value for k in node.keywords if k.arg == "detail")


def _fixed(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)
    return str(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _is_said(text: str, called: str) -> bool:
    """Whether a text has words and is no code or key; only a quantity may be one small word."""
    code = r"[A-Z0-9_]{3,}|[a-z]\w*[0-9_]\w*" + ("" if called == "Quantity" else r"|[a-z]+")
    return bool(_LETTERS.search(text)) and not re.fullmatch(code, text)


def _is_sentence(node: ast.expr, name: str) -> bool:
    """Whether a literal of a deeper room is made to be read: it has words and a full stop, or it stands among findings."""
    text = _fixed(node)
    words = len(_LETTERS.findall(text))
    whole = text.rstrip().endswith(".") and words >= 3
    piece = name in _WHOLE_FILES and words >= 1
    phrase = name in _PHRASES and (re.match("[A-Z][a-z]", text) is not None or (words >= 1 and " " in text))
    found = whole or piece or phrase
    return found and "\n" not in text and re.match(r"[A-Z0-9\0]|[a-z, ;]+", text) is not None


def pot() -> str:
    """Return the template for translators."""
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
    head += '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n'
    return "\n".join([head, *(_entry(text) for text in gathered())])


def _entry(text: Text) -> str:
    lines = [f"#: {place}" for place in text.places]
    lines += ["#, python-brace-format"] if _FIELD.search(text.one) else []
    lines.append(f"msgid {_quoted(text.one)}")
    lines += [f"msgid_plural {_quoted(text.many)}", 'msgstr[0] ""', 'msgstr[1] ""'] if text.many else ['msgstr ""']
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def read_po(text: str) -> dict[str, str]:
    """Return the entries of a translation as a compiled catalogue holds them: forms of a plural parted by NUL."""
    entries: dict[str, str] = {}
    for block in re.split(r"\n\s*\n", text):
        parts: dict[str, str] = {}
        now = ""
        for line in block.splitlines():
            if found := re.match(r'(msg\w+(?:\[\d\])?) (".*")$', line):
                now = found[1]
                parts[now] = ast.literal_eval(found[2])
            elif line.startswith('"') and now:
                parts[now] += ast.literal_eval(line)
        forms = [parts[key] for key in sorted(parts) if key.startswith("msgstr")]
        if "msgid" in parts and all(forms) and forms:
            ids = [parts["msgid"], *([parts["msgid_plural"]] if "msgid_plural" in parts else [])]
            entries["\0".join(ids)] = "\0".join(forms)
    return entries


def wrong_fields(entries: dict[str, str]) -> list[str]:
    """Return the texts whose translation fills in what there is not; such a one would break where it is shown."""
    return [text for text, said in entries.items() if text and not set(_FIELD.findall(said)) <= set(_FIELD.findall(text))]


def mo(entries: dict[str, str]) -> bytes:
    """Return a compiled catalogue (GNU gettext, revision 0, little endian)."""
    pairs = sorted((key.encode(), value.encode()) for key, value in entries.items())
    table = 28
    at = table + 16 * len(pairs)
    rows: tuple[list[bytes], list[bytes]] = ([], [])
    body = b""
    for column in (0, 1):
        for pair in pairs:
            rows[column].append(struct.pack("<II", len(pair[column]), at + len(body)))
            body += pair[column] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), table, table + 8 * len(pairs), 0, at)
    return head + b"".join(rows[0]) + b"".join(rows[1]) + body


def main() -> int:
    """Write the template; compile every ``<language>/LC_MESSAGES/medview.po``."""
    _LOCALE.mkdir(parents=True, exist_ok=True)
    _TEMPLATE.write_text(pot(), encoding="utf-8")
    for path in sorted(_LOCALE.glob("*/LC_MESSAGES/medview.po")):
        entries = read_po(path.read_text(encoding="utf-8"))
        if wrong := wrong_fields(entries):
            print(f"{path.relative_to(_ROOT)} fills in what there is not: {wrong[0]!r}", file=sys.stderr)
            return 1
        path.with_suffix(".mo").write_bytes(mo(entries))
    return 0


if __name__ == "__main__":
    sys.exit(main())
