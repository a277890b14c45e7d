"""Causes in a frozen generator."""
from __future__ import annotations

import json
import os
import pathlib
import typing

import torch

from whence import _folder, _html, _models, _whence
from whence._models import Model
from whence._options import documented, texts
from whence._result import Flow, Sweep, _Result

Progress = typing.Callable[[str, int, int], None]
#: Samples whose sweeps a notebook shows.
_SHOWN = 3


class Causes(_Result):
    """directions: the information flow of straight directions; bent: that of the map that bends them, or None; flow: that of the
    kept one; kept: "bent" or "directions", whichever has more flow in alpha; beta_share: the others' share of the flow, from 0 to 1;
    causal; latents.

    decoder: factors (N, latents), the causal ones first, to images: the generator behind the map, with layers where those of the
        generator are known. Factors from N(0, I) give the generator's own samples.
    map: map.codes(factors) are the generator's latents, map.factors(codes) their factors.
    record: every number, as `whence causes --json` prints it.
    """

    directions: Flow
    bent: Flow | None
    flow: Flow
    kept: str
    beta_share: float
    causal: int
    latents: int
    decoder: _whence.Decoder
    classifier: _whence.Classifier
    map: _whence.LatentMap
    record: dict[str, typing.Any]

    @property
    def names(self) -> list[str]:
        """alpha_1 .. alpha_K, beta_1 .. beta_L."""
        return [f"alpha_{i + 1}" for i in range(self.causal)] + [f"beta_{i + 1}" for i in range(self.latents - self.causal)]

    def sweep(self, sample: torch.Tensor | int = 0, factors: typing.Sequence[int] | None = None, *, reach: float = 3.0,
              steps: int = 7) -> Sweep:
        """One sample while each causal factor in turn moves from -reach to reach from its value.

        sample: factors (latents), or the seed of a draw from N(0, I). factors: which ones move; None: the causal ones.
        """
        if isinstance(sample, int):
            sample = torch.randn(self.latents, generator=torch.Generator().manual_seed(sample))
        if sample.shape != (self.latents,):
            raise _whence.UsageError(f"sample must hold {self.latents} factors, not {tuple(sample.shape)}")
        factors = list(range(self.causal)) if factors is None else [int(factor) for factor in factors]
        found = [_whence.sweep(self.decoder, self.classifier, sample.float().unsqueeze(0), factor, -reach, reach, steps)
                 for factor in factors]
        classes = [str(i) for i in range(self.classifier.classes)]
        return Sweep({"factors": factors, "names": [self.names[factor] for factor in factors], "values": list(found[0][2]),
                      "images": torch.cat([each[0] for each in found]), "probabilities": torch.cat([each[1] for each in found]),
                      "class_names": classes})

    def save(self, folder: str | os.PathLike) -> pathlib.Path:
        """Writes the map, FOLDER/causes.safetensors, and where the generator's layers are known the decoder of factors,
        FOLDER/causes.pt (TorchScript), as `whence causes --out FOLDER` does."""
        place = pathlib.Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        self.map.save(str(place / "causes.safetensors"))
        if self.decoder.layers is not None:
            _whence.save_decoder(self.decoder, str(place / "causes.pt"))
        return place

    def _repr_html_(self) -> str:
        rows = []
        for title, name in (("straight directions", "directions"), ("bent by a map", "bent")):
            if (flow := getattr(self, name)) is not None:
                rows.append([title, f"{flow.alpha:.4f}", f"{flow.alpha_se:.4f}", f"{flow.beta:.4f}", f"{flow.beta_se:.4f}",
                             f"{100 * self.record[name]['beta_share']:.1f} %"])
        table = _html.table(rows, [f"{self.causal} causal factors", "alpha, nats", "se", "beta, nats", "se", "share in beta"])
        return table + "".join(self.sweep(seed)._repr_html_() for seed in range(_SHOWN))


@documented("causes")
def causes(decoder: Model, classifier: Model, causal: int = 1, *, latents: int | None = None, output: str = "auto", seed: int = 0,
           progress: Progress | None = None, **options: typing.Any) -> Causes:
    """The factors of a frozen generator's latents that move a classifier (`whence causes`).

    The generator stays as it is. First come `causal` straight directions of its latents, from the classifier's gradients; then a map
    bends them, so that fewer of the other factors move the classifier. The map keeps the prior: factors from N(0, I) give latents from
    N(0, I) exactly, so the images are as likely as before. Flows are in nats, with standard errors.

    decoder: latents (N, latents) from N(0, I) to images. latents: how many it takes; not needed where it tells.
    causal: how many causal factors are sought.

    Errors (usage): causal that is not from 1 to the number of latents; models without gradients.
    """
    generator = _models.decoder_with_layers(decoder, latents)
    if not 1 <= causal <= generator.latents:
        raise _whence.UsageError(f"causal is {causal}, but must be from 1 to {generator.latents}, the number of latents")
    with torch.no_grad():
        example = generator.decode(torch.randn(4, generator.latents, generator=torch.Generator().manual_seed(0)))
    judge = _models.classifier(classifier, example, output=output)
    found = _whence.causes(generator, judge, causal, texts(options), seed, progress)
    record = json.loads(found["record"])
    return Causes({"directions": _folder.flow_of(record["directions"]),
                   "bent": _folder.flow_of(record["bent"]) if "bent" in record else None,
                   "flow": _folder.flow_of(record["flow"]), "kept": record["kept"], "beta_share": record["flow"]["beta_share"],
                   "causal": causal, "latents": generator.latents, "decoder": found["decoder"], "classifier": judge,
                   "map": found["map"], "record": record})
