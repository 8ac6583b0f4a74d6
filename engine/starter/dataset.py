"""Render procedural materials into shards that training memory-maps.

    python -m engine.starter.dataset --count 6144 --first-seed 0 --out DIR --workers 2

A shard is `shard_00000.npy`, uint8 (n, H, W, 7): base colour (3, sRGB), height, roughness, metallic,
emission; and `shard_00000.json`, written last, with params and relief of each. A finished shard is never
made again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from engine.errors import CannotWrite
from engine.starter.captions import is_held_out
from engine.starter.materials import FAMILIES, Material, Params, render, sample, sibling

FORMAT = 3
SHARD = 256
STORED = 7
"""Maps in a shard: those of `data.CHANNELS` but relief, of which a material has one number."""
SIBLING_EVERY = 5
RETRY_STRIDE = 5 * 2**32  # between the seeds tried for one place in the set; siblings stay siblings


@dataclass(frozen=True)
class ShardSpec:
    """One shard's place in a data set."""

    folder: Path
    index: int
    first_seed: int
    count: int
    size: int
    held_out: bool
    families: tuple[str, ...]
    supersampling: int

    @property
    def maps_file(self) -> Path:
        return self.folder / f"shard_{self.index:05d}.npy"

    @property
    def about_file(self) -> Path:
        return self.folder / f"shard_{self.index:05d}.json"

    def header(self) -> dict[str, object]:
        """What must agree for a shard on disk to be this one."""
        return {
            "format": FORMAT,
            "first_seed": self.first_seed,
            "count": self.count,
            "size": self.size,
            "held_out": self.held_out,
            "families": list(self.families),
            "supersampling": self.supersampling,
        }


def params_for(seed: int, *, held_out: bool = False, families: tuple[str, ...] = FAMILIES) -> Params:
    """The parameters at this place of a set: the first that belong to training, or to what is held out.

    Every fifth is its neighbour with one thing changed: what tells the two apart is that alone.
    """
    while True:
        params = sample(seed, among=families)
        if seed % SIBLING_EVERY == SIBLING_EVERY - 1:
            params = sibling(sample(seed - 1, among=families), seed)
        if is_held_out(params, families) == held_out:
            return params
        seed += RETRY_STRIDE


def to_bytes(material: Material) -> NDArray[np.uint8]:
    """uint8 (H, W, 7): base colour, height, roughness, metallic, emission."""
    scalars = np.stack([material.height, material.roughness, material.metallic, material.emission], -1)
    maps = np.concatenate([material.basecolor, scalars], -1)
    return (np.clip(maps, 0, 1) * 255 + 0.5).astype(np.uint8)


def plan(
    folder: Path,
    count: int,
    first_seed: int,
    size: int,
    *,
    held_out: bool = False,
    families: tuple[str, ...] = FAMILIES,
    supersampling: int = 1,
) -> list[ShardSpec]:
    """The shards of a set, in order, drawn `supersampling` times larger and filtered down."""
    return [
        ShardSpec(
            folder, k, first_seed + start, min(SHARD, count - start), size, held_out, families, supersampling
        )
        for k, start in enumerate(range(0, count, SHARD))
    ]


def is_finished(spec: ShardSpec) -> bool:
    """True where the shard is on disk. Raises ValueError where another data set's shard is in its place."""
    if not spec.about_file.exists():
        return False
    about = json.loads(spec.about_file.read_text("utf-8"))
    found = {key: about.get(key) for key in spec.header()}
    if found != spec.header():
        raise ValueError(f"{spec.about_file} belongs to another data set: {found}. Choose another folder.")
    return True


def write_shard(spec: ShardSpec) -> int:
    """Render one shard and put it in place; returns how many materials it holds."""
    maps = np.empty((spec.count, spec.size, spec.size, STORED), np.uint8)
    materials = []
    for k in range(spec.count):
        params = params_for(spec.first_seed + k, held_out=spec.held_out, families=spec.families)
        material = render(params, spec.size, supersampling=spec.supersampling)
        maps[k] = to_bytes(material)
        materials.append({"params": material.params, "relief": material.relief})
    spec.folder.mkdir(parents=True, exist_ok=True)
    unfinished = spec.maps_file.with_suffix(".npy.part")
    with unfinished.open("wb") as file:
        np.save(file, maps)
    unfinished.rename(spec.maps_file)
    unfinished = spec.about_file.with_suffix(".json.part")
    unfinished.write_text(json.dumps({**spec.header(), "materials": materials}), "utf-8")
    unfinished.rename(spec.about_file)
    return spec.count


def write(specs: list[ShardSpec], workers: int = 1) -> Iterator[int]:
    """Render the shards that are missing, yielding the number of materials after each."""
    missing = []
    for spec in specs:
        if is_finished(spec):
            yield spec.count
        else:
            missing.append(spec)
    if workers <= 1:
        yield from map(write_shard, missing)
        return
    with ProcessPoolExecutor(workers) as pool:
        futures: list[Future[int]] = [pool.submit(write_shard, spec) for spec in missing]
        for future in as_completed(futures):
            yield future.result()


def load(folder: Path) -> Iterator[tuple[NDArray[np.uint8], list[dict]]]:
    """The finished shards of a folder, in order: maps (n, H, W, 7), mapped; params and relief of each."""
    for about_file in sorted(folder.glob("shard_*.json")):
        about = json.loads(about_file.read_text("utf-8"))
        yield np.load(about_file.with_suffix(".npy"), mmap_mode="r"), about["materials"]


def supersampling(folder: Path) -> int:
    """How many times larger the materials of a folder's finished shards were drawn."""
    about = json.loads(min(folder.glob("shard_*.json")).read_text("utf-8"))
    return int(about["supersampling"])


def main(arguments: list[str] | None = None) -> None:
    """Write the data set that the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m engine.starter.dataset", description=__doc__)
    parser.add_argument("--count", type=int, required=True, help="materials")
    parser.add_argument("--size", type=int, default=256, help="pixels a side, a power of two")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument("--supersampling", type=int, default=1, metavar="N", help="2 against aliasing; slow")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--held-out", action="store_true", help="only combinations that training never sees")
    options = parser.parse_args(arguments)
    from engine.material import files  # torch takes seconds, and nothing that renders needs it

    try:
        files.check_folder(options.out)
    except CannotWrite as error:
        parser.error(error.message)
    specs = plan(
        options.out, options.count, options.first_seed, options.size,
        held_out=options.held_out, supersampling=options.supersampling,
    )  # fmt: skip
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(TextColumn("materials"), BarColumn(), MofNCompleteColumn(), *times) as progress:
        bar = progress.add_task("materials", total=options.count)
        for done in write(specs, options.workers):
            progress.advance(bar, done)


if __name__ == "__main__":
    main()
