"""Explains classifiers and generative models: attribution, causal explanations, information flow, counterfactuals, morphs, modules,
feature visualization.

Models are torch.nn.Modules or other functions of tensors, files (.pt2, TorchScript), or run folders of the program whence. Tensors
in and out are torch tensors; images are float32 in [0, 1], (N, channels, height, width). The same seed gives the same bits.
"""
from __future__ import annotations

import json as _json
import typing as _typing

import torch as _torch

from whence import _arguments, _generators, _whence
from whence._causes import Causes, causes
from whence._evaluate import AttributionEvaluation, PerturbationCurve, evaluate_attributions, measures, perturbation_curve
from whence._explain import Explanation, explain
from whence._explain_texts import TextExplanation, attribute_words, explain_texts
from whence._inversion import train_encoder
from whence._load import load
from whence._models import Model, classifier, decoder, encoder
from whence._options import documented as _documented, texts as _texts
from whence._progress import print_progress
from whence._result import (Attribution, Counterfactuals, Flow, Modules, Morphs, Sweep, TextCounterfactual, TextSweep, Translations,
                            Visualization, WordAttribution)
from whence._select import Selection, select
from whence._text_models import text_classifier
from whence._translation import (TranslatorLike as _TranslatorLike, of_generator as _translator_of, train_translator, translate,
                                 translator)
from whence._trust import Ablation, Trust, ablate, trust
from whence._truth import AttributionTruth, attribution_truth, truth_problems
from whence._whence import Classifier, Decoder, Encoder, Error, TextClassifier, Translator, UsageError

__all__ = ["attribute", "attribute_words", "evaluate_attributions", "perturbation_curve", "attribution_truth", "explain",
           "explain_texts", "select", "load", "flow", "trust", "ablate", "counterfactual", "causes", "morph", "modules", "visualize", "classifier", "decoder", "encoder",
           "train_encoder", "translator", "translate", "train_translator", "Translator", "Translations",
           "text_classifier", "methods", "measures", "truth_problems", "print_progress", "Classifier", "Decoder", "Encoder", "TextClassifier",
           "Attribution", "AttributionEvaluation", "AttributionTruth", "PerturbationCurve", "Explanation", "TextExplanation", "Selection", "Flow", "Trust",
           "Ablation", "Counterfactuals", "Causes", "Morphs", "Modules", "Sweep", "TextCounterfactual", "TextSweep", "Visualization",
           "WordAttribution", "Error", "UsageError"]

#: The attribution methods: {name: {"title", "meaning", "source", "needs_layers", "needs_references", "needs_generator", "options", ...}}.
methods: dict[str, dict[str, _typing.Any]] = _whence.methods

Progress = _typing.Callable[[str, int, int], None]

_images, _targets, _causal = _arguments.images, _arguments.targets, _arguments.causal_first


@_documented("attribute")
def attribute(model: Model, x: _torch.Tensor, target: int | _typing.Sequence[int] | _torch.Tensor | None = None,
              method: str = "integrated_gradients", *, baselines: float | _torch.Tensor | None = None,
              n_steps: int | None = None, n_samples: int | None = None, references: _torch.Tensor | None = None,
              generator: _generators.Generator | None = None, known_images: _torch.Tensor | None = None,
              known_labels: _typing.Any = None, translator: _TranslatorLike | None = None, output: str = "auto", seed: int = 0,
              progress: Progress | None = None, **options: _typing.Any) -> Attribution:
    """How much each value of the images speaks for a class, by one of whence.methods.

    target: the class, or one for each image; None: the classifier's answers.
    baselines: a grey level, or an image (or one for each) for methods that take a baseline; images of the data for methods that
        draw baselines from them or learn from them, which `references` does, too.
    generator: an autoencoder of the images, for methods that move along what it makes (path_mask, path_integrated_gradients): a
        whence.Explanation, a run folder, or a pair (encoder, decoder). Other methods do without.
    known_images, known_labels: images of the data, whose codes are starts, and their classes; without labels the classifier's answers
        count. None: those that the generator was trained on, where they are at hand, else images that the decoder makes of codes from
        N(0, I).
    translator: for path methods with path_baseline="translation", which then need no generator: a whence.Translator or a run folder.
        None: that of the generator's run folder, where it has one.
    n_steps, n_samples: the method's own option of this name, for those used to captum's.
    output: "logits", "probabilities", or "auto", which takes rows that are probabilities as such.
    progress: a function of (stage, step, steps in all). An exception from it stops the work.
    """
    x = _images(x)
    method = _whence.method_named(method)
    facts = methods[method]
    chosen = dict(options)
    for name, value in (("steps", n_steps), ("samples", n_samples)):
        if value is not None:
            chosen[name] = value
    baseline = None
    if isinstance(baselines, _torch.Tensor):
        if facts["needs_references"]:
            references = baselines
        elif "baseline_image" in facts["options"]:
            baseline = baselines.detach().float()
        else:
            raise UsageError(f"{method} takes no baseline; give one to a method like integrated_gradients")
    elif baselines is not None:
        chosen["baseline"] = baselines
    known = classifier(model, x, output=output, layers=facts["needs_layers"])
    return Attribution(_whence.attribute(
        known, x, _targets(target, x), method, _texts(chosen, facts["options"]), baseline,
        None if references is None else _images(references), _generators.autoencoder(generator, x, known, known_images, known_labels),
        _translator_of(translator, generator), seed, progress), images=x)


@_documented("flow")
def flow(decoder: Model, classifier: Model, causal: int | _typing.Sequence[int], *, latents: int | None = None,
         output: str = "auto", seed: int = 0, progress: Progress | None = None, **options: _typing.Any) -> Flow:
    """How much each latent of a generator tells about the classifier's answer, in nats (information flow).

    causal: the latents that are alpha: a number (the first ones) or a list. The others are beta.
    latents: how many the decoder takes; not needed where it tells.
    """
    generator = _decoder(decoder, latents)
    order, count = _causal(causal, generator.latents)
    with _torch.no_grad():
        example = generator.decode(_torch.randn(4, generator.latents, generator=_torch.Generator().manual_seed(0)))
    judge = _classifier(classifier, example, output=output)
    return Flow(_whence.flow(generator, judge, order, count, _texts(options), seed, progress))


@_documented("counterfactual")
def counterfactual(encoder: Model | None, decoder: Model, classifier: Model, x: _torch.Tensor,
                   causal: int | _typing.Sequence[int], *, to: int | None = None, latents: int | None = None,
                   output: str = "auto", progress: Progress | None = None, **options: _typing.Any) -> Counterfactuals:
    """The smallest move of the causal latents that changes the classifier's answer, the others kept.

    x: images, or codes (N, latents) where the encoder is None.
    to: the class to move to; None: any other.
    """
    if encoder is None:
        codes, images = _arguments.codes(x), None
    else:
        images = _images(x)
        with _torch.no_grad():
            codes = _encoder(encoder, images).encode(images)[0]
    generator = _decoder(decoder, codes.shape[1] if latents is None else latents)
    order, count = _causal(causal, generator.latents)
    with _torch.no_grad():
        example = generator.decode(codes[:4])
    judge = _classifier(classifier, example if images is None else images, output=output)
    return Counterfactuals(_whence.counterfactual(generator, judge, codes, images, order, count, to,
                                                  _texts(options), progress),
                           originals=images)


@_documented("morph")
def morph(encoder: Model, decoder: Model, classifier: Model, x: _torch.Tensor, target: int | str = "second", *,
          known_images: _torch.Tensor | None = None, known_labels: _typing.Any = None, latents: int | None = None,
          steps: int = 5, output: str = "auto", seed: int = 0, progress: Progress | None = None,
          **options: _typing.Any) -> Morphs:
    """What images would be as another class: semantic morphs, which start from codes of known images (Parafita 2018).

    target: a class, "second" (each image's second most probable class) or "every" (each of the others in turn).
    known_images, known_labels: images of the data, whose codes are starts; without labels the classifier's answers count. None:
        images that the decoder makes of codes from N(0, I).
    steps: images of Morphs.path, the first one the reconstruction and the last one the morph.
    """
    x = _images(x)
    encodes = _encoder(encoder, x)
    generator = _decoder(decoder, encodes.latents if latents is None else latents)
    judge = _classifier(classifier, x, output=output)
    known, labels = _generators.known(known_images, known_labels, judge)
    return Morphs(_whence.morph(encodes, generator, judge, x, str(target), known, labels,
                                _texts(options), steps, seed, progress))


@_documented("modules")
def modules(decoder: Model, classifier: Model | None = None, *, encoder: Model | None = None,
            images: _torch.Tensor | None = None, latents: int | None = None, output: str = "auto", seed: int = 0,
            progress: Progress | None = None, **options: _typing.Any) -> Modules:
    """Groups of channels of a generator that act on the same part of the image, and which of them moves the classifier (Besserve et
    al. 2020).

    decoder: one whose layers are known; a torch.nn.Module that torch.jit.trace can follow is.
    classifier: None: the flow of modules is left out. encoder, images: originals are images of the data, not draws from N(0, I).
    """
    if (encoder is None) != (images is None):
        raise UsageError("give both encoder and images, or neither")
    generator = _decoder(decoder, latents, layers=True)
    example = None if images is None else _images(images)
    if example is None and classifier is not None:
        with _torch.no_grad():
            example = generator.decode(_torch.randn(4, generator.latents, generator=_torch.Generator().manual_seed(0)))
    found = _whence.modules(generator, None if classifier is None else _classifier(classifier, example, output=output),
                            None if encoder is None else _encoder(encoder, example), None if images is None else example,
                            _texts(options), seed, progress)
    found["record"] = _json.loads(found["record"])
    return Modules(found)


@_documented("visualize")
def visualize(model: Model, objective: str = "logit", units: int | _typing.Sequence[int] | None = None, *,
              layer: str | None = None, place: tuple[int, int] | None = None, directions: _torch.Tensor | None = None,
              parametrization: str = "fourier", data: _torch.Tensor | None = None, labels: _torch.Tensor | None = None,
              decoder: Model | None = None, latents: int | None = None, shape: _typing.Sequence[int] | None = None,
              regularized: bool = True, output: str = "auto", seed: int = 0, progress: Progress | None = None,
              **options: _typing.Any) -> Visualization:
    """Pictures of what classes (objectives probability and logit) or units of a layer (neuron, channel, layer, direction) respond to
    most.

    units: classes or channels; None: all classes, or the first nine channels.
    data, labels: images that colours, norms and comparisons come from.
    decoder: for the parametrization "prior". shape: of an image, (C, H, W), where neither data nor the model tells it.
    regularized: False makes the control, pixels without any regularizer.
    """
    example = _images(data) if data is not None else _example_of(model, shape)
    known = _classifier(model, example, output=output, layers=_whence.needs_layer(objective))
    if units is None:
        units = range(known.classes if not _whence.needs_layer(objective) else 9)
    units = [units] if isinstance(units, int) else [int(unit) for unit in units]
    if labels is not None:
        labels = _torch.as_tensor(labels, dtype=_torch.long)
    generator = None if decoder is None else _decoder(decoder, latents)
    return Visualization(_whence.visualize(
        known, objective, layer or "", [] if objective in ("layer", "direction") else units, place,
        None if directions is None else directions.detach().float(), parametrization,
        _texts(options), None if data is None else example, labels, generator, seed,
        regularized, progress), units=units)


def _example_of(model: Model, shape: _typing.Sequence[int] | None) -> _torch.Tensor | None:
    if shape is None:
        return None
    return _torch.rand(4, *shape, generator=_torch.Generator().manual_seed(0))


_classifier, _decoder, _encoder = classifier, decoder, encoder
