"""``medview models``: list, inspect, add and remove model packs."""

from __future__ import annotations

from typing import Annotated

import typer

from medview.cli.output import print_json, progress, say, show
from medview.ml.packs import ModelPack
from medview.workspace.models import add_model, model_registry

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout")]


@app.command("list")
def list_models(*, json: Json = False) -> None:
    """List the installed packs."""
    packs = model_registry().list()
    if json:
        print_json({"models": [row(pack) for pack in packs]})
        return
    for pack in packs:
        state = "" if pack.available else f"  (not available: {pack.reason})"
        show(f"{pack.spec.id}@{pack.spec.version}  {pack.spec.task}  {pack.spec.name}{state}")


@app.command()
def info(model: Annotated[str, typer.Argument(metavar="ID[@VERSION]")], *, json: Json = False) -> None:
    """Show the card of a pack."""
    pack = model_registry().get(model)
    if json:
        print_json(card(pack))
        return
    for name, value in card(pack).items():
        show(f"{name}: {value}")


@app.command()
def add(
    source: Annotated[
        str,
        typer.Argument(
            metavar="PATH|URL",
            help="Pack folder, zip or https address (...#sha256=...), or a MONAI bundle, nnU-Net training or MeshNet",
        ),
    ],
    *,
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress")] = False,
) -> None:
    """Install a pack; foreign weights are converted once, in a process of their own."""
    with progress(quiet=quiet) as context:
        pack = add_model(source, context=context)
    if json:
        print_json(card(pack))
    else:
        say(f"{pack.spec.name} {pack.spec.version} is installed as {pack.spec.id}. Licence: {pack.spec.licence}.")


@app.command()
def remove(model: Annotated[str, typer.Argument(metavar="ID[@VERSION]")], *, json: Json = False) -> None:
    """Remove an installed pack; those that come with MedView stay."""
    registry = model_registry()
    pack = registry.get(model)
    registry.remove(model)
    if json:
        print_json({"removed": pack.spec.id, "version": pack.spec.version})
    else:
        say(f"{pack.spec.name} {pack.spec.version} is removed.")


def row(pack: ModelPack) -> dict[str, object]:
    """Return a pack as one entry of the documented list."""
    return {
        "id": pack.spec.id,
        "name": pack.spec.name,
        "version": pack.spec.version,
        "task": pack.spec.task,
        "modality": list(pack.spec.input.modality),
        "available": pack.available,
        "reason": pack.reason,
        "bundled": pack.bundled,
        "path": str(pack.folder),
    }


def card(pack: ModelPack) -> dict[str, object]:
    """Return the full card: the list entry and everything model.json says."""
    return {**row(pack), "card": pack.spec.document}
