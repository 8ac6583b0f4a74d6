"""Model packs: which files make a generator, a guide, a judge and what helps them, and loading them."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from engine import home
from engine.errors import BadWeights, Remedy, UnknownPack
from engine.models import offers
from engine.settings import ExtraGuide

if TYPE_CHECKING:  # importing torch costs seconds, and the handshake wants only the catalogue
    from engine.compute import Compute
    from engine.models.estimator import Estimator
    from engine.models.exemplars import Exemplars
    from engine.models.guide import Clip
    from engine.models.priors import AnyPrior
    from engine.models.vqgan import VQGAN

CATALOGUE = Path(__file__).parent / "catalog"
ROOT = Path(__file__).parents[1]
MANIFEST = "pack.json"
"""In the folder of a pack that the user fetched: what a catalogue entry is to one that ships."""

log = logging.getLogger(__name__)


def inside(path: str) -> str:
    """The path, if it leads to something below where it begins, on every system.

    Raises:
        ValueError: it is absolute, names a drive, or climbs out.
    """
    parts = PurePosixPath(path).parts
    if not parts or "\\" in path or PureWindowsPath(path).drive or path.startswith("/") or ".." in parts:
        raise ValueError(f"{path!r} leads out of its folder")
    return path


class PackFile(BaseModel):
    """One file of a pack, by its path below the engine's folder, or below the pack's if the user fetched it.

    `verified` says that the hash was known before the file came; else it is that of the file as it came.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[str, AfterValidator(inside)]
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int
    origin: str = Field("", description="Where it came from; empty: it ships with Patina")
    licence: str = Field("", description="As its source states it; empty: the pack's")
    verified: bool = True


class PackInfo(BaseModel):
    """A catalogue entry, or the manifest of a pack that the user fetched."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=offers.PACK_ID)
    label: str
    description: str
    licence: str
    channels: tuple[str, ...] = Field(description="What the generator decodes, in order")
    generator: PackFile
    guide: PackFile
    judge: PackFile
    prior: PackFile | None = None
    exemplars: PackFile | None = None
    estimator: PackFile | None = None
    guides: tuple[ExtraGuide, ...] = Field(
        (), max_length=4, description="Packs whose guides help its own where a run takes its time"
    )

    def files(self) -> dict[str, PackFile]:
        """Role → file."""
        roles = {
            "generator": self.generator,
            "guide": self.guide,
            "judge": self.judge,
            "prior": self.prior,
            "exemplars": self.exemplars,
            "estimator": self.estimator,
        }
        return {role: file for role, file in roles.items() if file is not None}

    def installed(self) -> bool:
        """Whether every file is there, at its full size."""
        paths = ((ROOT / f.path, f.bytes) for f in self.files().values())
        return all(p.is_file() and p.stat().st_size == size for p, size in paths)


@dataclass(frozen=True)
class ExtraClip:
    """A CLIP beside a pack's own: as a run names it, ready to run, and the sha256 of its weights."""

    name: str
    clip: Clip
    sha256: str


@dataclass(frozen=True)
class Pack:
    """Networks ready to run, and the sha256 of every file that they came from. `extra` guides as well."""

    id: str
    channels: tuple[str, ...]
    generator: VQGAN
    guide: Clip
    judge: Clip
    prior: AnyPrior | None
    exemplars: Exemplars | None
    estimator: Estimator | None
    hashes: dict[str, str]
    compute: Compute
    extra: tuple[ExtraClip, ...] = ()

    @property
    def step_px(self) -> int:
        """Sides of pictures are multiples of this: pixels of a code, or of a block that a prior writes."""
        return self.generator.f * (1 if self.prior is None else self.prior.block)


def helpful(pack_id: str) -> tuple[ExtraGuide, ...]:
    """The guides that a pack offers beside its own, of packs that are here; none of a pack that is not."""
    info = entries().get(pack_id)
    offered = () if info is None else info.guides
    return tuple(g for g in offered if g.name in entries() and entries()[g.name].installed())


@lru_cache(maxsize=1)
def entries() -> dict[str, PackInfo]:
    """Every pack that ships and every readable one that the user fetched, by id.

    Raises:
        UnknownPack: an entry that ships cannot be read.
    """
    found = {}
    for path in sorted(CATALOGUE.glob("*.json")):
        try:
            info = PackInfo.model_validate_json(path.read_text("utf-8"))
        except (OSError, ValidationError) as error:
            raise UnknownPack(
                f"The catalogue file {path.name} cannot be read.", details=str(error)
            ) from error
        found[info.id] = info
    return {info.id: info for info in _fetched()} | found


def fetched_folder() -> Path:
    """Where packs lie that the user fetched, each in a folder called by its id."""
    return home.folder() / "packs"


def _fetched() -> Iterator[PackInfo]:
    """Packs of the user, with absolute paths. One that is broken must not keep the others from starting."""
    for path in sorted(fetched_folder().glob(f"*/{MANIFEST}")):
        folder = path.parent
        try:
            if is_linked(path, fetched_folder()):
                raise ValueError("a link")  # noqa: TRY301
            info = PackInfo.model_validate_json(path.read_text("utf-8"))
            if info.id != folder.name:
                raise ValueError(f"it is called {info.id!r}")  # noqa: TRY301
        except (OSError, ValueError) as error:  # of which ValidationError is one
            log.warning("the pack in %s cannot be read and is left out: %s", folder, error)
            continue
        rooted = {r: f.model_copy(update={"path": str(folder / f.path)}) for r, f in info.files().items()}
        yield info.model_copy(update=rooted)


def is_linked(path: Path, below: Path) -> bool:
    """Whether a link lies on the way from a folder to something in it: the user's packs hold plain files."""
    parts = path.relative_to(below).parts
    return any(below.joinpath(*parts[: i + 1]).is_symlink() for i in range(len(parts)))


def catalogue() -> list[dict[str, Any]]:
    """Every known pack, those to be had included.

    Each has id, label, description, licence, size in bytes (of what is to be fetched, about), whether it
    is installed, whether it `ships` with Patina, and whether every hash is `verified`.
    """
    known = [
        {
            "id": p.id,
            "label": p.label,
            "description": p.description,
            "licence": p.licence,
            "bytes": sum(f.bytes for f in p.files().values()),
            "installed": p.installed(),
            "ships": not Path(p.generator.path).is_absolute(),
            "verified": all(f.verified for f in p.files().values()),
        }
        for p in entries().values()
    ]
    return known + [
        {
            "id": o.id,
            "label": o.label,
            "description": o.description,
            "licence": o.licence,
            "bytes": o.about_bytes(),
            "installed": False,
            "ships": False,
            "verified": o.verified(),
        }
        for o in offers.entries().values()
        if o.id not in entries()
    ]


def load(pack_id: str, compute: Compute) -> Pack:
    """Reads a pack's networks onto a device, after checking every file against its hash.

    Raises:
        UnknownPack: no such pack, or a file of it is missing.
        BadWeights: a file is damaged or does not fit its network.
    """
    info = entry(pack_id)
    for role, file in info.files().items():
        verify(info.id, role, file)
    from engine.models.guide import Clip

    generator, prior, exemplars = _load_generator(info), _load_prior(info), _load_exemplars(info)
    estimator = _load_estimator(info)
    return Pack(
        id=info.id,
        channels=info.channels,
        generator=generator.to(compute.device),
        guide=Clip(f"local-dir:{(ROOT / info.guide.path).parent}", compute),
        judge=Clip(f"local-dir:{(ROOT / info.judge.path).parent}", compute),
        prior=None if prior is None else prior.to(compute.device),
        exemplars=None if exemplars is None else exemplars.to(compute.device),
        estimator=None if estimator is None else estimator.to(compute.device),
        hashes={role: file.sha256 for role, file in info.files().items()},
        compute=compute,
    )


def load_guide(pack_id: str, compute: Compute) -> Clip:
    """Reads a pack's guide alone: all that looking at pictures needs.

    Raises:
        UnknownPack, BadWeights: as `load`.
    """
    info = entry(pack_id)
    verify(info.id, "guide", info.guide)
    from engine.models.guide import Clip

    return Clip(f"local-dir:{(ROOT / info.guide.path).parent}", compute)


def entry(pack_id: str) -> PackInfo:
    """What is known of a pack that is here.

    Raises:
        UnknownPack: it is not.
    """
    info = entries().get(pack_id)
    if info is not None:
        return info
    if pack_id in offers.entries():
        raise UnknownPack(
            f"The pack {pack_id!r} is not here yet. Download it in the preferences, or by: "
            f"models download {pack_id}",
            field="pack",
            remedy=Remedy("pack", "starter"),
        )
    known = ", ".join(entries())
    raise UnknownPack(
        f"There is no pack called {pack_id!r}. Packs: {known}.",
        field="pack",
        remedy=Remedy("pack", "starter"),
    )


def verify(pack_id: str, role: str, file: PackFile) -> None:
    """Hold a file of a pack against its hash.

    Raises:
        UnknownPack: it is missing.
        BadWeights: it is damaged, or a link.
    """
    path = ROOT / file.path
    if path.is_relative_to(fetched_folder()) and is_linked(path, fetched_folder()):
        raise BadWeights(
            f"The {role} of the pack {pack_id!r} is a link. Install the pack again.", details=str(path)
        )
    if not path.is_file():
        raise UnknownPack(
            f"The {role} of the pack {pack_id!r} is missing. Install the pack again.", details=str(path)
        )
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != file.sha256:
        raise BadWeights(
            f"The {role} of the pack {pack_id!r} is damaged. Install the pack again.",
            details=f"{path}: sha256 {found}, wanted {file.sha256}",
        )


def _read(file: PackFile, folder: Path | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The configuration that lies beside weights, and the weights as float32."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = (folder or ROOT) / file.path
    try:
        config = json.loads((path.parent / "config.json").read_text("utf-8"))
        state = load_file(path)
    except (OSError, ValueError, SafetensorError) as error:
        raise BadWeights(
            f"{path.name} cannot be read. Install the pack again.", details=str(error)
        ) from error
    return config, {k: v.float() if v.is_floating_point() else v for k, v in state.items()}


def _load_generator(info: PackInfo) -> VQGAN:
    from engine.models.vqgan import VQGAN, VQGANConfig

    config, state = _read(info.generator)
    state.pop("live_codes", None)  # of converted weights: what the kept codes were called before
    model = VQGAN(VQGANConfig.model_validate(config))
    _fill(model, state, info.generator)
    return model


def _load_prior(info: PackInfo) -> AnyPrior | None:
    if info.prior is None:
        return None
    from engine.models import priors

    config, state = _read(info.prior)
    try:
        model = priors.build(config)
    except ValidationError as error:
        raise BadWeights(
            "The configuration of the prior cannot be used. Install the pack again.", details=str(error)
        ) from error
    _fill(model, state, info.prior)
    return model


def _load_exemplars(info: PackInfo) -> Exemplars | None:
    return None if info.exemplars is None else read_exemplars(info.exemplars)


def read_exemplars(file: PackFile, folder: Path | None = None) -> Exemplars:
    """What a file of exemplars holds; its path is below `folder`, or as in an entry.

    Raises:
        BadWeights: it does not fit its configuration.
    """
    from engine.models.exemplars import Exemplars, ExemplarsConfig

    config, state = _read(file, folder)
    model = Exemplars(ExemplarsConfig.model_validate(config))
    _fill(model, state, file)
    return model


def _load_estimator(info: PackInfo) -> Estimator | None:
    if info.estimator is None:
        return None
    from engine.models.estimator import Estimator, EstimatorConfig

    config, state = _read(info.estimator)
    try:
        model = Estimator(EstimatorConfig.model_validate(config))
    except ValidationError as error:
        raise BadWeights(
            "The configuration of the estimator cannot be used. Install the pack again.", details=str(error)
        ) from error
    _fill(model, state, info.estimator)
    return model


def _fill(model: Any, state: dict[str, Any], file: PackFile) -> None:
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise BadWeights(
            f"{Path(file.path).name} does not fit its network. Install the pack again.", details=str(error)
        ) from error
    model.eval().requires_grad_(False)
