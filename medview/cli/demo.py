"""``medview demo``: the demo study with the bundled models' proposals, without a window."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medview.cli.output import progress, say
from medview.workspace.demo_run import run_demo

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def demo(
    *,
    output: Annotated[Path, typer.Option("-o", help="Folder to write to")] = Path("medview-demo"),
    offscreen: Annotated[bool, typer.Option("--offscreen", help="Write files even where a window could be shown")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress")] = False,
) -> None:
    """Run the bundled models on a computed patient and write pictures, masks, boxes, scores and a summary.

    With a display ``medview demo`` opens the window on the demo study instead.
    """
    del offscreen  # read where the window is chosen
    with progress(quiet=quiet) as context:
        summary = run_demo(output, context)
    say(f"The demo study and what the models made of it are in {output.resolve()}:")
    for name in summary["outputs"]:
        say(f"  {name}")
    say("The models are trained on phantoms and mean nothing on patients. Research use. Not a medical device.")
