"""Generative causal explanations of a classifier of texts."""
from __future__ import annotations

import functools
import json
import os
import pathlib
import typing

import torch

from whence import _folder, _html, _text_folder, _whence
from whence._explain import divided
from whence._options import documented, texts as _option_texts
from whence._result import Flow, TextCounterfactual, TextSweep, WordAttribution
from whence._text_models import TextModel, Vocabulary, text_classifier
from whence._tokenizers import Tokenizer
from whence._trust import Ablation, Trust, trust_of

Progress = typing.Callable[[str, int, int], None]

#: Draws of TextExplanation.flow, as in recipes/text/sst.toml: of the factors, and of the rest for each.
_FLOW_SAMPLES = (120, 60)
_WORD_METHODS = ("integrated_gradients", "smooth_grad", "occlusion")


def _texts(texts: typing.Sequence[str]) -> list[str]:
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise _whence.UsageError("texts must be a list of str")
    return list(texts)


def attribute_words(model: TextModel, text: str, target: int | None = None, method: str = "integrated_gradients", *,
                    vocabulary: Vocabulary | None = None, tokenizer: Tokenizer = None, unknown: str | None = None, output: str = "auto",
                    seed: int = 0) -> WordAttribution:
    """How much each word of a text speaks for a class: "integrated_gradients", "smooth_grad" or "occlusion".

    target: None: the classifier's answer. Integrated gradients begin at a text of as many unknown words, and their sum is the
    difference of the logits; SmoothGrad is the mean gradient times the word's vector; occlusion is how much the logit falls when
    the word becomes unknown. vocabulary, tokenizer, unknown, output: as for whence.text_classifier; a tokenizer's pieces count as words.
    """
    if method not in _WORD_METHODS:
        raise _whence.UsageError(f"method is {method!r}, but must be one of {', '.join(_WORD_METHODS)}")
    judge = text_classifier(model, vocabulary, tokenizer=tokenizer, unknown=unknown, output=output)
    answer = judge.probabilities(_texts([text]))[0]
    target = int(answer.argmax()) if target is None else target
    if not 0 <= target < judge.classes:
        raise _whence.UsageError(f"target is {target}, but the classes are 0 to {judge.classes - 1}")
    words, values = _whence.attribute_words(judge, text, target, method, seed)
    return WordAttribution({"words": words, "values": values[:len(words)], "target": target, "probabilities": answer, "method": method})


@documented("explain_texts")
def explain_texts(model: TextModel, texts: typing.Sequence[str], labels: typing.Any = None, causal: int = 1, noncausal: int = 31, *,
                  vocabulary: Vocabulary | None = None, tokenizer: Tokenizer = None, unknown: str | None = None,
                  class_names: typing.Sequence[str] | None = None, held_back: float = 0.1, output: str = "auto", seed: int = 0,
                  progress: Progress | None = None, **options: typing.Any) -> "TextExplanation":
    """A generative causal explanation of a classifier of texts: an autoencoder of texts learns `causal` latents that move the
    classifier's answer to decoded texts, and `noncausal` others that hold the rest.

    texts: as people type them. The tokenizer cuts them, and the autoencoder writes the same words or pieces.
    labels: a class for each text; None: the classifier's answers.
    model, vocabulary, tokenizer, unknown, output: as for whence.text_classifier. The classifier is frozen.
    held_back: the share of each class that is not trained on; TextExplanation.measures judges with it.
    The schedule is that of recipes/text/sst.toml. `pull_weight` supervises alpha by the classifier's answers; 0 leaves alpha to the
    causal term.
    """
    texts = _texts(texts)
    judge = text_classifier(model, vocabulary, tokenizer=tokenizer, unknown=unknown, output=output)
    if len(texts) < 2:
        raise _whence.UsageError("give 2 or more texts")
    if labels is None:
        labels = judge.probabilities(texts).argmax(1)
    labels = torch.as_tensor(labels, dtype=torch.long).cpu()
    if labels.shape != (len(texts),) or not 0 <= labels.min() <= labels.max() < judge.classes:
        raise _whence.UsageError(f"labels must be {len(texts)} numbers from 0 to {judge.classes - 1}, one for each text")
    if len(labels.unique()) < 2:
        raise _whence.UsageError(f"all texts are of class {int(labels[0])}; an explanation needs two classes")
    names = [str(i) for i in range(judge.classes)] if class_names is None else [str(name) for name in class_names]
    if len(names) != judge.classes:
        raise _whence.UsageError(f"class_names has {len(names)} names, but the classifier has {judge.classes} classes")
    chosen = _option_texts({"causal": causal, "noncausal": noncausal, **options}, _whence.options["explain_texts"])
    train, held = [([texts[i] for i in rows.tolist()], labels[rows].tolist()) for rows in divided(labels, held_back, seed)]
    models = _whence.explain_texts(judge, train, held, names, chosen, seed, progress)
    record = _text_folder.Record(train=train, held=held, seed=seed, options=chosen)
    return TextExplanation(judge, models, names, record=record)


class TextExplanation:
    """A trained explanation of a classifier of texts. Latents 0 .. causal - 1 are alpha, the others beta.

    Everything is said about texts that were really decoded, word after word, each time the most probable one, and read again by the
    classifier.
    """

    def __init__(self, classifier: _whence.TextClassifier, models: _whence.TextModels, class_names: list[str], *,
                 record: "_text_folder.Record | None" = None, folder: pathlib.Path | None = None,
                 measures: dict[str, typing.Any] | None = None):
        self.classifier, self.class_names = classifier, class_names
        self._models, self._record, self._folder = models, record, folder
        if measures is not None:
            self.__dict__["measures"] = measures

    @property
    def causal(self) -> int:
        return self._models.causal

    @property
    def latents(self) -> int:
        return self._models.latents

    @property
    def names(self) -> list[str]:
        """alpha_1 .. alpha_K, beta_1 .. beta_L."""
        return ([f"alpha_{i + 1}" for i in range(self.causal)] +
                [f"beta_{i + 1}" for i in range(self.latents - self.causal)])

    @functools.cached_property
    def measures(self) -> dict[str, typing.Any]:
        """What `whence run` measures of texts held back, as in metrics.json: flow, flips, words_kept, fluency, bound and others. Measured
        when first asked for."""
        if self._record is None:
            raise _whence.Error(f"{self._folder} was not measured; `whence run {self._folder}` does it")
        return json.loads(self._models.measure(*_FLOW_SAMPLES, self._record.seed, None))

    @functools.cached_property
    def flow(self) -> Flow:
        """How much the latents tell about the answer to decoded texts, in nats. Measured with `measures`."""
        return _folder.flow_of(self.measures["flow"])

    def _asked(self, text: str) -> dict[str, typing.Any]:
        if not isinstance(text, str):
            raise _whence.UsageError(f"a text is a str, not {type(text).__name__}")
        return self._models.ask(text)

    def sweep(self, text: str, factors: typing.Sequence[int] | None = None, *, reach: float = 2.0, steps: int = 5) -> TextSweep:
        """A text while latents move from -reach to reach from its code, one at a time. factors: latents; None: all alphas."""
        asked = self._asked(text)
        factors = list(range(self.causal)) if factors is None else [int(factor) for factor in factors]
        values = torch.linspace(-reach, reach, steps, dtype=torch.float64).tolist()
        rows = [self._models.sweep(asked["code"], factor, values) for factor in factors]
        own, answer, _ = self._models.sweep(asked["code"], 0, [0.0])[0]
        return TextSweep({"text": asked["text"], "answer": asked["answer"], "reconstruction": own, "reconstruction_answer": answer,
                          "factors": factors, "names": [self.names[factor] for factor in factors], "values": values,
                          "texts": [[each[0] for each in row] for row in rows],
                          "probabilities": torch.stack([torch.stack([each[1] for each in row]) for row in rows]),
                          "unknown": asked["unknown"], "left_out": asked["left_out"], "class_names": self.class_names})

    def _class(self, name: int | str | None) -> int | None:
        if name is None:
            return None
        if isinstance(name, str) and name in self.class_names:
            return self.class_names.index(name)
        if not isinstance(name, int) or not 0 <= name < len(self.class_names):
            raise _whence.UsageError(f"to is {name!r}, but must be a class: {', '.join(self.class_names)}, or 0 to "
                                     f"{len(self.class_names) - 1}")
        return name

    def counterfactual(self, text: str, to: int | str | None = None, *, probability: float = 0.0, radius: float = 3.0,
                       step: float = 0.05, rays: int = 0) -> TextCounterfactual:
        """The text of the smallest move of the alphas that gets another answer than the reconstruction; beta is kept.

        to: the class that is asked for, a number or a name; None: any other. probability: of the new class, at least.
        radius: largest size of the alphas that is tried, in steps of `step`. rays: directions of several alphas; 0: 32 for two, else 16
            each.
        """
        wanted = self._class(to)
        asked = self._asked(text)
        own, before, _ = self._models.sweep(asked["code"], 0, [0.0])[0]
        found = self._models.counterfactual(asked["code"], wanted, probability, radius, step, rays)
        changed, after, alphas, distance = (None, None, None, None) if found is None else found
        return TextCounterfactual({"text": asked["text"], "answer": asked["answer"], "reconstruction": own, "before": before,
                                   "found": found is not None, "already": wanted is not None and int(before.argmax()) == wanted,
                                   "counterfactual": changed, "after": after, "alpha": asked["code"][0, 0].item(),
                                   "new_alpha": None if alphas is None else alphas[0],
                                   "alphas": asked["code"][0, :self.causal].tolist(), "new_alphas": alphas, "distance": distance,
                                   "radius": radius, "unknown": asked["unknown"], "left_out": asked["left_out"],
                                   "class_names": self.class_names})

    def _check_held(self, count: int) -> None:
        """Errors: texts held back are not at hand; (usage) a negative number of them."""
        if self._record is None:
            raise _whence.Error(f"the texts of {self._folder} are not at hand; the program has them: `whence trust` and `whence ablate`")
        if count < 0:
            raise _whence.UsageError(f"count is {count}, but must be 0 or more texts")

    def trust(self, *, other: "TextExplanation | None" = None, count: int = 0, seed: int = 0) -> Trust:
        """Whether this explanation is one, on `count` texts held back, drawn at random (0: all): the share of the flow in the betas,
        reconstructions that keep their text's answer, and with `other`, an explanation of the same texts, whether its factors are
        these. Classifiers with random weights are left out, because the layers of this one are unknown."""
        self._check_held(count)
        if other is not None and not isinstance(other, TextExplanation):
            raise _whence.UsageError(f"other must be a whence.TextExplanation, not {type(other).__name__}")
        flow = self.flow
        return trust_of(json.loads(self._models.trust((flow.alpha, flow.alpha_se), (flow.beta, flow.beta_se),
                                                      None if other is None else other._models, count, seed)))

    def ablate(self, *, count: int = 0, seed: int = 0) -> Ablation:
        """The classifier's accuracy with each factor in turn replaced by noise, on `count` texts held back, drawn at random (0: all)."""
        self._check_held(count)
        found = self._models.ablate(count, seed)
        return Ablation({**found, "replaced": dict(zip(self.names, found["replaced"]))})

    def save(self, folder: str | os.PathLike) -> pathlib.Path:
        """Writes a run folder, which whence.load and the program read (`whence sweep FOLDER --text "..."`).

        Errors: the folder holds other files; the classifier is a module that neither torch.jit.trace nor torch.jit.script can follow.
        """
        return _text_folder.save(self, pathlib.Path(folder))

    def __repr__(self) -> str:
        return f"TextExplanation(causal={self.causal}, noncausal={self.latents - self.causal}, classes={self.class_names})"

    def _repr_html_(self) -> str:
        body = (f"<p>Alpha carries {max(self.flow.alpha, 0):.3f} nats of the classifier's answer to decoded texts, all other factors "
                f"{max(self.flow.beta, 0):.3f}. From one end of alpha to the other {self.measures['flips']['mean']:.0%} of the texts change "
                "their answer.</p>")
        rows = [[row["name"], row["text"], f"{row['probability']:.2f}"] for sweep in self.measures["sweeps"] for row in sweep]
        last = _html.html.escape(self.class_names[-1])
        return body + self.flow._table(dict(enumerate(self.names))) + _html.table(rows, ["", "text", f"probability of {last}"])
