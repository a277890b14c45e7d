"""Translators between classes: images as another class, with no codes in between."""
from __future__ import annotations

import os
import pathlib
import typing

import torch

from whence import _arguments, _explain, _models, _whence
from whence._models import Model
from whence._result import Translations

Progress = typing.Callable[[str, int, int], None]

#: A Translator, or a run folder that has one.
TranslatorLike = typing.Union[_whence.Translator, str, os.PathLike]


def _weights_of(folder: pathlib.Path) -> pathlib.Path | None:
    """The file of a run's translator; None where its recipe trains none, or it is not trained yet."""
    recipe, data = _models.recipe_of(folder)
    file = folder / "translator.safetensors"
    return file if "image" in data and recipe.get("translation", {}).get("steps", 0) > 0 and file.is_file() else None


def translator(model: TranslatorLike) -> _whence.Translator:
    """The translator of a run folder, once for many calls. Error: the run has none."""
    if isinstance(model, _whence.Translator):
        return model
    folder = _models.run_folder(model)
    if folder is None:
        raise _whence.UsageError(f"a translator is a whence.Translator or a run folder, not {type(model).__name__}")
    file = _weights_of(folder)
    if file is None:
        raise _whence.Error(f"{folder} has no translator; give the run of a recipe with translation.steps above 0")
    recipe, data = _models.recipe_of(folder)
    return _whence.translator_of_weights(data["image"], len(data["classes"]), recipe["translation"].get("width", 0), str(file))


def of_generator(given: TranslatorLike | None, generator: typing.Any) -> _whence.Translator | None:
    """The given translator, else that of the generator's run folder, where it has one."""
    if given is not None:
        return translator(given)
    folder = getattr(generator, "_folder", generator)
    if isinstance(folder, (str, os.PathLike)) and (place := _models.run_folder(folder)) is not None and _weights_of(place):
        return translator(place)
    return None


def translate(translator: TranslatorLike, classifier: Model, x: torch.Tensor, target: int | str = "second", *, steps: int = 5,
              output: str = "auto") -> Translations:
    """What images would be as another class, by a translator: T(x, w) = (1 - m) x + m c, with a mask m in [0, 1] and colours c.

    translator: a whence.Translator (whence.train_translator makes one), or a run folder that has one.
    target: a class, "second" (each image's second most probable class) or "every" (each of the others in turn).
    steps: images of Translations.path.
    Errors: a run without a translator; images or classes that do not fit it; images that are all of the asked class.
    """
    x = _arguments.images(x)
    if steps < 2:
        raise _whence.UsageError(f"steps is {steps}, but must be 2 or more")
    changes = _translator(translator)
    return Translations(_whence.translate(changes, _models.classifier(classifier, x, output=output), x, str(target), steps))


def train_translator(images: torch.Tensor, labels: typing.Any = None, classifier: Model | None = None, *, width: int = 0,
                     steps: int = 3000, batch: int = 32, learning_rate: float = 1e-3, cycle_weight: float = 10.0,
                     identity_weight: float = 1.0, class_weight: float = 1.0, mask_weight: float = 0.1, average: float = 0.995,
                     output: str = "auto", seed: int = 0, progress: Progress | None = None) -> _whence.Translator:
    """A network that learns to turn an image of any class into any other, without pairs, as [translation] of a recipe trains it.

    images: (N, channels, height, width), float in [0, 1] or uint8; sides are multiples of 4.
    labels: a class for each image; None: the classifier's answers.
    classifier: the explained one. It takes part in the training with class_weight; None: the images alone (class_weight is 0), and
        labels must be given.
    width: channels of the first convolution; 0: 32.
    The weights are those of |T(T(x, o), s) - x|, |T(x, s) - x|, -log p(o | T(x, o)) and the mask's mean; the GAN loss has 1. average: of
    the translator's weights over the steps.
    """
    pixels = _arguments.pixels(images, 2)
    judge = None
    if classifier is not None:
        judge = _models.classifier(classifier, pixels[:8].float() / 255, output=output)
        known = _explain.labels_of(labels, judge, pixels)
        classes = judge.classes
    else:
        if labels is None:
            raise _whence.UsageError("give labels, or a classifier whose answers stand for them")
        known = torch.as_tensor(labels, dtype=torch.long).cpu()
        if known.shape != (len(pixels),) or known.min() < 0:
            raise _whence.UsageError(f"labels must be {len(pixels)} numbers from 0, one for each image")
        classes = int(known.max()) + 1
        class_weight = 0.0
    return _whence.train_translator(pixels, known.contiguous(), classes, judge, width, steps, batch, learning_rate,
                                    [cycle_weight, identity_weight, class_weight, mask_weight], average, seed, progress)


_translator = translator
