"""Networks a classification recipe may name, and how large they become for a data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from medview.core.errors import ModelError
from medview.ml.recipes.options import count_in
from medview.ml.spec import Literal, NetworkSpec, Shape3

LAST_CELLS = 8
"""A small network halves the resolution until its longest side has no more cells."""

MOST_FEATURES = 160

SMALL_SIDE = 64
"""Pictures up to this keep their resolution in the first layers."""

Options = Mapping[str, Literal]


def network_of(
    family: str, options: Options, in_channels: int, classes: int, dimensions: int, shape_kji: Shape3
) -> NetworkSpec:
    """Return the network of a family for pictures of this shape.

    Raises
    ------
    ModelError
        Where classification has no such family.
    """
    made = FAMILIES.get(family)
    if made is None:
        raise ModelError(f"Classification has no network {family}; the recipe may ask for {', '.join(FAMILIES)}.")
    sides = shape_kji[-dimensions:]
    return made(options, {"in_channels": in_channels, "classes": classes, "dimensions": dimensions}, max(sides), min(sides))


def _small_cnn(options: Options, kwargs: dict[str, Literal], longest: int, shortest: int) -> NetworkSpec:
    width = count_in(options, "width", 32 if longest <= SMALL_SIDE else 16)
    channels = [width]
    while longest > LAST_CELLS and shortest > 1:
        longest, shortest = -(-longest // 2), -(-shortest // 2)
        channels.append(min(MOST_FEATURES, 2 * channels[-1]))
    dropout = options.get("dropout", 0.2)
    return NetworkSpec("small_cnn", {**kwargs, "channels": [*channels], "dropout": dropout})


def _usual(name: str, *known: str) -> Family:
    """Return a family of fixed sizes, but for its first layers; options that are ``known`` go to the network."""

    def made(options: Options, kwargs: dict[str, Literal], longest: int, _shortest: int) -> NetworkSpec:
        stem: Literal = options.get("stem", "small" if longest <= SMALL_SIDE else "usual")
        given = {key: options[key] for key in known if key in options}
        return NetworkSpec(name, {**kwargs, **given, "stem": stem, "dropout": options.get("dropout", 0.0)})

    return made


Family = Callable[[Options, dict[str, Literal], int, int], NetworkSpec]

FAMILIES: Mapping[str, Family] = {
    "small_cnn": _small_cnn,
    "resnet18": _usual("resnet18", "width"),
    "resnet50": _usual("resnet50", "width"),
    "densenet121": _usual("densenet121", "growth"),
}
"""Name of a recipe's ``network`` -> entry of the table, from options, shared arguments, longest and shortest side."""
