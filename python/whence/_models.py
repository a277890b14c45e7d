"""Models of all kinds as the roles that whence's methods take."""
from __future__ import annotations

import contextlib
import json
import os
import pathlib
import tempfile
import typing
import warnings

import torch

from whence import _whence

#: A role, a torch.nn.Module or another function of tensors, a model file, or a run folder.
Model = typing.Union[_whence.Classifier, _whence.Decoder, _whence.Encoder, torch.nn.Module,
                     typing.Callable[[torch.Tensor], typing.Any], str, os.PathLike]


@contextlib.contextmanager
def evaluating(module: torch.nn.Module) -> typing.Iterator[None]:
    """In evaluation mode for a while; each part gets its own mode back."""
    training = [part for part in module.modules() if part.training]
    try:
        module.eval()
        yield
    finally:
        for part in training:
            part.training = True


class _Evaluated:
    """A module that is called in evaluation mode and left as it was."""

    def __init__(self, module: torch.nn.Module):
        self.module = module

    def __call__(self, x: torch.Tensor) -> typing.Any:
        with evaluating(self.module):
            return self.module(x)


def _function(model: Model) -> typing.Callable[[torch.Tensor], typing.Any]:
    if isinstance(model, torch.nn.Module):
        return _Evaluated(model)
    if callable(model):
        return model
    raise _whence.UsageError(
        f"a model is a torch.nn.Module, a function, a file or a run folder, not {type(model).__name__}")


def device_of(model: Model) -> torch.device:
    if isinstance(model, torch.nn.Module):
        for tensor in [*model.parameters(), *model.buffers()]:
            return tensor.device
    return torch.device("cpu")


def run_folder(model: Model) -> pathlib.Path | None:
    """A run folder; None for anything else."""
    if isinstance(model, (str, os.PathLike)) and pathlib.Path(model).is_dir():
        folder = pathlib.Path(model)
        if not (folder / "recipe.toml").is_file():
            raise _whence.Error(f"{folder} is not a run folder: it has no recipe.toml")
        return folder
    return None


def recipe_of(folder: pathlib.Path) -> tuple[dict[str, typing.Any], dict[str, typing.Any]]:
    """A run's recipe, which holds every value, and what its data are."""
    import tomllib

    recipe = tomllib.loads((folder / "recipe.toml").read_text())
    metrics = folder / "metrics.json"
    if not metrics.is_file():
        raise _whence.Error(f"{folder} has no metrics.json yet; `whence run {folder}` makes it")
    return recipe, json.loads(metrics.read_text())["data"]


def _of_images(folder: pathlib.Path) -> tuple[dict[str, typing.Any], dict[str, typing.Any]]:
    recipe, data = recipe_of(folder)
    if "image" not in data:
        raise _whence.Error(f"{folder} is about texts; whence.load and whence.text_classifier read it")
    return recipe, data


def _weights(folder: pathlib.Path, role: str) -> str:
    file = folder / f"{role}.safetensors"
    if not file.is_file():
        raise _whence.Error(f"{folder} has no {file.name} yet; `whence train {folder}` makes it")
    return str(file)


def _latents(folder: pathlib.Path, recipe: dict[str, typing.Any]) -> int:
    chosen = recipe.get("generator", {}).get("latents", 0)
    explanation = recipe.get("explanation", {})
    return chosen or explanation.get("causal", 0) + explanation.get("noncausal", 0)


def traced(module: torch.nn.Module, example: torch.Tensor, file: str) -> None:
    """Writes the module as TorchScript, which tells its layers. Error: torch.jit.trace cannot follow it."""
    with warnings.catch_warnings(), evaluating(module):
        warnings.simplefilter("ignore")
        try:
            torch.jit.save(torch.jit.trace(module, example[:2].clone(), check_trace=False), file)
        except Exception as error:
            raise _whence.Error(f"the layers of the model are unknown, because torch.jit.trace cannot follow it: {error}"
                                .splitlines()[0]) from error


def _traced(module: torch.nn.Module, example: torch.Tensor, output: str) -> _whence.Classifier:
    """The module with its layers, by way of TorchScript."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "model.pt")
        traced(module, example, file)
        return _whence.classifier_from_file(file, example[:4].clone(), output)


def _probe(model: Model, example: torch.Tensor | None) -> torch.Tensor:
    if example is None:
        raise _whence.UsageError("give images as an example, or their shape: the model does not tell what it takes")
    if example.shape[0] == 1:
        example = example.expand(2, *example.shape[1:])
    return example[:8].detach().to(device_of(model)).clone()


def classifier(model: Model, example: torch.Tensor | None = None, *, output: str = "auto",
               layers: bool = False) -> _whence.Classifier:
    """A model as a Classifier, once for many calls.

    example: a few images it takes. layers: find its layers, which some methods need, by torch.jit.trace.
    """
    if output not in ("auto", "logits", "probabilities"):
        raise _whence.UsageError(f"output is {output!r}, but must be 'auto', 'logits' or 'probabilities'")
    if isinstance(model, _whence.Classifier):
        return model
    if (folder := run_folder(model)) is not None:
        recipe, data = _of_images(folder)
        own = recipe["classifier"]
        if own.get("file"):
            probe = torch.rand(4, *data["image"], generator=torch.Generator().manual_seed(0))
            return _whence.classifier_from_file(str(folder / own["file"]), probe,
                                                own.get("output", "auto"), own.get("entry", ""))
        return _whence.classifier_of_architecture(own["architecture"], data["image"], len(data["classes"]), own.get("width", 0),
                                                  own.get("channel_dropout", True), _weights(folder, "classifier"))
    if isinstance(model, (str, os.PathLike)):
        return _whence.classifier_from_file(str(model), None if example is None else _probe(model, example), output)
    probe = _probe(model, example)
    if layers and isinstance(model, torch.nn.Module):
        return _traced(model, probe, output)
    return _whence.classifier_of_function(_function(model), probe, output)


def decoder(model: Model, latents: int | None = None, *, layers: bool = False) -> _whence.Decoder:
    """A model as a Decoder: codes (N, latents) to images. layers: as for a classifier."""
    if isinstance(model, _whence.Decoder):
        return model
    if (folder := run_folder(model)) is not None:
        recipe, data = _of_images(folder)
        own = recipe["generator"]
        if own.get("file"):
            return _whence.decoder_from_file(str(folder / own["file"]), _latents(folder, recipe), "cpu")
        return _whence.decoder_of_architecture(own["architecture"], data["image"], _latents(folder, recipe), own.get("width", 0),
                                               own.get("dropout", 0.0), _weights(folder, "decoder"))
    if latents is None:
        raise _whence.UsageError("give latents=..., the number of latents that the decoder takes")
    if isinstance(model, (str, os.PathLike)):
        return _whence.decoder_from_file(str(model), latents, "cpu")
    if layers and isinstance(model, torch.nn.Module):
        with tempfile.TemporaryDirectory() as place:
            file = os.path.join(place, "decoder.pt")
            traced(model, torch.zeros(2, latents, device=device_of(model)), file)
            return _whence.decoder_from_file(file, latents, str(device_of(model)))
    return _whence.decoder_of_function(_function(model), latents, str(device_of(model)))


def classifier_with_layers(model: Model, example: torch.Tensor, output: str) -> _whence.Classifier:
    """A model as a Classifier, with its layers where they can be found."""
    if isinstance(model, torch.nn.Module):
        try:
            return classifier(model, example, output=output, layers=True)
        except _whence.Error:
            pass  # as a function then, which says what is wrong with it
    return classifier(model, example, output=output)


def decoder_with_layers(model: Model, latents: int | None) -> _whence.Decoder:
    """The same for a decoder."""
    if isinstance(model, torch.nn.Module) and latents is not None:
        try:
            return decoder(model, latents, layers=True)
        except _whence.Error:
            pass
    return decoder(model, latents)


def encoder(model: Model, example: torch.Tensor | None = None) -> _whence.Encoder:
    """A model as an Encoder: images to (mean, log-variance), or one tensor with the mean first."""
    if isinstance(model, _whence.Encoder):
        return model
    if (folder := run_folder(model)) is not None:
        recipe, data = _of_images(folder)
        own = recipe["generator"]
        if (own.get("file") or own.get("objective") == "gan") and not own.get("encoder_steps"):
            raise _whence.Error(f"{folder} has a generator without an encoder; set generator.encoder_steps to train one")
        return _whence.encoder_of_architecture(own["architecture"], data["image"], _latents(folder, recipe), own.get("width", 0),
                                               own.get("dropout", 0.0), _weights(folder, "encoder"))
    if isinstance(model, (str, os.PathLike)):
        return _whence.encoder_from_file(str(model), _probe(model, example))
    return _whence.encoder_of_function(_function(model), _probe(model, example))
