"""CLIPs beside a pack's own, to guide with as well: those of other packs that are here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from engine.compute import Compute
from engine.errors import InvalidRequest
from engine.hints import command
from engine.models import clips, packs
from engine.models.guide import Clip
from engine.models.packs import ExtraClip, Pack, PackFile

IN_MEMORY = 2
"""How many stay loaded for the next run."""


def joined(pack: Pack, names: Sequence[str]) -> Pack:
    """A pack, and with it the guides of these names.

    Args:
        pack: loaded.
        names: each an installed pack's id, for its guide, or `NAME:TAG` of open_clip's, if a pack has it.

    Raises:
        InvalidRequest: a name is no such name, is not here, or is this pack's judge, which must not guide.
        UnknownPack, BadWeights: see `packs.verify`.
    """
    found = tuple(load(name, pack.compute) for name in names)
    for clip in found:
        if clip.sha256 == pack.hashes["judge"]:
            raise InvalidRequest(
                f"{clip.name!r} is the judge of the pack {pack.id!r}: it would praise what it guided. "
                "Choose another guide.",
                field="guides",
            )
    return replace(pack, extra=found)


@lru_cache(maxsize=IN_MEMORY)
def load(name: str, compute: Compute) -> ExtraClip:
    """One of `joined`."""
    pack_id, role, file = _find(name)
    packs.verify(pack_id, role, file)
    return ExtraClip(name, Clip(f"local-dir:{(packs.ROOT / file.path).parent}", compute), file.sha256)


def _find(name: str) -> tuple[str, str, PackFile]:
    """The pack that has it, as what, and its file."""
    if name in packs.entries():
        return name, "guide", packs.entries()[name].guide
    if ":" not in name:
        raise InvalidRequest(
            f"There is no pack called {name!r} here, whose guide could help. Packs: "
            f"{', '.join(packs.entries())}. For a CLIP of open_clip's, make one: "
            f"{command('models', 'add', 'NAME', '--guide', 'MODEL:TAG')}",
            field="guides",
        )
    places = {source.weights.where() for source in clips.sources_of(*clips.split(name))}
    for info in packs.entries().values():
        for role, file in (("guide", info.guide), ("judge", info.judge)):
            if file.origin in places and (packs.ROOT / file.path).is_file():
                return info.id, role, file
    raise InvalidRequest(
        f"No pack here has {name}. Add one that does: {command('models', 'add', 'NAME', '--guide', name)}",
        field="guides",
    )
