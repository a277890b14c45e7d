"""Autoencoders of images, as attribution and morphs take them."""
from __future__ import annotations

import os
import typing

import torch

from whence import _arguments, _folder, _models, _whence
from whence._models import Model

#: An Explanation, a run folder, or an encoder and a decoder.
Generator = typing.Union[typing.Any, str, os.PathLike, tuple[Model, Model]]
#: Encoder, decoder, and images of the data with their classes.
Autoencoder = tuple[_whence.Encoder, _whence.Decoder, typing.Optional[torch.Tensor], typing.Optional[torch.Tensor]]


def known(images: torch.Tensor | None, labels: typing.Any, judge: _whence.Classifier,
          ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Images of the data, float or bytes, and their classes: without labels the classifier's answers."""
    if images is None:
        if labels is not None:
            raise _whence.UsageError("known_labels are the classes of known_images; give these, too")
        return None, None
    images = images if isinstance(images, torch.Tensor) and images.dtype == torch.uint8 else _arguments.images(images, "known_images")
    if labels is not None:
        return images, _arguments.targets(labels, images, "known_labels", judge.classes)
    scale = 255 if images.dtype == torch.uint8 else 1
    with torch.no_grad():
        return images, torch.cat([judge.logits(part.float() / scale).argmax(1) for part in images.split(256)])


def autoencoder(generator: Generator | None, x: torch.Tensor, judge: _whence.Classifier, known_images: torch.Tensor | None = None,
                known_labels: typing.Any = None) -> Autoencoder | None:
    """What a generator is made of. Images of the data are those given, else those that it was trained on, where they are at hand,
    else none. Error (usage): something else than a generator."""
    if generator is None:
        return None
    encoder: _whence.Encoder
    held = None
    if isinstance(generator, tuple) and len(generator) == 2:
        encoder = _models.encoder(generator[0], x)
        decoder = _models.decoder(generator[1], encoder.latents)
    elif hasattr(generator, "encoder") and hasattr(generator, "decoder"):
        encoder, decoder, held = generator.encoder, generator.decoder, generator.trained_on
    elif (folder := _models.run_folder(generator)) is not None:
        encoder, decoder = _models.encoder(folder), _models.decoder(folder)
        held = _folder.images_of(folder, _models.recipe_of(folder)[0], "train")
    else:
        raise _whence.UsageError("generator must be an explanation, a run folder or a pair (encoder, decoder), not "
                                 f"{type(generator).__name__}")
    if known_images is None and known_labels is None and held is not None:
        known_images, known_labels = held
    if encoder.latents != decoder.latents:
        raise _whence.UsageError(f"the encoder has {encoder.latents} latents and the decoder {decoder.latents}; they must belong to one "
                                 "model")
    return encoder, decoder, *known(known_images, known_labels, judge)
