"""Generative causal explanations of a classifier: training on tensors in memory, and what can be asked of the result."""
from __future__ import annotations

import functools
import os
import pathlib
import tempfile
import typing

import torch

from whence import _arguments, _folder, _html, _models, _trust, _whence
from whence._models import Model
from whence._options import documented, texts
from whence._result import Attribution, Counterfactuals, Flow, Modules, Morphs, Sweep, Translations

Progress = typing.Callable[[str, int, int], None]

#: Draws of Explanation.flow: of the factors, and of the rest for each.
_FLOW_SAMPLES = (100, 100)


def _answers(classifier: _whence.Classifier, images: torch.Tensor) -> torch.Tensor:
    """The classifier's answers to bytes (N, C, H, W)."""
    with torch.no_grad():
        return torch.cat([classifier.logits(part.float() / 255).argmax(1).cpu() for part in images.split(256)])


def labels_of(labels: typing.Any, classifier: _whence.Classifier, images: torch.Tensor) -> torch.Tensor:
    if labels is None:
        return _answers(classifier, images)
    labels = torch.as_tensor(labels, dtype=torch.long).cpu()
    if labels.shape != (len(images),) or not 0 <= labels.min() <= labels.max() < classifier.classes:
        raise _whence.UsageError(f"labels must be {len(images)} numbers from 0 to {classifier.classes - 1}, one for each image")
    return labels


def divided(labels: torch.Tensor, share: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows to train on, and rows that are held back: the same share of each class, drawn at random."""
    if not 0 < share < 1:
        raise _whence.UsageError(f"held_back is {share}, but must be a share of the images between 0 and 1")
    generator = torch.Generator().manual_seed(seed)
    held = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique().tolist():
        rows = (labels == label).nonzero().squeeze(1)
        count = min(max(1, round(share * len(rows))), len(rows) - 1)
        held[rows[torch.randperm(len(rows), generator=generator)[:count]]] = True
    return (~held).nonzero().squeeze(1), held.nonzero().squeeze(1)


def _explained(model: Model, images: torch.Tensor, output: str) -> tuple[_whence.Classifier, _folder.File | None]:
    """The classifier, with its layers where they can be found, and the file that it can be stored as."""
    example = images[:8].float() / 255
    if isinstance(model, (str, os.PathLike)) and not pathlib.Path(model).is_dir():
        file = pathlib.Path(model)
        return _models.classifier(model, example, output=output), _folder.File(file.suffix, file.read_bytes(), output)
    if isinstance(model, torch.nn.Module):
        with tempfile.TemporaryDirectory() as place:
            path = pathlib.Path(place) / "classifier.pt"
            try:
                probe = example.to(_models.device_of(model))
                _models.traced(model, probe, str(path))
                found = _whence.classifier_from_file(str(path), probe, output)
                return found, _folder.File(".pt", path.read_bytes(), output)
            except _whence.Error:
                pass  # as a function then, which says what is wrong with it
    return _models.classifier(model, example, output=output), None


@documented("explain")
def explain(model: Model, images: torch.Tensor, labels: typing.Any = None, causal: int = 2, noncausal: int = 4, *,
            architecture: str = "cvae", width: int = 0, initialisation: str = "published",
            class_names: typing.Sequence[str] | None = None, held_back: float = 0.1, output: str = "auto", seed: int = 0,
            progress: Progress | None = None, **options: typing.Any) -> "Explanation":
    """A generative causal explanation of a classifier (O'Shaughnessy et al. 2020): an autoencoder learns `causal` latents that move the
    classifier's answer, and `noncausal` others that draw the rest of the image.

    images: (N, channels, height, width), float in [0, 1] or uint8; they are kept as bytes. The sides of the architecture "cvae" are
        multiples of 4.
    labels: a class for each image; None: the classifier's answers.
    held_back: the share of each class that is not trained on; Explanation.images has it.
    architecture, width, initialisation: of the autoencoder, as in [generator] of a recipe.
    The schedule is that of recipes/gce/fmnist-034.toml with fewer steps. The classifier is frozen.
    """
    pixels = _arguments.pixels(images, 2)
    classifier, file = _explained(model, pixels, output)
    known = labels_of(labels, classifier, pixels)
    names = [str(i) for i in range(classifier.classes)] if class_names is None else [str(name) for name in class_names]
    if len(names) != classifier.classes:
        raise _whence.UsageError(f"class_names has {len(names)} names, but the classifier has {classifier.classes} classes")
    chosen = texts({"causal": causal, "noncausal": noncausal, **options}, _whence.options["explain"])
    train, held = divided(known, held_back, seed)
    trained = _whence.explain(classifier, pixels[train].contiguous(), known[train], names, architecture, width, initialisation,
                              chosen, seed, progress)
    record = _folder.Record(
        train=(pixels[train], known[train]), held=(pixels[held], known[held]), classifier=file, seed=seed, steps=trained["steps"],
        seconds=trained["seconds"], step_seconds=trained["step_seconds_median"],
        recipe={"architecture": architecture, "width": width, "initialisation": initialisation, "options": chosen})
    return Explanation(classifier, trained["encoder"], trained["decoder"], causal, names, record=record)


class Explanation:
    """A trained explanation. Latents 0 .. causal - 1 are alpha, which should move the classifier; the others are beta.

    classifier, encoder, decoder: the models; images, labels: those held back (None where a run's data are not at hand).
    """

    def __init__(self, classifier: _whence.Classifier, encoder: _whence.Encoder, decoder: _whence.Decoder, causal: int,
                 class_names: list[str], *, record: "_folder.Record | None" = None, folder: pathlib.Path | None = None,
                 flow: Flow | None = None, held: tuple[torch.Tensor, torch.Tensor] | None = None):
        self.classifier, self.encoder, self.decoder = classifier, encoder, decoder
        self.causal, self.class_names = causal, class_names
        self._record, self._folder = record, folder
        held = record.held if record is not None else held
        self.images = None if held is None else held[0].float() / 255
        self.labels = None if held is None else held[1]
        if flow is not None:
            self.__dict__["flow"] = flow

    @property
    def latents(self) -> int:
        return self.decoder.latents

    @property
    def names(self) -> list[str]:
        """alpha_1 .. alpha_K, beta_1 .. beta_L."""
        return ([f"alpha_{i + 1}" for i in range(self.causal)] +
                [f"beta_{i + 1}" for i in range(self.latents - self.causal)])

    @functools.cached_property
    def flow(self) -> Flow:
        """How much the latents tell about the answer; measured when first asked for, with 100 x 100 draws. whence.flow has options."""
        import whence

        return whence.flow(self.decoder, self.classifier, self.causal, samples=_FLOW_SAMPLES)

    def sweep(self, image: torch.Tensor, factors: typing.Sequence[int] | None = None, *, reach: float = 3.0,
              steps: int = 7) -> Sweep:
        """One image (C, H, W), with each latent in turn moved from -reach to reach from its code. factors: latents; None: all."""
        if image.dim() == 4 and len(image) == 1:
            image = image[0]
        if image.dim() != 3:
            raise _whence.UsageError(f"a sweep takes one image (channels, height, width), not {tuple(image.shape)}")
        factors = list(range(self.latents)) if factors is None else [int(factor) for factor in factors]
        with torch.no_grad():
            code = self.encoder.encode(image.detach().float().unsqueeze(0).contiguous())[0]
        found = [_whence.sweep(self.decoder, self.classifier, code, factor, -reach, reach, steps) for factor in factors]
        return Sweep({"factors": factors, "names": [self.names[factor] for factor in factors], "values": list(found[0][2]),
                      "images": torch.cat([each[0] for each in found]),
                      "probabilities": torch.cat([each[1] for each in found]), "class_names": self.class_names})

    def counterfactual(self, image: torch.Tensor, to: int | None = None, **options: typing.Any) -> Counterfactuals:
        """The smallest move of alpha that changes the answer to one image or several; options: those of whence.counterfactual."""
        import whence

        return whence.counterfactual(self.encoder, self.decoder, self.classifier, image, self.causal, to=to, **options)

    def morph(self, image: torch.Tensor, target: int | str = "second", **options: typing.Any) -> Morphs:
        """What one image or several would be as another class; options: those of whence.morph."""
        import whence

        if "known_images" not in options and (known := self.trained_on) is not None:
            options = {"known_images": known[0], "known_labels": known[1], **options}
        return whence.morph(self.encoder, self.decoder, self.classifier, image, target, **options)

    def translate(self, image: torch.Tensor, target: int | str = "second", **options: typing.Any) -> Translations:
        """What one image or several would be as another class, by the run's translator; options: those of whence.translate. Error: no
        run folder, or one without a translator."""
        import whence

        if self._folder is None:
            raise _whence.Error("this explanation has no run folder with a translator; use whence.translate with one of "
                                "whence.train_translator")
        return whence.translate(self._folder, self.classifier, image, target, **options)

    def modules(self, **options: typing.Any) -> Modules:
        """Groups of channels of the decoder, and which moves the classifier; options: those of whence.modules. Originals are the images
        held back; originals="prior" takes draws from N(0, I)."""
        import whence

        return whence.modules(self.decoder, self.classifier, **{"encoder": None if self.images is None else self.encoder,
                                                                "images": self.images, **options})

    @property
    def trained_on(self) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Images (bytes) and labels that it was trained on; None where a run's data are not at hand."""
        if self._record is not None:
            return self._record.train
        return None if self._folder is None else _folder.images_of(self._folder, _models.recipe_of(self._folder)[0], "train")

    def attribute(self, image: torch.Tensor, target: typing.Any = None, method: str = "path_mask", **options: typing.Any) -> Attribution:
        """Which pixels of one image or several speak for a class, with this autoencoder as the generator; options: those of
        whence.attribute."""
        import whence

        return whence.attribute(self.classifier, image, target, method, **{"generator": self, **options})

    def _of_data(self, images: torch.Tensor | None, labels: typing.Any) -> tuple[torch.Tensor, typing.Any]:
        if images is not None:
            return images, labels
        if self.images is None:
            raise _whence.Error("the images of this run are not at hand; give images=... and labels=...")
        return self.images, self.labels

    def trust(self, images: torch.Tensor | None = None, **options: typing.Any) -> _trust.Trust:
        """Whether this explanation is one: leaks, re-encoding, randomized classifiers, another explanation's factors; options: those of
        whence.trust. images: None: those held back."""
        import whence

        return whence.trust(self.encoder, self.decoder, self.classifier, self._of_data(images, None)[0], self.causal,
                            **{"flow": self.flow, **options})

    def ablate(self, images: torch.Tensor | None = None, labels: typing.Any = None, **options: typing.Any) -> _trust.Ablation:
        """The classifier's accuracy with each factor in turn replaced by noise; options: those of whence.ablate. images, labels: None:
        those held back."""
        import whence

        return whence.ablate(self.encoder, self.decoder, self.classifier, *self._of_data(images, labels),
                             **{"names": self.names, **options})

    def save(self, folder: str | os.PathLike) -> pathlib.Path:
        """Writes a run folder, which whence.load and the program read: recipe, weights, classifier, images and a short report.html.

        The program's `whence run FOLDER` trains the same recipe again on the same images, then measures and reports everything.
        Errors: the folder holds other files; the classifier is a Python function, which no file can hold.
        """
        return _folder.save(self, pathlib.Path(folder))

    def __repr__(self) -> str:
        return (f"Explanation(causal={self.causal}, noncausal={self.latents - self.causal}, "
                f"classes={self.class_names}{', flow=' + repr(self.flow) if 'flow' in self.__dict__ else ''})")

    def _repr_html_(self) -> str:
        # The estimates are unbiased, so those of nothing can be below 0; the table has them as they are.
        sentence = (f"<p>The {self.causal} causal factors carry {max(self.flow.alpha, 0):.3f} nats of the classifier's answer, all others "
                    f"{max(self.flow.beta, 0):.3f}.</p>")
        table = self.flow._table(dict(enumerate(self.names)))
        if self.images is None:
            return sentence + table
        # One image of each of the first classes.
        rows = [int((self.labels == label).nonzero()[0]) for label in self.labels.unique().tolist()[:3]]
        sweeps = "".join(f"<p>An image of class {_html.html.escape(self.class_names[int(self.labels[row])])}, one factor moved:</p>"
                         + self.sweep(self.images[row], range(self.causal))._repr_html_() for row in rows)
        return sentence + table + sweeps
