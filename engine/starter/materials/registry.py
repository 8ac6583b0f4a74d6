"""What a material family is, and the canvas on which its recipe draws.

A family is one decorated function; `masonry.py` shows the form. The recipe gets a `Canvas` (periodic noise
and cells, randomness by name, the palette) and returns `Layers`. To add a family: write the recipe in the
module of its kind, decorate it, and look at `python -m engine.starter.materials --sheet FILE`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NotRequired, TypedDict

import numpy as np

from engine.starter.materials import primitives
from engine.starter.materials.colour import from_hex
from engine.starter.materials.primitives import Array, Blocks, Cells, Ints

SCALES: dict[str, float] = {"large": 0.75, "medium": 1.0, "small": 1.3, "fine": 1.6}
STRENGTHS: dict[str, float] = {"slightly": 0.35, "plain": 0.65, "heavily": 1.0}
FINISHES: tuple[str, ...] = ("glossy", "matte")


class Mixture(TypedDict):
    """A second material on a first one."""

    overlay: Params  # plain: no modifiers, no mixture
    place: str  # a key of mixtures.PLACES
    share: float  # of the surface that it covers, 0..1


class Coat(TypedDict):
    """What a prompt wants to lie on a material, and how much of it; training never draws any."""

    name: str  # a key of coats.COATS
    amount: float  # 0..1 as strengths are, a little more for what may cover everything
    colour: str | None  # basic colour term, where it comes in several
    place: str | None  # a key of mixtures.PLACES; None: where it lies as a rule


class Params(TypedDict):
    """Everything that a material depends on. Goes into JSON as it is."""

    family: str
    seed: int
    palette: str  # a name in the family's palettes, or "any" where target is set
    target: str | None  # sRGB hex that the body of the material has on average
    colour: str  # basic colour term
    scale: str  # a key of SCALES
    finish: str | None  # one of FINISHES
    modifiers: dict[str, str]  # name → a key of STRENGTHS
    relief: float  # height range / tile width, before modifiers
    layout: str | None  # one of the family's layouts, where it has any
    joint: str | None  # basic colour term of what lies between; known once drawn, None before
    mixture: Mixture | None
    coats: NotRequired[list[Coat]]


@dataclass(frozen=True)
class Palette:
    """Natural colours: the basic term for them, stops from dark to light (sRGB hex), how often drawn."""

    colour: str
    stops: str
    weight: float = 1.0


@dataclass
class Layers:
    """What a recipe returns, each (H, W) or a number, base (H, W, 3) sRGB; height in any unit.

    body (0..1) marks what the colour word is about: the bricks, not the mortar. What glows does so in its
    base colour, as strongly as `emission` (0..1) says. `joint` is the colour (3,) of what lies between.
    """

    base: Array
    height: Array
    roughness: Array | float
    metallic: Array | float = 0.0
    body: Array | float = 1.0
    emission: Array | float = 0.0
    joint: Array | None = None


@dataclass(frozen=True)
class Maps:
    """The same as full pictures, in range: base (H, W, 3), the rest (H, W), all 0..1."""

    base: Array
    height: Array
    roughness: Array
    metallic: Array
    body: Array
    emission: Array


Recipe = Callable[["Canvas"], Layers]
Modifier = Callable[["Canvas", Maps, float], Maps]
"""A condition laid over a material, by its strength 0..1."""


@dataclass(frozen=True)
class Family:
    """A kind of material: how to draw it, what to call it, in which colours it comes."""

    name: str
    group: str
    nouns: tuple[str, ...]  # the first one is canonical
    palettes: dict[str, Palette]
    relief: tuple[float, float]
    recipe: Recipe
    colourable: bool = False
    modifiers: tuple[str, ...] = ()
    finishes: tuple[str, ...] = ()
    scales: tuple[str, ...] = tuple(SCALES)
    layouts: tuple[
        str, ...
    ] = ()  # ways to lay it that have a name; the recipe finds the drawn one in `c.layout`
    joint: str = ""  # what lies between, in the plural form that captions use, where `Layers.joint` is set


REGISTRY: dict[str, Family] = {}


def family(**about: object) -> Callable[[Recipe], Recipe]:
    """Enter a recipe, under its function's name, into the registry; the rest are the fields of `Family`."""

    def enter(recipe: Recipe) -> Recipe:
        entry = Family(name=recipe.__name__, recipe=recipe, **about)  # type: ignore[arg-type]
        REGISTRY[entry.name] = entry
        return recipe

    return enter


def number_for(seed: int, *names: object) -> float:
    """Uniform in [0, 1), by names: adding a draw somewhere never changes another one."""
    key = zlib.crc32("/".join(map(str, (seed, *names))).encode())
    return float(primitives.hashed(key, 0, 7))


class Canvas:
    """The unit torus at some size, with randomness that depends on (family, seed, name) only.

    Args:
        params: what is drawn.
        size: pixels a side, a power of two.
        colours: (K, 3) sRGB stops from dark to light.
        shift: pixels by which the picture is rolled (down, right).
    """

    def __init__(self, params: Params, size: int, colours: Array, shift: tuple[int, int] = (0, 0)) -> None:
        self.size, self.colours, self.shift = size, colours, shift
        self.layout = params["layout"]
        self._source = f"{params['family']}/{params['seed']}"
        self._scale = SCALES[params["scale"]]
        steps = np.arange(size, dtype=np.float32)
        self.v = (((steps - shift[0]) % size + 0.5) / size)[:, None].astype(np.float32)
        self.u = (((steps - shift[1]) % size + 0.5) / size)[None, :].astype(np.float32)

    def key(self, name: str) -> int:
        """The seed of a stream of randomness."""
        return zlib.crc32(f"{self._source}/{name}".encode())

    def number(self, name: str, lo: float = 0.0, hi: float = 1.0) -> float:
        """One number a material, uniform in lo..hi."""
        return lo + (hi - lo) * float(primitives.hashed(0, 0, self.key(name)))

    def chance(self, name: str, probability: float) -> bool:
        """True for this share of the seeds."""
        return self.number(name) < probability

    def choose(self, name: str, options: tuple[str, ...]) -> str:
        """One of the options, each as likely."""
        return options[int(self.number(name) * len(options))]

    def contrasting(self, name: str, options: tuple[str, ...]) -> Array:
        """One of the half of these colours (sRGB hex) that differ most in brightness from the palette."""
        colours = [from_hex(code) for code in options]
        colours.sort(key=lambda colour: -abs(float(colour.mean() - self.colours.mean())))
        return colours[int(self.number(name) * (len(options) + 1) // 2)]

    def count(self, name: str, lo: float, hi: float) -> int:
        """How many features cross the tile: lo..hi at medium scale, more at small, fewer at large."""
        return max(2, round(self.number(name, lo, hi) * self._scale))

    def pick(self, ids: Ints, name: str) -> Array:
        """One number in [0, 1) for every id."""
        return primitives.hashed(ids, 0, self.key(name))

    def grain(self, name: str, cells: int = 256) -> Array:
        """White noise (H, W) on a lattice that does not depend on the size."""
        i, j = (np.floor(t * cells).astype(np.int64) for t in (self.u, self.v))
        return primitives.lattice(cells, cells, self.key(name))[j, i]

    def noise(
        self,
        name: str,
        px: int,
        py: int | None = None,
        *,
        octaves: int = 5,
        gain: float = 0.5,
        at: tuple[Array, Array] | None = None,
    ) -> Array:
        """Noise (H, W) in 0..1, fBm from px × py features upwards; `at` gives warped coordinates."""
        u, v = at or (self.u, self.v)
        return primitives.fbm(u, v, px, py or px, octaves, gain, self.key(name), self.size)

    def warp(self, name: str, amount: float, p: int, octaves: int = 3) -> tuple[Array, Array]:
        """Coordinates (H, W) pushed about by noise, by at most `amount` tiles."""
        du = self.noise(name + ".u", p, octaves=octaves) - 0.5
        dv = self.noise(name + ".v", p, octaves=octaves) - 0.5
        return (self.u + 2 * amount * du) % 1, (self.v + 2 * amount * dv) % 1

    def cells(
        self,
        name: str,
        px: int,
        py: int | None = None,
        *,
        jitter: float = 0.8,
        at: tuple[Array, Array] | None = None,
        borders: bool = True,
    ) -> Cells:
        """Voronoi cells, px × py a tile."""
        u, v = at or (self.u, self.v)
        return primitives.voronoi(u, v, px, py or px, jitter, self.key(name), borders=borders)

    def outline(self, blocks: Blocks, gap: float, radius: float, rough: float) -> Array:
        """Distance into blocks, in tiles, with an outline roughened by noise of `rough` tiles."""
        depth = primitives.inside(blocks, gap, radius)
        return depth if not rough else depth + rough * (self.noise("outline", 24, octaves=3) - 0.5)

    def flat(self, colour: Array) -> Array:
        """One colour (3,), everywhere (H, W, 3)."""
        return np.broadcast_to(np.asarray(colour, np.float32), (self.size, self.size, 3))
