"""Finds literals in the source that people read and that are not in `_`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SHOWN = {
    "Action": (1,), "Chip": (0,), "ElidedLabel": (0,), "Entry": (0,), "Message": (0,), "QAction": (0, 1),
    "QLabel": (0,), "QMenu": (0,), "QMessageBox": (1, 2), "Row": (1, 2), "Section": (0,), "TextLine": (0,),
    "addAction": (0, 1), "addButton": (0,), "addItem": (0,), "addMenu": (0,), "addTab": (1,), "ask_folder": (1,),
    "ask_new_file": (1, 3), "chip": (0, 1), "icon_button": (1,), "number_box": (2,), "progress": (1,), "say": (0,),
    "setAccessibleName": (0,), "setInformativeText": (0,), "setPlaceholderText": (0,), "setText": (0,),
    "setToolTip": (0,), "setWindowTitle": (0,), "set_hint": (0,), "show": (0,), "text_button": (0, 1), "words": (0,),
}  # fmt: skip
"""Function -> which of its arguments are read by people, however short."""

NOT_SHOWN = frozenset({
    "Argument", "Counter", "Formatter", "Option", "Path", "QColor", "QFont", "TypeVar", "compile", "create",
    "date_text", "debug", "dtype", "endswith", "error", "exception", "field_signal", "find", "findChild", "fullmatch",
    "getattr", "icon", "import_module", "info", "isEnabled", "join", "maketrans", "match", "partition", "property",
    "relative_to", "removeprefix", "removesuffix", "replace", "resource_path", "rpartition", "rstrip",
    "setApplicationName", "setObjectName", "setProperty", "setStyleSheet", "setSuffix", "sha256", "split", "startswith",
    "strip", "sub", "version", "warning", "with_name", "write_text",
})  # fmt: skip
"""Functions whose literals are names, patterns, styles and log lines."""

KEPT_ENGLISH = frozenset({
    "Command", "DamagedFile", "Finding", "Fit", "ImageLabel", "ImportedFile", "Reason", "Segment", "SliceReport", "_alter",
    "commit", "pour",
})  # fmt: skip
"""What becomes data: history entries and findings are put into the language where they are shown, as errors are."""

TRANSLATED = frozenset({"_", "in_language", "plural"})

EXCEPTED = {
    "gui/dialogs/about.py": ("PySide6-Essentials", "SimpleITK"),
    "gui/commands/menus.py": ("recent places",),
    "gui/parts/theme.py": "a style sheet",
    "gui/dialogs/project_export.py": (", review",),
    "workspace/check.py": "findings are data of `check --json`; the panel puts them into the language",
    "workspace/counting.py": "names are data of `project export --json`",
    "workspace/dataset_export.py": "losses are data of `project export --json`; the dialog puts them into the language",
    "workspace/demo.py": "DICOM attributes of the demo study",
    "workspace/export_selection.py": "losses are data of `project export --json`; the dialog puts them into the language",
    "workspace/label_export.py": "losses are data of `project export --json`; the dialog puts them into the language",
    "workspace/neutral_export.py": "losses are data of `project export --json`; the dialog puts them into the language",
    "workspace/project_agreement.py": "names and warnings are data of `agree --json`",
    "workspace/reader_names.py": "names are data of `agree --json`",
    "workspace/project_export.py": "warnings are written into the summary of the export",
    **dict.fromkeys(
        [f"workspace/evaluation/{name}.py" for name in ("answers", "boxes", "comparison", "evaluate", "masks", "matching")],
        "titles, notes and warnings are data of `evaluate --json`",
    ),
    **dict.fromkeys(
        [
            f"workspace/evaluation/{name}.py"
            for name in ("charts", "foreign_examples", "gate_section", "model_card", "page", "prompted", "report")
        ],
        "a report and a card are documents that go from hand to hand, in English as the packs they are of",
    ),
    "workspace/model_line.py": "reasons are kept in the project and are data of `project models --json`",
    "workspace/training/gate.py": "names of rows and verdicts are data of `RUN/gate.json`",
    "workspace/training/gate_run.py": "titles are data of `RUN/gate.json`",
    "workspace/training/gate_words.py": "sentences are data of `RUN/gate.json` and kept in the project",
    "workspace/training/judgements.py": ("MedView judgements",),
    "workspace/training/learnt.py": "a finding, which is data of `RUN/guards.json`",
    "workspace/training/leaks.py": "a warning that is written into the report of a training",
    "workspace/training/examples.py": "warnings are written into the report of a training",
}
"""Files, with the reason or the texts in them that stay."""

_UNITS = frozenset({
    "Alt", "CPU", "Ctrl", "DICOM", "GB", "GPU", "HU", "L", "MB", "MIP", "MedView", "Meta", "MinIP", "NIfTI", "RGB",
    "SD", "RTSTRUCT", "SEG", "SR", "SUV", "SUVbw", "Shift", "W", "h", "kB", "m", "mL", "min", "mm", "px", "s",
})  # fmt: skip
_KEYS = frozenset(
    {"Backspace", "Delete", "Down", "End", "Enter", "Esc", "Home", "Left", "Return", "Right", "Space", "Tab", "Up"}
)
"""Keys as QKeySequence calls them."""

_WORD = re.compile(r"[^\W\d_]{2,}")
_NAME_LIKE = re.compile(r"[\w.:/*;()#-]*|[a-z][\w. -]*[.:_/][\w. -]*")
_GAP = "\0"
_PASSING = (ast.BoolOp, ast.BinOp, ast.List, ast.Tuple, ast.Starred, ast.GeneratorExp, ast.ListComp)
"""What is shown when the whole is shown."""


def bare_texts(tree: ast.Module, name: str) -> Iterator[ast.Constant | ast.JoinedStr]:
    """Yield the literals of a file that are read by people as they stand; ``name`` is like ``gui/app.py``."""
    excepted = EXCEPTED.get(name, ())
    if isinstance(excepted, str):
        return
    for node in _Reader().read(tree):
        if fixed_text(node) not in excepted:
            yield node


def fixed_text(node: ast.expr) -> str:
    """Return a literal without what is filled in."""
    if isinstance(node, ast.JoinedStr):
        return _GAP.join(str(part.value) if isinstance(part, ast.Constant) else "" for part in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else ""


def has_words(node: ast.expr) -> bool:
    """Whether a literal has more than numbers and units."""
    return any(word not in _UNITS for word in _WORD.findall(fixed_text(node)))


def looks_read(node: ast.expr) -> bool:
    """Whether a literal that stands somewhere reads like words for people and not like a key."""
    text = fixed_text(node)
    if not has_words(node) or "\n  " in text:
        return False
    plain = text.replace(_GAP, "")
    if re.fullmatch(r"[A-Z][a-z]+", plain):
        return plain not in _KEYS
    return (" " in text.strip() and not _NAME_LIKE.fullmatch(plain)) or bool(re.match(r"[ ,;]+[a-z]{2,}", plain))


class _Reader:
    """Walks a tree; ``shown`` says that what comes next is read by people in any case."""

    def read(self, node: ast.AST, *, shown: bool = False) -> Iterator[ast.Constant | ast.JoinedStr]:
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str) and (has_words(node) if shown else looks_read(node)):
                yield node
        elif isinstance(node, ast.JoinedStr):
            if has_words(node) if shown else looks_read(node):
                yield node
            else:
                for part in node.values:
                    if isinstance(part, ast.FormattedValue):
                        yield from self.read(part.value, shown=shown)
        elif isinstance(node, ast.Call):
            yield from self._call(node, shown=shown)
        else:
            for child, is_shown in self._children(node, shown=shown):
                yield from self.read(child, shown=is_shown)

    def _call(self, node: ast.Call, *, shown: bool) -> Iterator[ast.Constant | ast.JoinedStr]:
        name = called(node)
        yield from self.read(node.func)
        if name in TRANSLATED or name.endswith("Error"):
            return
        quiet = name in NOT_SHOWN or name in KEPT_ENGLISH
        for number, argument in enumerate(node.args):
            if number in SHOWN.get(name, ()):
                yield from self.read(argument, shown=True)
            elif not quiet or not isinstance(argument, ast.Constant | ast.JoinedStr):
                yield from self.read(argument)
        for keyword in node.keywords:
            if (not quiet or name == "replace") and keyword.arg not in ("role", "icon_name"):
                yield from self.read(keyword.value, shown=keyword.arg == "why_not")

    @staticmethod
    def _children(node: ast.AST, *, shown: bool) -> Iterator[tuple[ast.AST, bool]]:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return  # a docstring
        if isinstance(node, ast.Compare | ast.match_case):
            parts = [node.left, *node.comparators] if isinstance(node, ast.Compare) else node.body
            yield from (
                (part, False) for part in parts if not isinstance(part, ast.Constant | ast.JoinedStr | ast.Tuple | ast.Set)
            )
        elif isinstance(node, ast.Dict):
            yield from ((value, shown) for value in node.values)
        elif isinstance(node, ast.Subscript):
            yield node.value, False
        elif isinstance(node, ast.IfExp):
            yield from ((node.test, False), (node.body, shown), (node.orelse, shown))
        elif isinstance(node, ast.AnnAssign):
            yield from ((part, False) for part in (node.value,) if part is not None)
        elif isinstance(node, ast.FunctionDef):
            yield from ((part, False) for part in node.body)
        elif isinstance(
            node, ast.BoolOp | ast.BinOp | ast.List | ast.Tuple | ast.Starred | ast.GeneratorExp | ast.ListComp
        ):
            yield from ((child, shown) for child in ast.iter_child_nodes(node))
        else:
            yield from ((child, False) for child in ast.iter_child_nodes(node))


def called(node: ast.Call) -> str:
    """Return the name of what is called, without what it belongs to."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def source_files(package: Path, rooms: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """Yield the files of rooms by names like ``gui/app.py``."""
    for room in rooms:
        for path in sorted((package / room).rglob("*.py")):
            yield path.relative_to(package).as_posix(), path
