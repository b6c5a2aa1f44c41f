"""A language for tests: every text in brackets, every letter with a mark, so that what was not translated shows."""

from __future__ import annotations

import importlib.util
import re
import string
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

_SCRIPT = Path(__file__).resolve().parents[2] / "packaging" / "texts.py"
_MARKED = "áƀćđéƒǵĥíĵķĺḿńóṕɋŕśťúṽẃẋýźÁɃĆĐÉƑǴĤÍĴĶĹḾŃÓṔɊŔŚŤÚṼẂẊÝŹ"
_TABLE = str.maketrans(string.ascii_letters, _MARKED)
_FIELD = re.compile(r"(\{[^{}]*\}|\*\.\w[\w.]*)")

CODE = "xx"


@cache
def texts_script() -> ModuleType:
    """Return ``packaging/texts.py`` as a module."""
    spec = importlib.util.spec_from_file_location("texts", _SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    sys.modules["texts"] = module
    spec.loader.exec_module(module)
    return module


def marked(text: str) -> str:
    """Return a text in the language; fields and file suffixes stay."""
    parts = _FIELD.split(text)
    return "[" + "".join(part if n % 2 else part.translate(_TABLE) for n, part in enumerate(parts)) + "]"


@cache
def _catalogue() -> bytes:
    script = texts_script()
    entries = {"": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"}
    for text in script.gathered():
        forms = [text.one, text.many] if text.many else [text.one]
        entries["\0".join(forms)] = "\0".join(map(marked, forms))
    made: bytes = script.mo(entries)
    return made


def write_pseudo_language(folder: Path) -> Path:
    """Write the catalogue of every text of the program and return the folder of languages."""
    file = folder / CODE / "LC_MESSAGES" / "medview.mo"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_catalogue())
    return folder
