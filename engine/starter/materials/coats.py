"""What a prompt may want to lie on any solid material, in any amount: snow, leaves, paint, gold, blood.

`sample` knows none of it: training draws the conditions and mixtures of each family's entry alone. A coat is
laid when a material is drawn, so that there is snow on bricks although no pack remembers any. After
research/materials.md 4.3.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace

import numpy as np

from engine.starter.materials.colour import centroid, from_hex, mix, ramp
from engine.starter.materials.mixtures import PLACES, overlays
from engine.starter.materials.modifiers import MODIFIERS
from engine.starter.materials.primitives import Array, blurred, cavities, covering, smoothstep
from engine.starter.materials.registry import REGISTRY, Canvas, Coat, Maps, Modifier, Params
from engine.starter.materials.sampling import in_colour, plain

FROST = np.stack([from_hex(code) for code in ("b4cadd", "dbe7f1", "f7fbff")])
ASH = np.stack([from_hex(code) for code in ("4a4744", "8d8984", "bcb8b2")])
SLIME = np.stack([from_hex(code) for code in ("1f3b0a", "4f7d12", "a4c93a")])
BLOOD = np.stack([from_hex(code) for code in ("240304", "5a0709", "86100f")])
GOLD = np.stack([from_hex(code) for code in ("8a5f1c", "c99a3c", "f0d080")])

BARE = frozenset({"fluid", "sky"})
"""Groups of families that nothing lies on."""

THIN = 0.15
"""Amount below which a coat fades: the conditions of training begin with more than nothing."""

COVERING = 1.4
"""At most of what may cover everything. Else it is 1."""


def frosted(c: Canvas, maps: Maps, amount: float) -> Maps:
    """Rime: thin and white, thickest on edges and high places, in needles."""
    needle = c.noise("frost.needle", 56, octaves=3, gain=0.8)
    field = 0.5 * (1 - cavities(maps.height, 0.015)) + 0.6 * c.noise("frost.patch", 4, octaves=5)
    mask = covering(field + 0.5 * (needle - 0.5), min(0.95, 0.25 + 0.65 * amount), 0.22)
    rime = ramp(np.clip(0.5 + 1.6 * (needle - 0.5) + 0.3 * (mask - 0.5), 0, 1), FROST)
    return replace(
        maps,
        base=mix(maps.base, rime, mask * (0.45 + 0.4 * amount)),
        height=maps.height + 0.05 * mask * needle,
        roughness=maps.roughness + mask * (0.35 + 0.3 * needle - maps.roughness),
        metallic=maps.metallic * (1 - mask),
    )


def gilded(c: Canvas, maps: Maps, amount: float) -> Maps:
    """Gold leaf that follows the relief, rubbed off in patches where there is little of it."""
    rubbed = c.noise("gilded.rubbed", 5, octaves=6, gain=0.6) + 0.25 * (1 - cavities(maps.height, 0.012))
    mask = covering(rubbed, min(0.99, 0.25 + 0.8 * amount), 0.025)
    tone = 0.62 + 0.5 * (c.noise("gilded.tone", 14, octaves=4) - 0.5) - 0.3 * (cavities(maps.height) - 0.5)
    return replace(
        maps,
        base=mix(maps.base, ramp(np.clip(tone, 0, 1), GOLD), mask),
        height=maps.height + 0.03 * mask,
        roughness=maps.roughness + mask * (0.2 + 0.12 * c.noise("gilded.polish", 20) - maps.roughness),
        metallic=maps.metallic + mask * (1 - maps.metallic),
    )


def ashen(c: Canvas, maps: Maps, amount: float) -> Maps:
    """Grey ash: it fills what is low and lies in soft drifts, flaky."""
    flake = c.noise("ash.flake", 44, octaves=3, gain=0.85)
    drift = c.noise("ash.drift", 3, octaves=5) + 0.4 * cavities(maps.height, 0.02)
    mask = covering(drift + 0.3 * (flake - 0.5), min(0.95, 0.12 + 0.7 * amount), 0.12)
    ash = ramp(np.clip(0.5 + 1.3 * (flake - 0.5) + 0.4 * (drift - 0.7), 0, 1), ASH)
    level = blurred(maps.height, 0.015)
    return replace(
        maps,
        base=mix(maps.base, ash, 0.95 * mask),
        height=maps.height + mask * (0.5 * (level - maps.height) + 0.08 + 0.05 * flake),
        roughness=maps.roughness + mask * (0.97 - maps.roughness),
        metallic=maps.metallic * (1 - mask),
    )


def slimy(c: Canvas, maps: Maps, amount: float) -> Maps:
    """Green slime: pools and runs, smooth and shiny, with what it lies on showing through where thin."""
    run = c.noise("slime.run", 9, 2, octaves=3) + 0.9 * c.noise("slime.pool", 4, octaves=3)
    mask = covering(run + 0.35 * cavities(maps.height, 0.03), min(0.95, 0.1 + 0.6 * amount), 0.07)
    thick = blurred(mask, 0.012) * mask
    slime = ramp(np.clip(0.15 + 0.7 * thick + 0.4 * (c.noise("slime.tone", 6) - 0.5), 0, 1), SLIME)
    level = blurred(maps.height, 0.02)
    return replace(
        maps,
        base=mix(maps.base, slime, mask * (0.6 + 0.35 * thick)),
        height=maps.height + mask * (0.75 * (level - maps.height) + 0.16 * thick),
        roughness=maps.roughness + mask * (0.08 - maps.roughness),
        metallic=maps.metallic * (1 - mask),
    )


def bloody(c: Canvas, maps: Maps, amount: float) -> Maps:
    """Spatter of blood: blots and drops of many sizes, dark where they dried thick, shiny within."""
    at = c.warp("blood.creep", 0.02, 9, octaves=4)
    mask: Array = np.zeros(maps.height.shape, np.float32)
    for name, count, share, size in (
        ("blot", 3, 0.7, 0.34),
        ("drop", 9, 0.5, 0.3),
        ("fleck", 22, 0.45, 0.28),
    ):
        spots = c.cells(f"blood.{name}", count, jitter=0.9, at=at, borders=False)
        there = c.pick(spots.ids, f"blood.there.{name}") < share * amount
        edge = size * (0.4 + 0.6 * c.pick(spots.ids, f"blood.size.{name}")) - spots.f1
        mask = np.maximum(mask, smoothstep(-0.01, 0.05, edge) * there)
    pooled = blurred(mask, 0.01)
    blood = ramp(np.clip(0.95 - 0.6 * pooled + 0.5 * (c.noise("blood.tone", 8) - 0.5), 0, 1), BLOOD)
    return replace(
        maps,
        base=mix(maps.base, blood, mask * (0.78 + 0.17 * pooled)),
        height=maps.height + 0.04 * mask * pooled,
        roughness=maps.roughness + mask * (0.22 - maps.roughness),
        metallic=maps.metallic * (1 - 0.9 * mask),
    )


def painted(c: Canvas, maps: Maps, amount: float, colour: str | None = None) -> Maps:
    """A coat of paint over everything, joints too; with little of it, what is below shows at worn places.

    Without a colour it is that of what is painted, on average.
    """
    n = c.noise("paint.tone", 10, octaves=4)
    worn = c.noise("paint.worn", 6, octaves=6, gain=0.65) + 0.3 * (cavities(maps.height, 0.012) - 0.5)
    mask = covering(worn, min(1.0, 0.3 + amount), 0.02)
    own = (maps.base * maps.body[..., None]).sum((0, 1)) / max(float(maps.body.sum()), 1e-6)
    paint = (own if colour is None else centroid(colour)) * (0.92 + 0.16 * n)[..., None]
    shade = 1 - 0.3 * cavities(maps.height) ** 2
    smooth = maps.height + 0.5 * (blurred(maps.height, 0.004) - maps.height)
    return replace(
        maps,
        base=mix(maps.base, np.clip(paint * shade[..., None], 0, 1), mask),
        height=maps.height + mask * (smooth + 0.02 - maps.height),
        roughness=maps.roughness + mask * (0.38 + 0.15 * n - maps.roughness),
        metallic=maps.metallic * (1 - mask),
    )


@dataclass(frozen=True)
class Overlay:
    """Another material that lies on the first, and the share of the surface that amounts 0 and 1 cover."""

    family: str
    share: tuple[float, float]
    place: str  # where nothing says otherwise


COATS: dict[str, Modifier | Overlay] = {
    "painted": painted,
    "gilded": gilded,
    **{name: MODIFIERS[name] for name in ("burnt", "faded", "cracked", "worn", "scratched", "rusty")},
    "gold": Overlay("gold_leaf", (0.03, 0.26), "between"),
    "lava": Overlay("lava", (0.03, 0.42), "between"),
    **{name: MODIFIERS[name] for name in ("stained", "dirty")},
    "bloody": bloody,
    "sand": Overlay("sand_ripples", (0.06, 0.72), "on top"),
    "pebbles": Overlay("pebbles", (0.06, 0.68), "on top"),
    "mossy": MODIFIERS["mossy"],
    "grass": Overlay("grass", (0.05, 0.5), "on top"),
    "leaves": Overlay("forest_leaves", (0.06, 0.72), "on top"),
    "slimy": slimy,
    "dusty": MODIFIERS["dusty"],
    "ashen": ashen,
    "frosted": frosted,
    "snowy": MODIFIERS["snowy"],
    "wet": MODIFIERS["wet"],
}
"""Whatever may be laid on, by name, from the lowest to the uppermost: paint is older than leaves on it."""

SPREADING = frozenset({"mossy", "rusty", "snowy", "sand", "pebbles", "grass", "leaves"})
"""Of them those that may cover everything."""

FAMILIES_OF = {"mossy": "moss", "snowy": "snow", "rusty": "rusted_metal", "gilded": "gold_leaf"}
"""Conditions that are a family too: nothing lies on itself."""


def most(name: str) -> float:
    """The largest amount that a coat comes in."""
    return COVERING if name in SPREADING else 1.0


def may_lie(name: str, family: str) -> bool:
    """Whether a coat can lie on a family: not on water and sky, and not on what is the same."""
    coat = COATS[name]
    own = coat.family if isinstance(coat, Overlay) else FAMILIES_OF.get(name)
    return REGISTRY[family].group not in BARE and own != family


def with_coats(params: Params, coats: Iterable[Coat]) -> Params:
    """The same material with these on it, those that can be, instead of conditions of the same names."""
    fitting = [coat for coat in coats if may_lie(coat["name"], params["family"])]
    names = {coat["name"] for coat in fitting}
    left = {name: strength for name, strength in params["modifiers"].items() if name not in names}
    bare: Params = {**params, "modifiers": left}
    bare.pop("coats", None)
    return {**bare, "coats": fitting} if fitting else bare


def in_order(coats: Iterable[Coat]) -> list[Coat]:
    """As they lie on one another, the lowest first."""
    order = list(COATS)
    return sorted(coats, key=lambda coat: order.index(coat["name"]))


def lay(c: Canvas, maps: Maps, coat: Coat, params: Params, draw: Callable[[Params], Maps]) -> Maps:
    """Maps of a material with a coat on it.

    Args:
        c: the canvas of the material.
        maps: of what the coat lies on.
        coat: what, and how much of it.
        params: of the material.
        draw: another material's parameters → its maps, on a canvas of the same size.

    Raises:
        KeyError: there is no such coat, or no such place.
    """
    kind, amount = COATS[coat["name"]], coat["amount"]
    if isinstance(kind, Overlay):
        place = coat["place"] or place_on(params["family"], kind)
        share = kind.share[0] + amount * (kind.share[1] - kind.share[0])
        return PLACES[place](c, maps, draw(overlay_of(coat, kind, params["seed"])), min(0.97, share))
    if coat["name"] == "painted":
        return painted(c, maps, amount, coat["colour"])
    laid = kind(c, maps, amount)
    return laid if amount >= THIN else _faint(maps, laid, amount / THIN)


def place_on(family: str, overlay: Overlay) -> str:
    """Where an overlay lies on a family as a rule: as in training, if it had the pair."""
    return next((rule.place for name, rule in overlays(family) if name == overlay.family), overlay.place)


def _faint(maps: Maps, laid: Maps, share: float) -> Maps:
    """This share of the way from what is below to what has a coat on it."""
    planes = {
        f.name: getattr(maps, f.name) + share * (getattr(laid, f.name) - getattr(maps, f.name))
        for f in fields(Maps)
    }
    return Maps(**planes)


def overlay_of(coat: Coat, overlay: Overlay, seed: int) -> Params:
    """The other material that lies on one of this seed, in the coat's colour if it comes in it."""
    rng = np.random.default_rng([seed, zlib.crc32(f"coat/{coat['name']}".encode())])
    entry = REGISTRY[overlay.family]
    params = plain(entry, seed, rng)
    if coat["colour"] is None:
        return params
    named = [name for name, palette in entry.palettes.items() if palette.colour == coat["colour"]]
    if named:
        return {**params, "palette": named[0], "target": None, "colour": coat["colour"]}
    return in_colour(params, coat["colour"]) if entry.colourable else params
