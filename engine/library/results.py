"""Results of runs, looked at while their maps are in memory: tags, badges, and a place in the index."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.library import calibration, loading, thumbnails
from engine.library.eye import Eye, Look, pool, with_measured
from engine.library.loading import Loaded
from engine.library.names import group
from engine.library.store import Entry, Store
from engine.library.tags import Tag, as_dicts
from engine.material.maps import DecodedMaps
from engine.models.guide import Clip


@dataclass(frozen=True)
class Seen:
    """A finished material as the index wants it: as pictures, and what the guide saw on them."""

    loaded: Loaded
    look: Look

    def facts(self) -> dict[str, Any]:
        """What a sidecar says of it, in the shape of the answer to `tag`."""
        return {"tags": as_dicts(self.look.tags), "badges": self.look.badges}


class Observer:
    """Looks at finished maps. The guide's texts are encoded once, for all runs.

    No words of the user's own and no calibration of theirs: sidecars made again must come out the same.
    """

    def __init__(self) -> None:
        self._eye: Eye | None = None

    def look(self, clip: Clip, maps: DecodedMaps) -> Seen:
        """At one material, alone, so that nothing depends on what else was made.

        Args:
            clip: of the pack that made it.
            maps: a batch of one, as it is written.
        """
        if self._eye is None or self._eye.clip is not clip:
            self._eye = Eye(clip, calibration.SHIPPED)
        loaded = loading.of_maps(_rounded(maps), self._eye.side_px)
        return Seen(loaded, self._eye.look([loaded])[0])


def enter(store: Store, eye: Eye, root: Path, seen: dict[Path, Seen]) -> int:
    """Adds results to the index without looking at them again. Returns how many.

    What is no longer where it was written is left out.

    Args:
        store: of the model that `seen` is by.
        eye: its, with the words that the user has now.
        root: the folder of all results, which is in the index from now on.
        seen: base colour file → material.

    Raises:
        BadIndex: the index cannot be written.
    """
    entries = _entries(eye, seen)
    folders = {*store.folders(), Path(os.path.abspath(root))}  # noqa: PTH100  # links stay
    with store.writing():
        store.set_folders(sorted(folders))
        for entry in entries:
            store.add(entry)
        store.touch()
    for entry in entries:
        thumbnails.keep(store.path.parent, entry.content, seen[entry.files["basecolor"]].loaded.jpeg)
    return len(entries)


def _entries(eye: Eye, seen: dict[Path, Seen]) -> list[Entry]:
    folders = {path.parent for path in seen}
    textures, _ = group(path for folder in folders if folder.is_dir() for path in folder.glob("*.png"))
    found = []
    for texture in textures:
        if texture.main not in seen:
            continue
        this = seen[texture.main]
        try:
            contents = loading.read(texture)
        except FileNotFoundError:
            continue
        files = {role: path for role, path in texture.files.items() if role in contents.stamps}
        found.append(
            Entry(
                texture.name, files, contents.stamps, contents.digest, this.loaded.width,
                this.loaded.height_px, texture.directx, this.look.badges, this.loaded.thumbnail,
                this.look.vectors, _own_tags(eye, this.look),
            )
        )  # fmt: skip
    return found


def _own_tags(eye: Eye, look: Look) -> list[Tag]:
    """With the user's words and calibration where there are any, as everything in the index is tagged."""
    if not eye.words and eye.calibration == calibration.read(eye.model, calibration.SHIPPED):
        return look.tags
    pooled = pool([torch.from_numpy(v) for v in look.vectors.values()])
    return with_measured(eye.tagger(pooled[None])[0], look.badges)


def _rounded(maps: DecodedMaps) -> DecodedMaps:
    """As they are on the disk, of 8 bits a channel, and 16 of height: what the index will see there."""

    def levels(x: Tensor, highest: int) -> Tensor:
        return x.detach().float().cpu().clamp(0, 1).mul(highest).round().div(highest)

    return replace(
        maps,
        basecolor=levels(maps.basecolor, 255),
        height=levels(maps.height, 65535),
        roughness=levels(maps.roughness, 255),
        metallic=levels(maps.metallic, 255),
        emission=levels(maps.emission, 255),
        relief=maps.relief.detach().float().cpu(),
    )
