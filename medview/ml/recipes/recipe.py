"""A recipe: everything about a training that does not come from the data set. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from medview.ml.spec import Literal, Task


@dataclass(frozen=True, slots=True)
class OptimiserChoice:
    """Which optimiser of ``medview.ml.training.optimisers`` moves the weights.

    Attributes
    ----------
    name : str
        ``sgd`` (with ``momentum`` and ``nesterov``), ``adagrad``, ``rmsprop``, ``adam``, ``adamw``.
    rate : float
        Learning rate after the warm-up.
    """

    name: str = "adamw"
    rate: float = 1e-3
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 1e-4


@dataclass(frozen=True, slots=True)
class ScheduleChoice:
    """How the learning rate goes over the planned steps.

    Attributes
    ----------
    name : str
        ``constant``, ``cosine``, ``poly`` (to the power 0.9, as nnU-Net).
    warm_up : float
        Share of the steps in which it rises to its full height.
    """

    name: str = "cosine"
    warm_up: float = 0.03


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train a model for a task.

    Attributes
    ----------
    network : str
        A family the task knows, e.g. ``residual_unet``; the plan sets its sizes.
    network_options : mapping
        What of the family is not left to the plan.
    dimensions : int
        2 or 3; 0 is left to the plan.
    batch : int
        Samples per step over all processes; 0 is left to the plan.
    loss : str
        A name the task knows, e.g. ``dice_ce``, ``ce``, ``focal``, ``dice_focal``.
    augment : mapping of str to float
        Strengths by name (``medview.ml.training.augment``); empty for none.
    steps : int
        Where no time limit is given.
    check_every : int
        Steps between two looks at the validation examples.
    average : float
        Decay of the running average of the weights that is kept (EMA); 0 keeps the last weights.
    patience : int
        Looks at validation without a better one after which training stops; 0 never stops early.
    options : mapping
        What only one task understands, e.g. ``foreground`` (share of patches on a class), ``frozen`` (share of the steps
        with a frozen backbone).
    """

    name: str
    task: Task
    summary: str
    network: str
    network_options: Mapping[str, Literal] = field(default_factory=dict)
    dimensions: int = 0
    batch: int = 0
    optimiser: OptimiserChoice = OptimiserChoice()
    schedule: ScheduleChoice = ScheduleChoice()
    loss: str = "ce"
    augment: Mapping[str, float] = field(default_factory=dict)
    steps: int = 2000
    check_every: int = 100
    average: float = 0.99
    patience: int = 0
    options: Mapping[str, Literal] = field(default_factory=dict)
