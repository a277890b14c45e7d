"""Checks of an explanation: trust and ablation."""
from __future__ import annotations

import json
import typing

import torch

from whence import _arguments, _html, _models, _whence
from whence._models import Model
from whence._result import Flow, _Result

Progress = typing.Callable[[str, int, int], None]
#: A share and its standard error, both from 0 to 1.
Share = tuple[float, float]


def _share(record: dict[str, typing.Any]) -> Share:
    value, error = record["value"], record["se"]
    return (float("nan") if value is None else value, float("nan") if error is None else error)


def _percent(share: Share) -> str:
    return "-" if share[0] != share[0] else f"{100 * share[0]:.2f} % ± {100 * share[1]:.2f}"


class Trust(_Result):
    """leak: the share of the information flow in the betas; 0 when alpha is all that moves the classifier. reencoding: the share of
    images to whose reconstruction the classifier gives the same class as to the image. Both are (share, standard error), from 0 to 1;
    images, texts: how many there were, None of the other kind.

    passed: whether the explanation is about what this classifier has learned: alpha's share of its flow, alpha_share, is above that of
        classifiers with random weights, randomized_share (Adebayo et al. 2018). None, with the reason in left_out, where that was not
        checked.
    seeds: which factors of another explanation are these, with correlations, or None.
    record: every number, as `whence trust --json` prints it.
    """

    leak: Share
    reencoding: Share
    images: int | None
    texts: int | None
    passed: bool | None
    alpha_share: Share | None
    randomized_share: Share | None
    left_out: str | None
    seeds: dict[str, typing.Any] | None
    record: dict[str, typing.Any]

    def _rows(self) -> list[list[str]]:
        rows = [["share of the flow in the betas", _percent(self.leak)],
                [f"reconstructions that keep their {'text' if self.images is None else 'image'}'s answer", _percent(self.reencoding)]]
        if self.alpha_share is None or self.randomized_share is None:
            rows.append(["randomized classifiers", f"left out: {self.left_out}"])
        else:
            rows += [["share of alpha, explained classifier", _percent(self.alpha_share)],
                     ["share of alpha, randomized classifiers", _percent(self.randomized_share)],
                     ["the explanation is about this classifier", "yes" if self.passed else "not shown"]]
        if self.seeds is not None:
            rows += [[f"{match['factor']} is {match['other']} of the other explanation", f"correlation {match['correlation']:.3f}"]
                     for kind in ("alpha", "beta") for match in self.seeds[kind]]
            rows.append(["all alphas together", f"correlation {self.seeds['alpha_subspace']:.3f}"])
        return rows

    def __str__(self) -> str:
        return "\n".join(f"{name:<52} {value}" for name, value in self._rows())

    def _repr_html_(self) -> str:
        return _html.table(self._rows(), ["check", ""])


def trust_of(found: dict[str, typing.Any]) -> Trust:
    """From what kinds::check_trust gives."""
    random = found["randomization"]
    checked = "left_out" not in random
    kept = found["reencoding"]
    return Trust({"leak": _share(found["leak"]), "reencoding": _share(kept), "images": kept.get("images"), "texts": kept.get("texts"),
                  "passed": random["passed"] if checked else None,
                  "alpha_share": _share(random["alpha_share"]) if checked else None,
                  "randomized_share": _share(random["randomized_share"]) if checked else None,
                  "left_out": random.get("left_out"), "seeds": found.get("seeds"), "record": found})


class Ablation(_Result):
    """Accuracy of the classifier against labels, from 0 to 1: original, on the images; reencoded, on their reconstructions;
    replaced, {latent: with that one replaced by a draw from N(0, 1)}. samples: images or texts; an accuracy a has the standard error
    sqrt(a (1 - a) / samples)."""

    original: float
    reencoded: float
    replaced: dict[str, float]
    samples: int

    def _rows(self) -> list[list[str]]:
        rows = [("original", self.original), ("re-encoded", self.reencoded)]
        rows += [(f"{name} replaced", value) for name, value in self.replaced.items()]
        return [[name, f"{100 * value:.2f} %"] for name, value in rows]

    def __str__(self) -> str:
        return "\n".join(f"{name:<28} {value:>8}" for name, value in self._rows())

    def _repr_html_(self) -> str:
        return _html.table(self._rows(), [f"{self.samples} samples", "accuracy"])


def _pair(encoder: Model, decoder: Model, pixels: torch.Tensor, latents: int | None) -> tuple[_whence.Encoder, _whence.Decoder]:
    encodes = _models.encoder(encoder, pixels[:8].float() / 255)
    return encodes, _models.decoder(decoder, encodes.latents if latents is None else latents)


def trust(encoder: Model, decoder: Model, classifier: Model, images: torch.Tensor, causal: int | typing.Sequence[int], *,
          flow: Flow | None = None, randomized: int = 5, other: typing.Any = None, latents: int | None = None, output: str = "auto",
          seed: int = 0, progress: Progress | None = None) -> Trust:
    """Whether an explanation is one: four checks that need no further training (`whence trust`).

    images: of the data, not trained on: (N, channels, height, width), float in [0, 1] or uint8; they are taken as bytes.
    causal: the latents that are alpha: a number (the first ones) or a list. The others are beta.
    flow: the information flow as measured before; None: measured now, with 100 x 100 draws.
    randomized: classifiers with random weights; 0 leaves that check out. It needs the classifier's layers.
    other: an explanation made with another seed, or (encoder, causal): whether the same factors come back on these images.

    Errors (usage): images outside of [0, 1]; fewer than 3 of them with `other`; latents that do not exist.
    """
    import whence

    pixels = _arguments.pixels(images)
    encodes, generator = _pair(encoder, decoder, pixels, latents)
    judge = _models.classifier_with_layers(classifier, pixels[:8].float() / 255, output)
    order, count = _arguments.causal_first(causal, generator.latents)
    if not 0 <= randomized <= 1000:
        raise _whence.UsageError(f"randomized is {randomized}, but must be from 0 to 1000")
    if flow is None:
        flow = whence.flow(generator, judge, order[:count], samples=(100, 100), seed=seed, progress=progress)
    found = json.loads(_whence.trust(encodes, generator, judge, pixels, order, count, (flow.alpha, flow.alpha_se),
                                     (flow.beta, flow.beta_se), randomized, _other(other, pixels), seed, progress))
    return trust_of(found)


def _other(other: typing.Any, pixels: torch.Tensor) -> tuple[_whence.Encoder, list[int], int] | None:
    if other is None:
        return None
    encoder, causal = other if isinstance(other, tuple) and len(other) == 2 else (getattr(other, "encoder", None),
                                                                                  getattr(other, "causal", None))
    if encoder is None or causal is None:
        raise _whence.UsageError(f"other must be an explanation or (encoder, causal), not {type(other).__name__}")
    if len(pixels) < 3:
        raise _whence.UsageError(f"the factors of two explanations are compared on 3 images or more, not {len(pixels)}")
    encodes = _models.encoder(encoder, pixels[:8].float() / 255)
    return encodes, *_arguments.causal_first(causal, encodes.latents)


def ablate(encoder: Model, decoder: Model, classifier: Model, images: torch.Tensor, labels: typing.Any, *,
           names: typing.Sequence[str] | None = None, count: int = 0, latents: int | None = None, output: str = "auto", seed: int = 0,
           progress: Progress | None = None) -> Ablation:
    """The classifier's accuracy with each latent in turn replaced by noise (`whence ablate`): what the latent carries of the answer.

    images, labels: of the data, not trained on; images are (N, channels, height, width), float in [0, 1] or uint8, and taken as bytes.
    names: of the latents; None: latent 0, latent 1, ... count: how many images, drawn at random; 0: all.

    Errors (usage): images outside of [0, 1]; a label that is no class; another number of labels or names.
    """
    pixels = _arguments.pixels(images)
    encodes, generator = _pair(encoder, decoder, pixels, latents)
    judge = _models.classifier(classifier, pixels[:8].float() / 255, output=output)
    names = [f"latent {i}" for i in range(generator.latents)] if names is None else [str(name) for name in names]
    if len(names) != generator.latents:
        raise _whence.UsageError(f"names has {len(names)} names, but there are {generator.latents} latents")
    if count < 0:
        raise _whence.UsageError(f"count is {count}, but must be 0 or more images")
    known = _arguments.targets(labels, pixels, "labels", judge.classes)
    if known is None:
        raise _whence.UsageError("give labels, a class for each image")
    found = _whence.ablate(encodes, generator, judge, pixels, known.cpu(), count, seed, progress)
    found["replaced"] = dict(zip(names, found["replaced"]))
    return Ablation(found)
