"""Names of people as they are shown, and names whose character set was declared wrongly.

Scanners in many countries write texts in the character set of the country and declare another one, or none. Such texts are
shown as declared, for nobody else can know better; a person who can read them may say what they are. That changes what is
shown and nothing else: files, labels and exports keep the bytes they have.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, replace

from medview.core.study import Series


@dataclass(frozen=True, slots=True)
class Charset:
    """A character set a person may choose.

    Attributes
    ----------
    key : str
        Name of the Python codec.
    label : str
        For the menu.
    """

    key: str
    label: str


AS_DECLARED = ""
"""The key of what the file says itself."""

CHARSETS = (
    Charset("gb18030", "Chinese, simplified (GB18030, GBK)"),
    Charset("big5", "Chinese, traditional (Big5)"),
    Charset("cp932", "Japanese (Shift JIS)"),
    Charset("euc_jp", "Japanese (EUC-JP)"),
    Charset("cp949", "Korean (EUC-KR)"),
    Charset("iso8859_5", "Cyrillic (ISO 8859-5)"),
    Charset("cp1251", "Cyrillic (Windows 1251)"),
    Charset("koi8_r", "Cyrillic (KOI8-R)"),
    Charset("cp1253", "Greek (ISO 8859-7, Windows 1253)"),
    Charset("cp1250", "Central European (Windows 1250)"),
    Charset("cp1254", "Turkish (ISO 8859-9, Windows 1254)"),
    Charset("cp1255", "Hebrew (ISO 8859-8, Windows 1255)"),
    Charset("cp1256", "Arabic (Windows 1256)"),
    Charset("tis_620", "Thai (TIS-620)"),
    Charset("utf_8", "Unicode (UTF-8)"),
)

_ONE_BYTE = (
    *("latin_1", "iso8859_5", "iso8859_7", "iso8859_6", "iso8859_8", "iso8859_2"),
    *("iso8859_9", "iso8859_3", "iso8859_4", "tis_620", "cp932"),
)
"""What the text may have been read as where it is not known what was declared. They hardly share a letter, so that the
first that has all of them is the one; bytes that could not be read as declared were read as the first."""
_MANY_BYTES = ("gb18030", "utf_8", "cp949")


def reread(text: str, declared: str, charset: str) -> str:
    """Return a text as it reads in another character set.

    Parameters
    ----------
    text : str
        As read with the declared character set.
    declared : str
        Specific Character Set (0008,0005) of the file, several joined by backslashes; empty when unknown or absent.
    charset : str
        Key of a Charset.

    Returns
    -------
    str
        The same text where its bytes mean nothing in ``charset``, or cannot be known any more.
    """
    if charset == AS_DECLARED or text.isascii():
        return text
    for stored in _possible_bytes(text, declared):
        try:
            # A name may end in half a character, cut by the length that a name may have.
            return codecs.getincrementaldecoder(charset)("strict").decode(stored, final=False)
        except UnicodeDecodeError:
            continue
    return text


def read_as(series: Series, charset: str) -> Series:
    """Return a series whose texts read as in another character set. For display; open and label the original."""
    if charset == AS_DECLARED:
        return series
    return replace(
        series,
        patient_id=reread(series.patient_id, "", charset),
        patient_name=reread(series.patient_name, "", charset),
        description=reread(series.description, "", charset),
        study_description=reread(series.study_description, "", charset),
        body_part=reread(series.body_part, "", charset),
    )


def person_name(dicom_name: str) -> str:
    """Return a DICOM person name the way people read it: ``Doe^John`` is ``Doe, John``."""
    groups = [group for group in dicom_name.split("=") if group.strip("^ ")]
    family, given, *rest = [*(groups[0].split("^") if groups else []), "", ""]
    middle = rest[0] if len(rest) > 2 else ""
    first_names = " ".join(part for part in (given.strip(), middle.strip()) if part)
    return ", ".join(part for part in (family.strip(), first_names) if part)


def _possible_bytes(text: str, declared: str) -> Iterator[bytes]:
    """Yield what the bytes of a text may have been, the likeliest first."""
    stated = _encodings(declared) if declared else []
    one_byte = [name for name in stated if codecs.lookup(name).name not in _STAND_ALONE]
    for codec in dict.fromkeys([*one_byte, *_ONE_BYTE, *stated, *_MANY_BYTES]):
        try:
            yield text.encode(codec)
        except UnicodeEncodeError:
            continue


def _encodings(declared: str) -> list[str]:
    # Imported here: the window stands before pydicom is imported.
    from pydicom.charset import convert_encodings

    from medview.io.dicom.attributes import quiet

    with quiet():
        return convert_encodings(declared.split("\\"))


_STAND_ALONE = frozenset(codecs.lookup(name).name for name in ("utf_8", "gb18030", "gbk"))
"""What reads whole texts by itself: letters below 256 in such a text are bytes that it could not read."""
