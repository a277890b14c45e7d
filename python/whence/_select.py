"""The choice of the number of causal factors K, of other factors L, and of lambda."""
from __future__ import annotations

import json
import typing

import torch

from whence import _arguments, _explain, _html, _models, _whence
from whence._models import Model
from whence._options import documented, texts
from whence._result import _Result

Progress = typing.Callable[[str, int, int], None]


class Selection(_Result):
    """chosen: {"causal", "noncausal", "lambda_"}, which whence.explain takes, or None; limit: the largest SSE + KL that the rule allows;
    reasons: what was decided, a sentence each; complete: whether the rule came to its end (otherwise the budget did); rule.

    trials: the settings in the order in which they were measured, each a dict of causal (0: the autoencoder alone), noncausal, lambda_,
    pilot, reference, sse, kl (nats) and bound_se (standard error of their sum), means over the images held back, effect (I(alpha; Y) in
    nats) and effect_se, or None, and seconds.
    """

    chosen: dict[str, typing.Any] | None
    rule: str
    limit: float | None
    complete: bool
    reasons: list[str]
    trials: list[dict[str, typing.Any]]

    def _rows(self) -> list[list[str]]:
        rows = []
        for trial in self.trials:
            own = {name: trial[name] for name in ("causal", "noncausal", "lambda_")}
            kind = "pilot" if trial["pilot"] else "reference" if trial["reference"] else "chosen" if own == self.chosen else ""
            alone = trial["causal"] == 0
            rows.append([str(trial["causal"]), str(trial["noncausal"]), "" if alone else f"{trial['lambda_']:g}",
                         "" if alone else f"{trial['effect']:.3f} ± {trial['effect_se']:.3f}",
                         f"{trial['sse'] + trial['kl']:.2f} ± {trial['bound_se']:.2f}", f"{trial['seconds']:.1f}", kind])
        return rows

    def __str__(self) -> str:
        rows = [["K", "L", "lambda", "C, nats", "SSE + KL", "seconds", ""], *self._rows()]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        return "\n".join([*self.reasons, "", *lines])

    def _repr_html_(self) -> str:
        reasons = "".join(f"<p>{_html.html.escape(reason)}</p>" for reason in self.reasons)
        return reasons + _html.table(self._rows(), ["K", "L", "lambda", "C, nats", "SSE + KL", "seconds", ""])


@documented("select")
def select(model: Model, images: torch.Tensor, labels: typing.Any = None, *, training: typing.Mapping[str, typing.Any] | None = None,
           architecture: str = "cvae", width: int = 0, initialisation: str = "published", held_back: float = 0.1,
           warm_start: bool = True, budget: float = 0, output: str = "auto", seed: int = 0, progress: Progress | None = None,
           **options: typing.Any) -> Selection:
    """Chooses the number of causal factors K, of other factors L, and lambda, by training several settings (`whence select`):

        found = whence.select(model, images, labels)
        e = whence.explain(model, images, labels, **found.chosen)

    Without the causal term the number of latents K + L rises until SSE + KL is on a plateau; then, with K = 1, 2, ..., lambda is
    sought whose SSE + KL stays near that, until the information flow C = I(alpha; Y) is on a plateau (O'Shaughnessy et al. 2020,
    algorithm 1). Settings are compared on images held back.

    model, images, labels, architecture, width, initialisation, held_back, output: as for whence.explain, whose default schedule this
        is. training: its options but for causal, noncausal, lambda_ and steps, such as {"batch": 64}.
    warm_start: settings start from the autoencoder of the first step; False: from random weights, as published.
    budget: minutes that all settings may take; 0: as long as it takes.
    rule: how a plateau is judged: "relative" or "reversal", as in two published reproductions, or "standard-error". The other options
        have the rule's defaults; those of "standard-error" are shown below.

    Errors (usage): as whence.explain; latents that do not rise; terms of the objective that settings cannot be compared with.
    """
    pixels = _arguments.pixels(images, 2)
    classifier = _models.classifier_with_layers(model, pixels[:8].float() / 255, output)
    known = _explain.labels_of(labels, classifier, pixels)
    if budget < 0:
        raise _whence.UsageError(f"budget is {budget}, but must be 0 or more minutes")
    chosen = {**options}
    if isinstance(chosen.get("latents"), (list, tuple, range)):
        chosen["latents"] = ",".join(map(str, chosen["latents"]))
    own = dict(training or {})
    for name in ("causal", "noncausal", "lambda_", "lambda", "steps"):
        if name in own:
            raise _whence.UsageError(f"{name} is what is chosen, or an option of select itself; leave it out of training")
    train, held = _explain.divided(known, held_back, seed)
    names = [str(i) for i in range(classifier.classes)]
    found = json.loads(_whence.select(classifier, (pixels[train].contiguous(), known[train]), (pixels[held].contiguous(), known[held]),
                                      names, architecture, width, initialisation, texts(chosen), texts(own), warm_start,
                                      60.0 * budget, seed, progress))
    found["chosen"] = found["chosen"] and _renamed(found["chosen"])
    found["trials"] = [{"effect": None, "effect_se": None, **_renamed(trial)} for trial in found["trials"]]
    return Selection(found)


def _renamed(setting: dict[str, typing.Any]) -> dict[str, typing.Any]:
    """"lambda" is a word of Python's own, so it is no name of an argument."""
    return {"lambda_" if name == "lambda" else name: value for name, value in setting.items()}
