"""The starter's VQGAN: true maps in, the same maps out, through a grid of codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F  # the field's name for it

from engine.compute import Compute
from engine.models.guide import Clip
from engine.models.vqgan import PLANE, TORUS, VQGAN, VQGANConfig, Wrap
from engine.starter.data import CHANNELS, Materials
from engine.starter.training.loop import Average, Learner, rng, warm_cosine
from engine.starter.training.texture import MapLoss

ARCHITECTURE = VQGANConfig(
    ch=80,
    ch_mult=(1, 2),
    num_res_blocks=1,
    attn_resolutions=(),
    in_channels=len(CHANNELS),
    out_ch=len(CHANNELS),
    z_channels=96,
    mid_attention=False,
    embed_dim=8,
    n_embed=4096,
    patch=4,
    norm_groups=8,
    l2_codes=True,
    border="reflect",
)


CODEBOOK = "quantize.embedding.weight"

WHITENED = 64
"""Materials among which a fresh encoder's latents are spread: those of one may lie far from all others."""

JUDGED = 4
"""Channels that the discriminator sees: base colour and height."""


class GeneratorTraining(BaseModel):
    """How the generator is trained. Shares of the run are of `steps`.

    `start` is a folder with an older generator to begin from: its weights are taken where they fit; where
    its codebook does not, codes are chosen anew.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: VQGANConfig = ARCHITECTURE
    seed: int = 1
    start: str | None = None
    steps: int = 6000
    batch: int = 8
    crop_px: int = 96
    whole_every: int = 4  # steps; whole tiles on the torus, a fifth as many
    continuous: float = 0.1  # share of the run before codes replace latents
    lr: float = 6e-4
    stages: int = 3  # of the guide's tower
    features: float = 0.15
    texture: float = 0.3
    adversarial_from: float = 0.7
    adversarial: float = 0.008  # more, and the picture fills with checks that only fool the critic
    matching: float = 0.1
    commitment: float = 0.25
    strange_codes: float = 0.05  # share of codes replaced at random in every other step
    ema: float = 0.998


class Discriminator(nn.Module):
    """Judges patches of base colour and height (PatchGAN, Isola et al. 2017), at half the pixels a side.

    Roughness stays out: asked to look real, it turns into noisy highlights.
    """

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [
                nn.Conv2d(JUDGED * 4, width, 3, padding=1),
                nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
                nn.Conv2d(2 * width, 3 * width, 4, stride=2, padding=1),
                nn.Conv2d(3 * width, 1, 3, padding=1),
            ]
        )

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Maps (B, 8, H, W) in -1..1 → logits (B, 1, H/8, W/8) and the features on the way."""
        h, features = F.pixel_unshuffle(x[:, :JUDGED], 2), []
        for layer in self.layers[:-1]:
            h = F.leaky_relu(layer(h), 0.2)
            features.append(h)
        return self.layers[-1](h), features


def take_over(model: VQGAN, folder: Path) -> bool:
    """Copies what fits of the generator in a folder into `model`; says whether its codebook did.

    An older one may lack emission, the channel before the last: the new one starts at none.
    """
    found = load_file(folder / "model.safetensors")
    wanted = model.state_dict()
    for key, dim in (
        ("encoder.conv_in.weight", 1),
        ("decoder.conv_out.weight", 0),
        ("decoder.conv_out.bias", 0),
    ):
        found[key] = _with_emission(found[key], dim, model.cfg.patch)
    for key, value in found.items():
        if value.shape == wanted[key].shape:
            wanted[key].copy_(value)
    return found[CODEBOOK].shape == wanted[CODEBOOK].shape


def _with_emission(value: Tensor, dim: int, patch: int) -> Tensor:
    """Weights of 7 maps → of 8, each map patch² rows along `dim`."""
    maps = value.unflatten(dim, (-1, patch**2))
    if maps.shape[dim] == len(CHANNELS):
        return value
    before, relief = maps.split([len(CHANNELS) - 2, 1], dim)
    return torch.cat([before, torch.zeros_like(relief), relief], dim).flatten(dim, dim + 1)


class GeneratorStage(Learner):
    """Training of the VQGAN: true maps, edges and texture, a gentle adversarial loss, dead codes replaced."""

    name = "generator"

    def __init__(self, data: Materials, guide: Clip, cfg: GeneratorTraining, compute: Compute) -> None:
        torch.manual_seed(cfg.seed)
        self.data, self.cfg, self.compute = data, cfg, compute
        self.total_steps = cfg.steps
        self.model = VQGAN(cfg.architecture).to(compute.device)
        seeded = cfg.start is not None and take_over(self.model, Path(cfg.start))
        self.unlike = MapLoss(guide, cfg, (2, 2, 2, 2, 2, 1, 1, 0.25))
        self.discriminator = Discriminator().to(compute.device)
        self.average = Average(self.model, cfg.ema)
        self.adam = torch.optim.AdamW(self.model.parameters(), cfg.lr, betas=(0.9, 0.95), weight_decay=0.01)
        self.adam_d = torch.optim.AdamW(self.discriminator.parameters(), cfg.lr, betas=(0.5, 0.9))
        self.use = torch.full((cfg.architecture.n_embed,), float(seeded), device=compute.device)
        self.seeded = seeded  # the codebook, from latents

    def step(self, i: int) -> dict[str, float]:
        cfg = self.cfg
        for group in (*self.adam.param_groups, *self.adam_d.param_groups):
            group["lr"] = cfg.lr * warm_cosine(i, cfg.steps)
        draw = rng(cfg.seed, i)
        whole = i % cfg.whole_every == 0
        side, count, wrap = (
            (self.data.size_px, max(1, cfg.batch // 5), TORUS) if whole else (cfg.crop_px, cfg.batch, PLANE)
        )
        x = self.data.batch(draw.integers(0, len(self.data), count), draw, side).to(self.compute.device)
        if i == 0 and cfg.start is None:
            many = rng(cfg.seed, i, "whiten")
            crops = self.data.batch(many.integers(0, len(self.data), WHITENED), many, cfg.crop_px)
            self._whiten(crops.to(self.compute.device))
        quantised = i >= cfg.continuous * cfg.steps
        if quantised and not self.seeded:
            self._seed_codebook(draw)
        strange = cfg.strange_codes if i % 2 and quantised and not whole else 0.0
        with self.compute.autocast():
            z = self.model.encode(x, wrap)
            out, commitment, codes = (
                self._through_codes(z, wrap, i, strange) if quantised else self._around_codes(z, wrap, draw)
            )
        out, target = out.float(), 2 * x - 1
        unlikeness = self.unlike(out, target)
        loss = unlikeness.loss + commitment
        ramp = min(1.0, max(0.0, (i / cfg.steps - cfg.adversarial_from) / 0.1))
        realism = torch.zeros(())
        if i >= cfg.adversarial_from * cfg.steps:
            realism = self._realism(out, target)
            loss = loss + ramp * realism
        self.adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.adam.step()
        if i >= cfg.adversarial_from * cfg.steps:
            self._train_discriminator(out.detach(), target)
        self.average.update(self.model, i)
        if codes is not None:
            self._revive_codes(i, codes, z)
        return {
            **unlikeness.figures,
            "commitment": commitment.item(),
            "realism": realism.item(),
            "codes": (self.use > 0.02).sum().item(),
        }

    def _through_codes(self, z: Tensor, wrap: Wrap, i: int, strange: float) -> tuple[Tensor, Tensor, Tensor]:
        z = F.normalize(z.float(), dim=1)
        codes = self.model.nearest(z)
        table = self.model.lookup(codes)  # gradient to the codebook
        commitment = (table - z.detach()).square().sum(1).mean() + self.cfg.commitment * (
            table.detach() - z
        ).square().sum(1).mean()
        z_q = z + (table - z).detach()
        if strange:
            generator = torch.Generator().manual_seed(self.cfg.seed * 1_000_003 + i)
            swap = torch.rand(codes.shape, generator=generator).to(z.device) < strange
            other = torch.randint(0, self.model.cfg.n_embed, codes.shape, generator=generator).to(z.device)
            z_q = torch.where(swap[:, None], self.model.lookup(other).detach(), z_q)
        return self.model.decode_raw(z_q, wrap), commitment, codes

    def _realism(self, out: Tensor, target: Tensor) -> Tensor:
        self.discriminator.requires_grad_(False)
        with self.compute.autocast():
            logits, features = self.discriminator(out)
            with torch.no_grad():
                _, wanted = self.discriminator(target)
        self.discriminator.requires_grad_(True)
        match = sum(((a.float() - b.float()).abs().mean() for a, b in zip(features, wanted, strict=True)))
        return self.cfg.matching * match - self.cfg.adversarial * logits.float().mean()

    def _train_discriminator(self, out: Tensor, target: Tensor) -> None:
        with self.compute.autocast():
            fake, real = self.discriminator(out)[0].float(), self.discriminator(target)[0].float()
        loss = F.relu(1 + fake).mean() + F.relu(1 - real).mean()  # hinge
        self.adam_d.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.discriminator.parameters(), 1.0)
        self.adam_d.step()

    def _around_codes(self, z: Tensor, wrap: Wrap, draw: np.random.Generator) -> tuple[Tensor, Tensor, None]:
        """Before there are codes: latents on the sphere, blurred about as much as codes will blur them.

        Straight through codes from the first step, latents collapse into a narrow cone.
        """
        noise = torch.from_numpy(draw.standard_normal(z.shape, np.float32)).to(z.device)
        z = F.normalize(F.normalize(z.float(), dim=1) + 0.1 * noise, dim=1)
        return self.model.decode_raw(z, wrap), z.new_zeros(()), None

    @torch.no_grad()
    def _whiten(self, x: Tensor) -> None:
        """A fresh encoder sends every place to nearly one direction; spread them over the sphere."""
        z = self.model.encode(x, PLANE).float().permute(0, 2, 3, 1).flatten(0, 2)
        mean, (values, vectors) = z.mean(0), torch.linalg.eigh(z.T.cov())
        white = vectors @ torch.diag(values.clamp(min=1e-12).rsqrt()) @ vectors.T
        last = self.model.quant_conv
        last.weight.copy_((white @ last.weight[:, :, 0, 0])[:, :, None, None])
        if last.bias is not None:
            last.bias.copy_(white @ (last.bias - mean))

    @torch.no_grad()
    def _seed_codebook(self, draw: np.random.Generator) -> None:
        """Codes start where latents of many materials are, or most of them would never be chosen."""
        rows: list[Tensor] = []
        n_embed = self.model.cfg.n_embed
        while sum(map(len, rows)) < 2 * n_embed:
            x = self.data.batch(draw.integers(0, len(self.data), 8), draw, self.cfg.crop_px)
            z = F.normalize(self.model.encode(x.to(self.compute.device), PLANE).float(), dim=1)
            rows.append(z.permute(0, 2, 3, 1).flatten(0, 2))
        flat = torch.cat(rows)
        pick = torch.from_numpy(draw.permutation(len(flat))[:n_embed]).to(flat.device)
        self.model.quantize.table.weight.copy_(flat[pick])
        self.average.values[CODEBOOK].copy_(flat[pick])
        self.use.fill_(1.0)
        self.seeded = True

    @torch.no_grad()
    def _revive_codes(self, i: int, codes: Tensor, z: Tensor) -> None:
        """Codes that nothing chose for long move to random latents of the batch."""
        counts = torch.bincount(codes.flatten(), minlength=self.model.cfg.n_embed).float()
        self.use.lerp_(counts, 0.02)
        if (i + 1) % 50 or i > 0.8 * self.cfg.steps:
            return
        dead = (self.use < 0.02).nonzero().flatten()
        flat = F.normalize(z.float(), dim=1).permute(0, 2, 3, 1).flatten(0, 2)
        generator = torch.Generator().manual_seed(self.cfg.seed * 7919 + i)
        pick = torch.randint(0, len(flat), (len(dead),), generator=generator).to(flat.device)
        weight = self.model.quantize.table.weight
        weight[dead] = flat[pick]
        self.average.values[CODEBOOK][dead] = flat[pick]
        self.use[dead] = 1.0

    def state(self) -> dict[str, Any]:
        return {
            **super().state(),
            "discriminator": self.discriminator.state_dict(),
            "adam_d": self.adam_d.state_dict(),
            "use": self.use,
            "seeded": self.seeded,
        }

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self.discriminator.load_state_dict(state["discriminator"])
        self.adam_d.load_state_dict(state["adam_d"])
        self.use, self.seeded = state["use"], state["seeded"]
