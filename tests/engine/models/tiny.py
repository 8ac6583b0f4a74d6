"""A small pack to be had: an offer, what its server serves, and a small model that open_clip knows."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import tempfile
from pathlib import Path

import open_clip
import torch
from safetensors.torch import save

from engine.compute import Compute
from engine.models import offers, packs
from tests.engine.models.checkpoints import published
from tests.engine.models.fileserver import FileServer, Served

CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "patch_size": 8, "width": 32, "layers": 1, "head_width": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
ABOUT = {
    "mean": (0.1, 0.2, 0.3),
    "std": (0.5, 0.6, 0.7),
    "interpolation": "bilinear",
    "resize_mode": "squash",
}
CPU = Compute(torch.device("cpu"), torch.float32)
PACK = [
    "packs/toy/generator/config.json",
    "packs/toy/generator/model.safetensors",
    "packs/toy/guide/open_clip_config.json",
    "packs/toy/guide/open_clip_model.safetensors",
    "packs/toy/judge/open_clip_config.json",
    "packs/toy/judge/open_clip_model.safetensors",
    "packs/toy/pack.json",
]
"""Where the offer "toy" has its files, once it is there."""


def deaf(*_):
    """Hears of a transfer, and does nothing."""


def tree(folder):
    """The files of a folder, but for locks."""
    return sorted(
        str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and p.suffix != ".lock"
    )


@functools.cache
def clip_weights():
    torch.manual_seed(1)
    return save({k: v.contiguous() for k, v in open_clip.CLIP(**CLIP).state_dict().items()})


def write_clip(path):
    path.write_bytes(clip_weights())
    return path


def teach_open_clip(monkeypatch):
    """Adds "tiny-clip" with the tag "quick" to the tables of open_clip."""
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "tiny-clip", CLIP)
    tag = {"url": "", "hf_hub": "laion/tiny-clip/", **ABOUT, "quick_gelu": True}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "tiny-clip", {"quick": tag})


@functools.cache
def checkpoint():
    """Bytes of a taming checkpoint and its yaml."""
    _, config, state = published.parity("vqgan_small")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        published.write_ckpt(folder / "x.ckpt", state)
        published.write_yaml(folder / "x.yaml", config)
        return (folder / "x.ckpt").read_bytes(), (folder / "x.yaml").read_bytes()


def old_pickle(state):
    stream = io.BytesIO()
    torch.save(state, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


def source(server, name, config=None, **more):
    data = server.files[f"/{name}"].data if f"/{name}" in server.files else b""
    found = {"weights": {"name": name, "url": f"{server.url}/{name}", "about_bytes": len(data), **more}}
    if config:
        found["config"] = {"name": config, "url": f"{server.url}/{config}", "about_bytes": 500}
    return {**found, "licence": "MIT", "verified": False}


def serve(server, tmp_path):
    """The files of the offer, of which the checkpoint also lies in a folder, as a user has it."""
    ckpt, config = checkpoint()
    (tmp_path / "x.ckpt").write_bytes(ckpt)
    (tmp_path / "x.yaml").write_bytes(config)
    server.files |= {
        "/x.ckpt": Served(ckpt),
        "/x.yaml": Served(config),
        "/clip.safetensors": Served(clip_weights()),
    }


def write_offer(server, tmp_path, monkeypatch, pack_id="toy", **changes):
    """Makes the catalogue of what is to be had consist of one offer."""
    clip = {"name": "tiny-clip", "tag": "quick", "sources": [source(server, "clip.safetensors")]}
    offer = {
        "id": pack_id, "label": "Toy", "description": "for tests", "licence": "MIT",
        "generator": {"sources": [source(server, "x.ckpt", "x.yaml")]}, "guide": clip, "judge": clip,
        **changes,
    }  # fmt: skip
    folder = tmp_path / "offers"
    folder.mkdir(exist_ok=True)
    (folder / f"{pack_id}.json").write_text(json.dumps(offer))
    monkeypatch.setattr(offers, "FOLDER", folder)
    forget()


def forget():
    offers.entries.cache_clear()
    packs.entries.cache_clear()


def sha(data):
    return hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def serving(tmp_path, monkeypatch):
    """A server of what the offer "toy" wants, with the offer in the catalogue."""
    server = FileServer()
    teach_open_clip(monkeypatch)
    serve(server, tmp_path)
    write_offer(server, tmp_path, monkeypatch)
    yield server
    server.close()
    forget()
