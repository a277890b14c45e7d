"""Encoders for generators that have none."""
from __future__ import annotations

import typing

import torch

from whence import _arguments, _models, _whence
from whence._models import Model

Progress = typing.Callable[[str, int, int], None]


def train_encoder(decoder: Model, images: torch.Tensor, latents: int | None = None, *, architecture: str = "dcgan", width: int = 0,
                  initialisation: str = "published", steps: int = 4000, batch: int = 64, learning_rate: float = 1e-3,
                  kl_weight: float = 1.0, sleep_weight: float = 1.0, seed: int = 0,
                  progress: Progress | None = None) -> _whence.Encoder:
    """An encoder for a generator that stays as it is, a GAN for example, so that images have codes: whence.morph(encoder, decoder,
    classifier, images) and attribution by methods that need a generator then work.

    images: (N, channels, height, width) of the data, float in [0, 1] or uint8; the generator must make images of this size.
    latents: how many the generator takes, where it does not tell.
    architecture, width, initialisation: of the encoder, as in [generator] of a recipe.
    The loss is SSE + kl_weight KL of images, and sleep_weight times -log q(z | g(z)) of draws z from N(0, I). learning_rate is the
    largest of a one-cycle schedule of Adam.
    """
    pixels = _arguments.pixels(images, 2)
    generator = _models.decoder_with_layers(decoder, latents)
    return _whence.train_encoder(generator, pixels, architecture, width, initialisation, steps, batch, learning_rate, kl_weight,
                                 sleep_weight, seed, progress)
