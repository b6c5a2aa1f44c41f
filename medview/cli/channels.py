"""From what a command line names to the channels of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from medview.core.errors import AmbiguousError, ReadError
from medview.core.job import JobContext
from medview.core.study import DamagedFile, Series, Verdict
from medview.io.dicom.scan import scan
from medview.io.load import choose
from medview.io.reader_pool import Pool
from medview.ml.packs import ModelPack
from medview.workspace.model_inputs import Given, ModelInputs, given_of
from medview.workspace.open_case import case_key

_MOST_LISTED = 20


def channels_of(
    pack: ModelPack, sources: Sequence[Path], named: Sequence[str], context: JobContext, pool: Pool
) -> tuple[ModelInputs, tuple[DamagedFile, ...]]:
    """Return which series is which channel, and files that could not be read.

    As many sources as channels are taken in the model's order; one that holds a study is looked through, and what its
    headers leave open is asked for.

    Parameters
    ----------
    named : sequence of str
        ``NAME=SERIES UID`` or ``NAME=PATH``: a channel that is given that and nothing else.

    Raises
    ------
    AmbiguousError
        Where it is not clear which series a channel is; the sentence lists what there is and how to say it.
    ReadError
        Where a path holds no image that can be read.
    """
    names = [channel.name for channel in pack.spec.input.channels]
    damaged: list[DamagedFile] = []
    if len(sources) == len(names) > 1:
        found = [_one(path, None, context, pool, damaged) for path in sources]
        inputs = _chosen(pack, found, pool)
    elif len(sources) == 1:
        result = scan(sources[0], context, pool)
        damaged += result.damaged
        inputs = ModelInputs.proposed(pack, tuple(_volumes(result.series)), pool)
    else:
        raise AmbiguousError(
            f"{pack.spec.name} takes {len(names)} series, in this order: {', '.join(names)}; {len(sources)} were given. "
            "Give one for each, or the folder of one study."
        )
    said = _said(named, names)
    for number, name in enumerate(names):
        if name in said:
            inputs = _with(inputs, number, said[name], context, damaged)
    _refuse_unclear(inputs, said, sources)
    return inputs, tuple(damaged)


def _chosen(pack: ModelPack, found: Sequence[Given], pool: Pool) -> ModelInputs:
    given = [replace(one, key=f"{number} {one.key}") for number, one in enumerate(found)]
    inputs = ModelInputs.proposed(pack, tuple(given), pool)
    return replace(inputs, chosen=tuple(one.key for one in given))


def _one(path: Path, series_uid: str | None, context: JobContext, pool: Pool, damaged: list[DamagedFile]) -> Given:
    result = scan(path, context, pool)
    if result.damaged and not any(one.volumes for one in result.series):
        raise ReadError(result.damaged[0].reason)
    damaged += result.damaged
    series, entry = choose(path, result.series, series_uid)
    one = given_of(case_key(series, entry), series, entry)
    assert one is not None, "what can be chosen can be read"
    return one


def _volumes(series: Sequence[Series]) -> list[Given]:
    found = []
    for one in series:
        best = one.best
        given = given_of(case_key(one, best), one, best) if best is not None and best.verdict is Verdict.VOLUME else None
        found += [] if given is None else [given]
    return found


def _said(named: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    said = {}
    for text in named:
        name, mark, value = text.partition("=")
        known = next((one for one in names if one.casefold() == name.casefold()), None)
        if known is None or not mark or not value:
            raise AmbiguousError(
                f"--channel {text} names no channel of the model; write NAME=SERIES UID or NAME=PATH with one of "
                f"{', '.join(names)}."
            )
        said[known] = value
    return said


def _with(inputs: ModelInputs, number: int, value: str, context: JobContext, damaged: list[DamagedFile]) -> ModelInputs:
    named = next((one for one in inputs.given if one.series.series_uid == value), None)
    if named is None:
        if not Path(value).exists():
            raise ReadError(f"There is no series {value} and no file of that name for {inputs.name(number)}.")
        named = _one(Path(value), None, context, inputs.pool, damaged)
        if all(one.key != named.key for one in inputs.given):
            inputs = replace(inputs, given=(*inputs.given, named))
    chosen = ["" if key == named.key else key for key in inputs.chosen]
    chosen[number] = named.key
    return replace(inputs, chosen=tuple(chosen))


def _refuse_unclear(inputs: ModelInputs, said: dict[str, str], sources: Sequence[Path]) -> None:
    if len(sources) > 1:
        return
    unclear = [n for n in inputs.ambiguous if inputs.name(n) not in said]
    if not unclear:
        return
    wanted = ", ".join(inputs.name(n) for n in unclear)
    listed = "; ".join(_line(one) for one in inputs.given[:_MOST_LISTED]) or "no volume"
    more = f"; and {len(inputs.given) - _MOST_LISTED} more" if len(inputs.given) > _MOST_LISTED else ""
    clear = ", ".join(
        f"{inputs.name(n)} is {one.series.description or one.series.series_uid}"
        for n in range(len(inputs.chosen))
        if n not in unclear and (one := inputs.of(n)) is not None
    )
    raise AmbiguousError(
        f"It is not clear which series is {wanted}{f' ({clear})' if clear else ''}; "
        f'say --channel "{inputs.name(unclear[0])}=SERIES UID" with one of: {listed}{more}'
    )


def _line(one: Given) -> str:
    size = " x ".join(str(n) for n in one.entry.shape_kji)
    series = one.series
    return f"{series.series_uid} ({series.modality or 'image'}, {series.description or 'no description'}, {size})"
