"""What the functions return: fields as attributes, and a table or figure in notebooks."""
from __future__ import annotations

import typing

import torch

from whence import _html


class _Result:
    """Fields are attributes; dict(result.items()) has them all."""

    def __init__(self, fields: dict[str, typing.Any], **more: typing.Any):
        self.__dict__.update(fields, **more)

    def items(self) -> typing.ItemsView[str, typing.Any]:
        return self.__dict__.items()

    def __repr__(self) -> str:
        def shown(value: typing.Any) -> str:
            return f"tensor{tuple(value.shape)}" if isinstance(value, torch.Tensor) else repr(value)

        fields = ", ".join(f"{name}={shown(value)}" for name, value in self.items() if value is not None)
        return f"{type(self).__name__}({fields})"


class Attribution(_Result):
    """values: like the images, or (N, 1, H, W); scores (N): the explained number; target (N); completeness_error and
    standard_error where the method has them."""

    images: torch.Tensor
    values: torch.Tensor
    scores: torch.Tensor
    target: torch.Tensor
    completeness_error: torch.Tensor | None
    standard_error: torch.Tensor | None
    method: str

    def _repr_html_(self) -> str:
        count = min(len(self.values), 9)
        rows: list[list[str]] = [
                [_html.picture(image) for image in self.images[:count]],
                [_html.picture(_html.heat(map)) for map in self.values[:count].sum(1)],
                [f"class {target}, {score:.3g}" for target, score in zip(self.target[:count].tolist(), self.scores.tolist())]]
        return _html.table(rows, [self.method] + [""] * (count - 1))


class Flow(_Result):
    """alpha and beta: flow of all causal and of all other latents, in nats, with alpha_se and beta_se; factors: a list of (latent,
    causal, nats, standard error)."""

    alpha: float
    alpha_se: float
    beta: float
    beta_se: float
    factors: list[tuple[int, bool, float, float]]
    outer: int
    inner: int

    def _repr_html_(self) -> str:
        return self._table({latent: f"latent {latent}{' (causal)' if causal else ''}" for latent, causal, _, _ in self.factors})

    def _table(self, names: typing.Mapping[int, str]) -> str:
        rows = [["all causal", f"{self.alpha:.4f}", f"{self.alpha_se:.4f}"],
                ["all others", f"{self.beta:.4f}", f"{self.beta_se:.4f}"]]
        rows += [[names[latent], f"{nats:.4f}", f"{error:.4f}"] for latent, _, nats, error in self.factors]
        return _html.table(rows, ["information flow", "nats", "standard error"])


class Counterfactuals(_Result):
    """images: the counterfactuals (the reconstructions where none was found); codes; move and distance of the causal latents, in the order of
    `causal`; found and already (bool); class probabilities original, before and after; from_class and to_class."""

    originals: torch.Tensor | None
    images: torch.Tensor
    codes: torch.Tensor
    move: torch.Tensor
    distance: torch.Tensor
    found: torch.Tensor
    already: torch.Tensor
    original: torch.Tensor | None
    before: torch.Tensor
    after: torch.Tensor
    from_class: torch.Tensor
    to_class: torch.Tensor

    def _repr_html_(self) -> str:
        count = min(len(self.images), 9)
        rows: list[list[str]] = []
        if self.originals is not None:
            rows.append([_html.picture(image) for image in self.originals[:count]])
        rows.append([_html.picture(image) for image in self.images[:count]])
        rows.append([f"{a} to {b}, {d:.2f}" if found else "none" for a, b, d, found in zip(
            self.from_class.tolist(), self.to_class.tolist(), self.distance.tolist(), self.found[:count].tolist())])
        return _html.table(rows, ["counterfactuals"] + [""] * (count - 1))


class Visualization(_Result):
    """images (units, count, C, H, W); responses (units, count); codes of the parametrization "prior"; with data: quantile (units),
    the data's 99th percentile, nearest_rows (units, k), the rows of data that respond most, and distance (units, count) to the data
    in units of the distance between neighbouring images of the data."""

    units: list[int]
    images: torch.Tensor
    responses: torch.Tensor
    codes: torch.Tensor | None

    def _repr_html_(self) -> str:
        names = self.units if len(self.units) == len(self.images) else range(len(self.images))
        rows = [[str(name)] + [_html.picture(image) for image in images] for name, images in zip(names, self.images)]
        return _html.table(rows, ["unit"] + [""] * self.images.shape[1])


class Sweep(_Result):
    """What changes when one latent of an image's code moves: images (factors, steps, C, H, W), probabilities (factors, steps, classes),
    values (steps), which are added to the latent; factors: the latents."""

    factors: list[int]
    names: list[str]
    values: list[float]
    images: torch.Tensor
    probabilities: torch.Tensor
    class_names: list[str]

    def _repr_html_(self) -> str:
        rows: list[list[str]] = []
        for name, images, answers in zip(self.names, self.images, self.probabilities.argmax(2).tolist()):
            rows.append([name] + [_html.captioned(image, self.class_names[answer]) for image, answer in zip(images, answers)])
        return _html.table(rows, ["added"] + [f"{value:+.3g}" for value in self.values])


class Morphs(_Result):
    """One row a morph: images, originals (the given images) and their reconstructions (n, C, H, W); path (n, steps, C, H, W), the way
    from the reconstruction to the morph; rows, which given image it is of; from_class and to_class; ending (how the search
    ended, in words), found, iterations, entropy in bits, probability of to_class; codes and moved, (n, latents)."""

    images: torch.Tensor
    originals: torch.Tensor
    reconstructions: torch.Tensor
    path: torch.Tensor
    rows: torch.Tensor
    codes: torch.Tensor
    moved: torch.Tensor
    from_class: torch.Tensor
    to_class: torch.Tensor
    ending: list[str]
    found: torch.Tensor
    iterations: torch.Tensor
    entropy: torch.Tensor
    probability: torch.Tensor

    def _repr_html_(self) -> str:
        rows = [[_html.picture(original)] + [_html.picture(image) for image in path] + [f"{a} to {b}, {end}"]
                for original, path, a, b, end in zip(self.originals[:9], self.path, self.from_class.tolist(),
                                                     self.to_class.tolist(), self.ending)]
        return _html.table(rows, ["image", "reconstruction"] + [""] * (self.path.shape[1] - 2) + ["morph", "classes"])


class Translations(_Result):
    """One row a translation: images, originals (the given images) and masks (n, 1, H, W), where the change is; path (n, steps, C, H, W), from
    the translation to the image's own class, which is not quite the image, to images; rows, which given image it is of; from_class and
    to_class; found (the classifier's answer is to_class), entropy in bits between the two classes, cycle: mean absolute difference
    between the image and its translation translated back."""

    images: torch.Tensor
    originals: torch.Tensor
    masks: torch.Tensor
    path: torch.Tensor
    rows: torch.Tensor
    from_class: torch.Tensor
    to_class: torch.Tensor
    found: torch.Tensor
    entropy: torch.Tensor
    cycle: torch.Tensor

    def _repr_html_(self) -> str:
        rows = [[_html.picture(original)] + [_html.picture(image) for image in path] + [_html.picture(mask), f"{a} to {b}"]
                for original, path, mask, a, b in zip(self.originals[:9], self.path, self.masks, self.from_class.tolist(),
                                                      self.to_class.tolist())]
        return _html.table(rows, ["image", "path"] + [""] * (self.path.shape[1] - 2) + ["translation", "mask", "classes"])


class Modules(_Result):
    """Groups of channels of a generator's layer: labels (channels), the module of each or -1; templates (modules, H, W); maps (channels,
    H, W); weights (channels, modules); record: every measure, with its controls, as in the program's metrics.json. With per_colour,
    templates and maps are (C, H, W) instead of (H, W)."""

    labels: list[int]
    templates: torch.Tensor
    maps: torch.Tensor
    weights: torch.Tensor
    record: dict[str, typing.Any]

    @property
    def layer(self) -> str:
        return self.record["layer"]

    def _repr_html_(self) -> str:
        header = ["module", "template", "channels", "change inside", "by random channels"]
        judged = "flow" in self.record
        rows: list[list[str]] = []
        for number, (module, template) in enumerate(zip(self.record["modules"], self.templates.float())):
            swaps = module["swaps"]
            picture = template / template.max().clamp_min(1e-12)
            rows.append([str(number), _html.picture(picture if picture.dim() == 3 else picture.unsqueeze(0)),
                         str(len(module["channels"])), f"{swaps['module']['inside']['mean']:.3f}",
                         f"{swaps['random_channels']['inside']['mean']:.3f}"])
            if judged:
                rows[-1] += [f"{module['flow']['nats']:.4f}", f"{module['flow']['random']['nats']:.4f}"]
        return _html.table(rows, header + (["nats", "of random channels"] if judged else []))


class TextSweep(_Result):
    """What changes when one latent of a text's code moves: texts (factors, steps), probabilities (factors, steps, classes), values (steps),
    which are added to the latent; factors: the latents. text: the words that were read; answer (classes): the classifier's, to it;
    reconstruction, reconstruction_answer; unknown: words that the generator does not know; left_out: words at the end that it does not read."""

    text: str
    answer: torch.Tensor
    reconstruction: str
    reconstruction_answer: torch.Tensor
    factors: list[int]
    names: list[str]
    values: list[float]
    texts: list[list[str]]
    probabilities: torch.Tensor
    unknown: list[str]
    left_out: int
    class_names: list[str]

    def _rows(self) -> list[list[str]]:
        rows = [["the text", self.text, _answer(self.answer, self.class_names)],
                ["reconstruction", self.reconstruction, _answer(self.reconstruction_answer, self.class_names)]]
        for name, texts, answers in zip(self.names, self.texts, self.probabilities):
            rows += [[f"{name} {value:+.2f}", text, _answer(answer, self.class_names)]
                     for value, text, answer in zip(self.values, texts, answers)]
        return rows

    def __str__(self) -> str:
        return "\n".join(f"{name:<15} {answer:<16} {text}" for name, text, answer in self._rows())

    def _repr_html_(self) -> str:
        return _html.table(self._rows(), ["", "text", "answer"])


class TextCounterfactual(_Result):
    """The nearest text with another answer. text, answer: as for a sweep; reconstruction and its class probabilities, before; found;
    already: the reconstruction is of the class that was asked for; counterfactual and after, or None; alphas of the text and new_alphas, the
    first of them alpha and new_alpha; distance between them; radius: the largest size that was tried."""

    text: str
    answer: torch.Tensor
    reconstruction: str
    before: torch.Tensor
    found: bool
    counterfactual: str | None
    after: torch.Tensor | None
    already: bool
    alpha: float
    new_alpha: float | None
    alphas: list[float]
    new_alphas: list[float] | None
    distance: float | None
    radius: float
    unknown: list[str]
    left_out: int
    class_names: list[str]

    def _rows(self) -> list[list[str]]:
        rows = [["the text", self.text, _answer(self.answer, self.class_names)],
                ["reconstruction", self.reconstruction, _answer(self.before, self.class_names)]]
        if self.counterfactual is not None and self.after is not None and self.new_alphas is not None:
            alphas = ", ".join(f"{alpha:+.2f}" for alpha in self.new_alphas)
            rows.append([f"alpha = {alphas}", self.counterfactual, _answer(self.after, self.class_names)])
        else:
            rows.append(["", f"no alpha up to {self.radius:g} in size gives the answer that was asked for", ""])
        return rows

    def __str__(self) -> str:
        return "\n".join(f"{name:<15} {answer:<16} {text}" for name, text, answer in self._rows())

    def _repr_html_(self) -> str:
        return _html.table(self._rows(), ["", "text", "answer"])


class WordAttribution(_Result):
    """words and their values; target; probabilities (classes); method."""

    words: list[str]
    values: torch.Tensor
    target: int
    probabilities: torch.Tensor
    method: str

    def _repr_html_(self) -> str:
        return _html.table([[f"{value:+.3f}" for value in self.values.tolist()]], self.words)


def _answer(probabilities: torch.Tensor, class_names: list[str]) -> str:
    answer = int(probabilities.argmax())
    return f"{class_names[answer]} {probabilities[answer]:.2f}"
