"""How far the prompts are that a person gave."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.prompt import Prompt


@dataclass(frozen=True, slots=True)
class PromptState:
    """Prompts that are not worked out yet, as panes and panels show them.

    Attributes
    ----------
    case_key : str
        Of the case they were given on.
    waiting : tuple of Prompt
        In order; the first one is being worked out.
    working : bool
        A job works something out, be it a prompt or what is left without one.
    seconds : float
        How long the last one took, from its release until it was written; 0 before there was one.
    """

    case_key: str = ""
    waiting: tuple[Prompt, ...] = ()
    working: bool = False
    seconds: float = 0.0
