"""Measures of attributions: which of several maps may be believed."""
from __future__ import annotations

import json
import typing

import torch

from whence import _arguments, _generators, _html, _models, _translation, _whence
from whence._models import Model
from whence._options import documented, texts
from whence._result import Attribution, _Result

Progress = typing.Callable[[str, int, int], None]
Measures = dict[str, torch.Tensor]

#: The measures of attributions: {name: {"title", "meaning", "source", "larger_is_better"}}.
measures: dict[str, dict[str, typing.Any]] = _whence.measures


class AttributionEvaluation(_Result):
    """maps: {name: Attribution}; measures: {name: {measure: tensor (N), one number for each image}}, with the measures of
    whence.measures that could be taken; random_order and edge_filter: the same of regions in random order, and of a map that knows
    the image but no classifier; verdict: which maps to believe, in words; believed: the name of those that it puts first, or None;
    target (N); images; skipped: {method that the model does not allow: why}; record: means and standard errors, as
    `whence attribute --json` prints them. dict(found) is the record's "methods"."""

    images: torch.Tensor
    target: torch.Tensor
    maps: dict[str, Attribution]
    measures: dict[str, Measures]
    random_order: Measures
    edge_filter: Measures
    verdict: str
    believed: str | None
    skipped: dict[str, str]
    record: dict[str, typing.Any]

    def keys(self) -> typing.KeysView[str]:
        return self.record["methods"].keys()

    def __getitem__(self, name: str) -> dict[str, typing.Any]:
        return self.record["methods"][name]

    def _table(self) -> tuple[list[list[str]], list[str]]:
        """Rows of means, and their header."""
        rows = {**self.measures, "random order": self.random_order, "edge filter": self.edge_filter}
        columns = [name for name in measures if any(name in row for row in rows.values())]
        return ([[name] + [f"{row[column].double().mean():.4f}" if column in row else "" for column in columns]
                 for name, row in rows.items()],
                ["maps"] + [f"{column} {'(high)' if measures[column]['larger_is_better'] else '(low)'}" for column in columns])

    def __str__(self) -> str:
        rows, header = self._table()
        widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
        lines = [" ".join([row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])])
                 for row in [header, *rows]]
        return "\n".join([*lines, "", self.verdict])

    def _repr_html_(self) -> str:
        count = min(len(self.images), 6)
        pictures = [["images", *map(_html.picture, self.images[:count])]]
        for name, found in self.maps.items():
            pictures.append([name, *(_html.picture(_html.heat(each)) for each in found.values[:count].sum(1))])
        return (f"<p>{_html.html.escape(self.verdict)}</p>" + _html.table(*self._table())
                + _html.table(pictures, ["maps"] + [""] * count))


class PerturbationCurve(_Result):
    """scores (N, steps + 1): the score with the first 0, 1, 2, ... regions taken out; area (N): the mean over the steps of
    how far it has fallen; target (N); order."""

    scores: torch.Tensor
    area: torch.Tensor
    target: torch.Tensor
    order: str

    def _repr_html_(self) -> str:
        caption = f"mean score, {self.order}; area over the curve {self.area.double().mean():.4f}"
        return f"<p>{caption}</p>" + _html.curve(self.scores.double().mean(0).tolist())


def _class_asked(target: typing.Any, given: typing.Mapping[str, typing.Any], x: torch.Tensor, classes: int) -> torch.Tensor | None:
    """The given target, else that of maps that tell theirs. Error (usage): maps that explain other classes."""
    asked = _arguments.targets(target, x, classes=classes)
    for name, each in given.items():
        if not isinstance(each, Attribution):
            continue
        own = each.target.to(x.device)
        if asked is not None and not torch.equal(own, asked):
            raise _whence.UsageError(f"the maps {name!r} explain other classes than target or the other maps; give one target to all")
        asked = own
    return asked


@documented("evaluate_attributions")
def evaluate_attributions(model: Model, x: torch.Tensor, target: int | typing.Sequence[int] | torch.Tensor | None = None, *,
                          methods: typing.Sequence[str] | str | None = None,
                          maps: typing.Mapping[str, torch.Tensor | Attribution] | None = None,
                          references: torch.Tensor | None = None, generator: _generators.Generator | None = None,
                          known_images: torch.Tensor | None = None, known_labels: typing.Any = None,
                          translator: _translation.TranslatorLike | None = None, output: str = "auto", seed: int = 0,
                          progress: Progress | None = None, **options: typing.Any) -> AttributionEvaluation:
    """Measures attributions of several methods on the same images, and says which of them to believe (`whence attribute`).

    methods: names of whence.methods; None: all that the model allows, or none beside `maps`.
    maps: maps that were made elsewhere, {name: (N, channels, height, width), (N, 1, height, width) or (N, height, width)}, or an
        Attribution. What asks a method again (max_sensitivity, randomization) is not measured for them.
    target: as for whence.attribute; None: that of the given Attributions, else the classifier's answers.
    references: images of the data for methods that draw baselines from them or learn from them.
    generator, known_images, known_labels, translator: as for whence.attribute; methods that need a generator, the replacement "generator" and
        the measure "departure" use it.

    The measures are areas over the MoRF and LeRF curves (AOPC; Samek et al. 2017), Sensitivity-n (Ancona et al. 2018), infidelity and
    max-sensitivity (Yeh et al. 2019), likeness under random weights (Adebayo et al. 2018), sparseness (Chalasani et al. 2020) and
    departure from the data; whence.measures describes them. Each stands beside those of a random order and of an edge filter.

    Errors (usage): a class, method or option that does not exist; maps of another shape, or with NaN; a method that the model does
    not allow, when it is named.
    """
    x = _arguments.images(x)
    given = dict(maps or {})
    own = [(str(name), _arguments.values_of(each, x, f"the maps {name!r}")) for name, each in given.items()]
    named = [methods] if isinstance(methods, str) else methods
    chosen = [_whence.method_named(name) for name in (named if named is not None else [] if given else _whence.methods)]
    if not chosen and not own:
        raise _whence.UsageError("give methods, maps or both")
    twice = [name for name in given if name in chosen] + [name for i, name in enumerate(chosen) if name in chosen[:i]]
    if twice:
        raise _whence.UsageError(f"{twice[0]!r} is the name of two kinds of maps; give each a name of its own")
    known = _models.classifier_with_layers(model, x, output)
    found = _whence.evaluate_attributions(
        known, x, _class_asked(target, given, x, known.classes), chosen, named is None, own,
        texts(options), None if references is None else _arguments.images(references, "references"),
        _generators.autoencoder(generator, x, known, known_images, known_labels), _translation.of_generator(translator, generator), seed,
        progress)
    found["record"] = json.loads(found["record"])
    found["verdict"] = found["record"]["verdict"].replace("**", "")
    found["believed"] = found["record"].pop("believed") or None
    found["maps"] = {name: Attribution(each, images=x) for name, each in found["maps"].items()}
    return AttributionEvaluation(found, images=x)


def perturbation_curve(model: Model, x: torch.Tensor, values: torch.Tensor | Attribution,
                       target: int | typing.Sequence[int] | torch.Tensor | None = None, *, order: str = "morf", share: float = 1.0,
                       score: str = "logit", patch: int = 0, replacement: str = "constant", fill: float = 0.0, batch: int = 64,
                       generator: _generators.Generator | None = None, output: str = "auto", seed: int = 0,
                       progress: Progress | None = None) -> PerturbationCurve:
    """How the score falls while regions of the images are taken out in the order of a map (Samek et al. 2017).

    values: a map for each image, (N, channels, height, width), (N, 1, height, width) or (N, height, width), or an Attribution. A
        region's relevance is the sum of its values; regions of equal relevance keep their order.
    target: the class, or one for each image; None: that of the Attribution, else the classifier's answers.
    order: "morf", most relevant first, or "lerf", least relevant first.
    share: of the regions that are taken out at the end, above 0 and at most 1.
    score: "logit" or "probability". patch: side of the square regions in pixels; 0: a seventh of the shorter side, at least 4.
    replacement: what comes in their place: "constant" (`fill`, in [0, 1]), "mean" of each channel, "blur", "imputation" from the
        neighbours (ROAD; Rong et al. 2022), or "generator", which makes them from the rest; generator: as for whence.attribute.
    The scores have the unit of `score`, and the area, too. seed: of the noise of "imputation".

    Errors (usage): values of another shape, or with NaN; an option out of its range; a class that does not exist.
    """
    if order not in ("morf", "lerf"):
        raise _whence.UsageError(f"order is {order!r}, but must be 'morf' or 'lerf'")
    x = _arguments.images(x)
    known = _models.classifier(model, x, output=output)
    own = _arguments.values_of(values, x, "values")
    asked = _class_asked(target, {"values": values}, x, known.classes)
    chosen = {"score": score, "patch": patch, "replacement": replacement, "fill": fill, "batch": batch}
    return PerturbationCurve(_whence.perturbation_curve(
        known, x, own, asked, order == "lerf", share, texts(chosen),
        _generators.autoencoder(generator, x, known), seed, progress), order=order)
