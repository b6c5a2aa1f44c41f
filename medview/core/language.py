"""The language of every text a person reads.

English is both the source and the fall-back. ``_("...")`` stands around a literal where it is made::

    _("{name} is locked; unlock it to change it.").format(name=segment.name)

Texts that are kept or handed on as data (errors, verdicts with their reasons, names of history entries, JSON) stay English
and go through `in_language` where they are shown.
"""

from __future__ import annotations

import gettext
import logging
import re
import struct
from functools import lru_cache
from pathlib import Path

from medview.core.resources import resource_path

_LOG = logging.getLogger("medview.language")

_DOMAIN = "medview"
_FEWEST_LETTERS = 2
_LONGEST = 1000
"""Letters of a sentence that is looked for: longer ones are lists, and would take long."""

_FIELD = re.compile(r"\{(\w+)(?:![rs])?(?::[^{}]*)?\}")


class _Catalogue(gettext.GNUTranslations):
    _catalog: dict[str | tuple[str, int], str]

    def fixed(self) -> frozenset[str]:
        """Return the translations of texts with nothing to fill in."""
        return frozenset(said for key, said in self._catalog.items() if isinstance(key, str) and not _FIELD.search(key))

    def sentences(self) -> list[str]:
        """Return the English texts with something to fill in."""
        return [key for key in self._catalog if isinstance(key, str) and _FIELD.search(key)]


class _Spoken:
    """The catalogue in use; None is English."""

    catalogue: _Catalogue | None = None


def _(text: str) -> str:
    """Return a text in the language in use. The name is the one that tools look for which gather texts."""
    return _Spoken.catalogue.gettext(text) if _Spoken.catalogue is not None and text else text


def plural(one: str, many: str, n: int) -> str:
    """Return the form of a text that goes with ``n`` things; ``{n}`` in it is left to be filled in."""
    if _Spoken.catalogue is None:
        return one if n == 1 else many
    return _Spoken.catalogue.ngettext(one, many, n)


def in_language(sentence: str) -> str:
    """Return a finished English sentence of the program in the language in use.

    For errors, reasons and names that are kept in English: what was filled in is found again by the text around it. A
    sentence that is not known is returned as it is.
    """
    return sentence if _Spoken.catalogue is None or not sentence else _found_again(sentence)


def speaks_english() -> bool:
    """Whether texts are shown as they are written in the source."""
    return _Spoken.catalogue is None


def is_fixed(text: str) -> bool:
    """Whether a translated text is one of the program's own with nothing filled in, so that it can name nobody."""
    return _Spoken.catalogue is not None and text in _Spoken.catalogue.fixed()


def use_language(code: str, folder: Path | None = None) -> None:
    """Speak a language from now on. Texts of tables are made when their module is imported, so this comes first.

    Parameters
    ----------
    code : str
        As in ``de`` or ``pt_BR``; empty for the system's.
    folder : Path, optional
        Where the catalogues are, ``<code>/LC_MESSAGES/medview.mo``; MedView's own when left out.
    """
    _found_again.cache_clear()
    _shapes.cache_clear()
    _Spoken.catalogue = None
    try:
        file = gettext.find(_DOMAIN, folder or resource_path("locale"), [code] if code else None)
        if file is None:
            return
        with Path(file).open("rb") as content:
            _Spoken.catalogue = _Catalogue(content)
    except (OSError, ValueError, LookupError, struct.error) as error:
        _LOG.warning("the catalogue of %r cannot be read, English is used: %s", code, error)


@lru_cache(maxsize=2048)
def _found_again(sentence: str) -> str:
    whole = _(sentence)
    if whole != sentence:
        return whole
    for pattern, template in _shapes() if len(sentence) <= _LONGEST else ():
        if found := pattern.fullmatch(sentence):
            fields = {name: _piece(text, sentence) for name, text in found.groupdict().items()}
            return _filled(_(template), fields)
    return sentence


def _piece(text: str, sentence: str) -> str:
    """Return what was filled in; a piece of the program's own, such as ``in HU``, is put into the language as well."""
    # A capitalised word, or what a history entry is about, is a name that a person gave.
    own = sentence.endswith(".") and text != sentence and re.match(r"[^A-Z]|.* ", text)
    return _found_again(text) if own else text


def _filled(template: str, fields: dict[str, str]) -> str:
    # What was found again is text by now, so a format such as .1f no longer applies.
    return _FIELD.sub(lambda field: fields.get(field[1], field[0]), template)


@lru_cache(maxsize=1)
def _shapes() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return patterns of finished sentences with their templates; those that say most on their own first."""
    known = _Spoken.catalogue.sentences() if _Spoken.catalogue is not None else []
    lasting = {template: sum(map(str.isalpha, _FIELD.sub("", template))) for template in known}
    ranked = sorted(known, key=lambda template: -lasting[template])
    return tuple((_shape(template), template) for template in ranked if lasting[template] >= _FEWEST_LETTERS)


def _shape(template: str) -> re.Pattern[str]:
    """Return a pattern that matches what a template becomes when filled in, with a group for each field."""
    pattern, end, seen = "", 0, set()
    for field in _FIELD.finditer(template):
        pattern += re.escape(template[end : field.start()])
        pattern += f"(?P={field[1]})" if field[1] in seen else f"(?P<{field[1]}>.*?)"
        seen.add(field[1])
        end = field.end()
    return re.compile(pattern + re.escape(template[end:]), re.DOTALL)
