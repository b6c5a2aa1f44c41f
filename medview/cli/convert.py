"""``medview convert SRC DST``: images and labels from one format into another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medview.cli.output import progress, readers, say
from medview.workspace.conversion import convert as convert_files

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def convert(
    src: Annotated[Path, typer.Argument(help="Series folder, SEG, RTSTRUCT, NIfTI or NRRD")],
    dst: Annotated[
        Path,
        typer.Argument(
            help="File to write: .nii, .nii.gz, .nrrd, .seg.nrrd, .dcm for a SEG (or what --to says), "
            ".rtstruct.dcm for an RTSTRUCT"
        ),
    ],
    *,
    reference: Annotated[
        Path | None,
        typer.Option(help="Series the labels belong to; needed to read an RTSTRUCT and to write a SEG or RTSTRUCT"),
    ] = None,
    to: Annotated[str, typer.Option(help="What a .dcm becomes: seg or rtstruct; seg unless said")] = "",
    series: Annotated[str | None, typer.Option(help="Series UID, where there are several")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress")] = False,
) -> None:
    """Convert a series to NIfTI or NRRD, or labels between SEG, RTSTRUCT, NIfTI and NRRD."""
    with readers() as pool, progress(quiet=quiet) as context:
        notes = convert_files(src, dst, reference, series, context, pool, to=to)
    say(" ".join((f"Wrote {dst}.", *notes)))
