"""The starter's networks, copied into packs that the user makes: each where it fits beside the others."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, cast

from engine.errors import UnknownPack
from engine.models import download as downloads, packs
from engine.models.packs import PackFile, PackInfo

if TYPE_CHECKING:
    from engine.models.exemplars import Exemplars
    from engine.models.guide import Clip

STARTER = "starter"
TEXTS_AT_ONCE = 64


def starter() -> PackInfo:
    """The pack that ships.

    Raises:
        UnknownPack: it does not, or is not whole.
    """
    info = packs.entries().get(STARTER)
    if info is None or not info.installed():
        raise UnknownPack(
            "The starter's networks are not here, and no other generator was named. Name one, or install "
            "Patina again.",
            field="generator",
        )
    return info


def copied(role: str, folder: Path) -> dict[str, PackFile]:
    """One of the starter's networks with what lies beside it, into a pack's folder; nothing if it has none.

    Raises:
        UnknownPack, BadWeights: it is not whole.
    """
    info = packs.entries().get(STARTER)
    file = None if info is None else info.files().get(role)
    if info is None or file is None:
        return {}
    packs.verify(info.id, role, file)
    source = packs.ROOT / file.path
    shutil.copytree(source.parent, folder / role)
    return {role: file.model_copy(update={"path": f"{role}/{source.name}", "licence": info.licence})}


def proposers(folder: Path, guide: str) -> dict[str, PackFile]:
    """What the starter begins from, for a pack with its generator.

    Args:
        folder: of the pack; the guide is there already.
        guide: what was asked for as guide.

    Returns:
        With the starter's own guide its prior and its exemplars. Both are found by the guide's embeddings:
        with another one the exemplars are keyed anew, and the prior, which would have to be trained for it,
        stays out.
    """
    if guide == STARTER:
        return copied("prior", folder) | copied("exemplars", folder)
    files = copied("exemplars", folder)
    if "exemplars" not in files:
        return {}
    return {"exemplars": _keyed_anew(files["exemplars"], folder)}


def _keyed_anew(file: PackFile, folder: Path) -> PackFile:
    """Writes the exemplars that were copied with keys of the pack's guide."""
    import torch
    from safetensors.torch import save_file

    from engine.compute import Compute
    from engine.models.guide import Clip

    path = folder / file.path
    exemplars = keyed(
        packs.read_exemplars(file, folder),
        Clip(f"local-dir:{folder / 'guide'}", Compute(torch.device("cpu"), torch.float32)),
    )
    save_file({name: x.contiguous() for name, x in exemplars.state_dict().items()}, path)
    (path.parent / "config.json").write_text(exemplars.cfg.model_dump_json(), "utf-8")
    return file.model_copy(update={"sha256": downloads.sha256(path), "bytes": path.stat().st_size})


def keyed(exemplars: Exemplars, guide: Clip) -> Exemplars:
    """The same materials with keys in the space of another guide, by what they are called.

    Pictures of them would tell more, as training has it, and would have to be drawn first.
    """
    import torch
    from torch.nn import functional as F

    from engine.models.exemplars import Exemplars
    from engine.starter.captions import meanings
    from engine.starter.materials import Params
    from engine.starter.training.exemplars import colour_axes

    texts = [exemplars.names, meanings(cast(list[Params], exemplars.recipes))]
    known = sorted({text for column in texts for text in column})
    rows = [guide.encode_text(known[i : i + TEXTS_AT_ONCE]) for i in range(0, len(known), TEXTS_AT_ONCE)]
    table = dict(zip(known, torch.cat(rows), strict=True))
    keys = sum(torch.stack([table[text] for text in column]) for column in texts)
    assert isinstance(keys, torch.Tensor)
    return Exemplars.of(exemplars.names, exemplars.recipes, F.normalize(keys, dim=-1), colour_axes(guide))
