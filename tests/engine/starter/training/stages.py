"""Training stages at the smallest size, for tests."""

from __future__ import annotations

import torch

from engine.compute import Compute
from engine.models.vqgan import VQGAN
from engine.starter import captions
from engine.starter.training import clip, decoder, generator, prior, stream as streaming

CPU = Compute(torch.device("cpu"), torch.float32)


def clip_stage(data, meanings=None, wrong=None, **changes):
    cfg = clip.GUIDE.model_copy(update={"steps": 4, "batch": 8, "image_px": 32, **changes})
    return clip.ClipStage(data, cfg, CPU, meanings, wrong)


def known_name(data, stage):
    """A material's name of which every token is in the captions that the vocabulary was made of."""
    vocabulary = stage.vocabulary
    names = map(captions.canonical, data.params)
    return next(n for n in names if vocabulary.unknown not in vocabulary.compact[vocabulary.tokenizer(n)])


def generator_stage(data, guide):
    cfg = generator.GeneratorTraining(
        steps=6, batch=2, crop_px=32, whole_every=3, adversarial_from=0.5, continuous=0.2
    )
    return generator.GeneratorStage(data, guide, cfg, CPU)


def decoder_stage(data, guide):
    torch.manual_seed(3)
    cfg = decoder.DecoderTraining(steps=4, batch=2, crop_px=32, whole_every=2)
    return decoder.DecoderStage(data, VQGAN(generator.ARCHITECTURE), guide, cfg, CPU)


def prior_stage(data, grids, tiny_pack):
    cfg = prior.PriorTraining(steps=4, batch=2)
    return prior.PriorStage(grids, data.params, tiny_pack.generator, tiny_pack.guide, cfg, CPU)


def stream_stage(data, grids, tiny_pack, **changes):
    cfg = streaming.StreamTraining(**{"steps": 4, "batch": 2, **changes})
    return streaming.StreamStage(grids, data.params, tiny_pack.generator, tiny_pack.guide, cfg, CPU)
