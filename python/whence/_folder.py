"""Run folders of explanations: what Explanation.save writes and load reads."""
from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import json
import os
import pathlib
import shutil
import struct
import tempfile
import typing
import warnings

import torch

from whence import _html, _models, _whence
from whence._result import Flow

#: The format of run folders, as the program counts it.
_FORMAT = 2
#: IDX files of the parts, as the program names them.
_FILES = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
          "held": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}


@dataclasses.dataclass
class File:
    """A classifier's file."""

    suffix: str
    content: bytes
    output: str


@dataclasses.dataclass
class Record:
    """What an explanation was made of. train, held: images as bytes, with labels."""

    train: tuple[torch.Tensor, torch.Tensor]
    held: tuple[torch.Tensor, torch.Tensor]
    classifier: File | None
    seed: int
    steps: int
    seconds: float
    step_seconds: float
    recipe: dict[str, typing.Any]


def _write_idx(file: pathlib.Path, values: torch.Tensor) -> None:
    header = struct.pack(f">HBB{values.dim()}I", 0, 8, values.dim(), *values.shape)
    values = values.to(torch.uint8).contiguous()
    file.write_bytes(header + ctypes.string_at(values.data_ptr(), values.numel()))  # without numpy


def _read_idx(file: pathlib.Path) -> torch.Tensor:
    content = file.read_bytes()
    zero, kind, dims = struct.unpack(">HBB", content[:4])
    shape = struct.unpack(f">{dims}I", content[4:4 + 4 * dims])
    if zero != 0 or kind != 8:
        raise _whence.Error(f"{file} is no IDX file of bytes")
    return torch.frombuffer(bytearray(content[4 + 4 * dims:]), dtype=torch.uint8).view(shape)


def toml(value: typing.Any) -> str:
    return json.dumps(value)  # of strings, numbers and lists of them; DEL aside, which no name has


def _recipe(explanation: typing.Any, classifier: str, output: str) -> str:
    record: Record = explanation._record
    network = record.recipe
    return f"""title = "Explanation made in Python"

[data]
set = "idx"
path = "data"
class_names = {toml(explanation.class_names)}

[classifier]
file = {toml(classifier)}
output = {toml(output)}

[generator]
architecture = {toml(network["architecture"])}
width = {network["width"]}
initialisation = {toml(network["initialisation"])}
{_whence.explanation_toml(network["options"])}
[run]
seed = {record.seed}
threads = {torch.get_num_threads()}
precision = "float32"
"""


def _metrics(explanation: typing.Any) -> dict[str, typing.Any]:
    record: Record = explanation._record
    flow = explanation.flow
    return {
        "data": {"set": "idx", "classes": explanation.class_names, "image": list(record.train[0].shape[1:]),
                 "train_images": len(record.train[0]), "validation_images": 0, "test_images": len(record.held[0])},
        "gce": {"train_seconds": record.seconds, "steps": record.steps, "step_seconds_median": record.step_seconds,
                "information_flow": {"alpha": {"nats": flow.alpha, "se": flow.alpha_se}, "beta": {"nats": flow.beta, "se": flow.beta_se},
                         "factors": [{"name": explanation.names[latent], "causal": causal, "nats": nats, "se": error}
                                     for latent, causal, nats, error in flow.factors],
                         "samples": [flow.outer, flow.inner], "factor_draws": "own"}}}


def _write_data(explanation: typing.Any, folder: pathlib.Path) -> None:
    folder.mkdir()
    record: Record = explanation._record
    for part, (images, labels) in {"train": record.train, "held": record.held}.items():
        lacking = sorted(set(range(explanation.classifier.classes)) - set(labels.tolist()))
        if lacking:
            names = ", ".join(explanation.class_names[label] for label in lacking)
            warnings.warn(f"no image of class {names} was {'trained on' if part == 'train' else 'held back'}, so `whence run` "
                          "cannot train this explanation again", stacklevel=4)
        _write_idx(folder / _FILES[part][0], images)
        _write_idx(folder / _FILES[part][1], labels)


def _write_classifier(explanation: typing.Any, folder: pathlib.Path) -> tuple[str, str]:
    """Name and output of the file."""
    stored: File | None = explanation._record.classifier
    if explanation.classifier.layers is not None:
        _whence.save_classifier(explanation.classifier, str(folder / "classifier.pt"))
        return "classifier.pt", "logits"
    if stored is None:
        raise _whence.Error("the classifier is a Python function, which no file can hold; explain a torch.nn.Module that "
                            "torch.jit.trace can follow, or a model file")
    name = f"classifier{stored.suffix}"
    (folder / name).write_bytes(stored.content)
    return name, stored.output


def _check_classifier(explanation: typing.Any, folder: pathlib.Path) -> None:
    """What was written must be what was explained."""
    images = explanation.images[:8]
    with torch.no_grad():
        written, own = _models.classifier(folder).logits(images).softmax(1), explanation.classifier.logits(images).softmax(1)
    if (written.cpu() - own.cpu()).abs().max().item() > 1e-4:
        raise _whence.Error("the classifier's file gives other answers than the classifier; give a .pt2 or TorchScript file instead")


@contextlib.contextmanager
def new_run(folder: pathlib.Path) -> typing.Iterator[pathlib.Path]:
    """A place to write to, which becomes `folder` when all is written. Error: the folder holds other files."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise _whence.Error(f"{folder} exists already; remove it, or give another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as place:
        part = pathlib.Path(place) / "run"
        yield part
        if folder.exists():
            folder.rmdir()
        os.rename(part, folder)


def save_with(write: typing.Callable[[typing.Any, pathlib.Path], None], explanation: typing.Any,
              folder: pathlib.Path) -> pathlib.Path:
    """What was made here is written; what was loaded is copied."""
    with new_run(folder) as part:
        if explanation._record is None:
            shutil.copytree(explanation._folder, part)
        else:
            part.mkdir()
            write(explanation, part)
    return folder


def save(explanation: typing.Any, folder: pathlib.Path) -> pathlib.Path:
    return save_with(_write, explanation, folder)


def write_run(folder: pathlib.Path, seed: int) -> None:
    (folder / "run.json").write_text(json.dumps({
        "format": _FORMAT, "seed": seed, "made_by": f"Python, PyTorch {torch.__version__}",
        "precision": {"requested": "float32", "chosen": "float32", "reason": "Python trains in float32"}}, indent=2))


def write_report(explanation: typing.Any, folder: pathlib.Path) -> None:
    title = f"What moves the classifier: {', '.join(explanation.class_names)}"
    body = f"<h1>{_html.html.escape(title)}</h1>{explanation._repr_html_()}"
    (folder / "report.html").write_text(_html.page(title, body))


def _write(explanation: typing.Any, folder: pathlib.Path) -> None:
    file, output = _write_classifier(explanation, folder)
    _write_data(explanation, folder / "data")
    _whence.save_weights(explanation.encoder, str(folder / "encoder.safetensors"))
    _whence.save_weights(explanation.decoder, str(folder / "decoder.safetensors"))
    (folder / "recipe.toml").write_text(_recipe(explanation, file, output))
    (folder / "metrics.json").write_text(json.dumps(_metrics(explanation), indent=2))
    write_run(folder, explanation._record.seed)
    _check_classifier(explanation, folder)
    write_report(explanation, folder)


def flow_of(record: dict[str, typing.Any]) -> Flow:
    """The flow as metrics.json has it."""
    factors = [(i, bool(each["causal"]), each["nats"], each["se"]) for i, each in enumerate(record["factors"])]
    outer, inner = record.get("samples", (0, 0))
    return Flow({"alpha": record["alpha"]["nats"], "alpha_se": record["alpha"]["se"], "beta": record["beta"]["nats"],
                 "beta_se": record["beta"]["se"], "factors": factors, "outer": outer, "inner": inner})


def images_of(folder: pathlib.Path, recipe: dict[str, typing.Any], part: str) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Images (bytes) and classes of a part, "train" or "held", where they lie beside as IDX files and no choice is made among them."""
    data = recipe["data"]
    files = [folder / data.get("path", "") / name for name in _FILES[part]]
    if data["set"] != "idx" or data.get("classes") or data.get("size") or not all(file.is_file() for file in files):
        return None
    images, labels = map(_read_idx, files)
    return images if images.dim() == 4 else images.unsqueeze(1), labels.long()


def load(folder: pathlib.Path, make: typing.Any) -> typing.Any:
    if _models.run_folder(folder) is None:
        raise _whence.Error(f"{folder} is not a run folder")
    recipe, data = _models.recipe_of(folder)
    explanation = recipe.get("explanation", {})
    if recipe.get("generator", {}).get("latents", 0) or not explanation.get("steps", 1):
        raise _whence.Error(f"{folder} holds no causal explanation; whence.decoder and whence.encoder read its generator")
    flow = json.loads((folder / "metrics.json").read_text()).get("gce", {}).get("information_flow")
    return make(_models.classifier(folder), _models.encoder(folder), _models.decoder(folder), explanation["causal"],
                list(data["classes"]), folder=folder, flow=None if flow is None else flow_of(flow), held=images_of(folder, recipe, "held"))
