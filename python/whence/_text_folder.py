"""Run folders of explanations of texts: what TextExplanation.save writes and load reads."""
from __future__ import annotations

import dataclasses
import json
import pathlib
import shutil
import typing
import warnings

import torch

from whence import _folder, _models, _text_models, _tokenizers, _whence
from whence._folder import toml

#: Texts with the class of each.
Labelled = tuple[list[str], list[int]]


@dataclasses.dataclass
class Record:
    """What an explanation was made of."""

    train: Labelled
    held: Labelled
    seed: int
    options: dict[str, str]


def _sorted_names(names: list[str]) -> list[str]:
    """The program numbers classes by the order of their names; where that is another order, a number stands in front."""
    if sorted(names) == names:
        return names
    return [f"{number:03}: {name}" for number, name in enumerate(names)]


def _write_texts(texts: Labelled, names: list[str], file: pathlib.Path) -> None:
    file.write_text("".join(json.dumps({"text": text, "label": names[label]}) + "\n" for text, label in zip(*texts)))


class _Scores(torch.nn.Module):
    """A module that returns its scores and nothing else."""

    def __init__(self, module: torch.nn.Module):
        super().__init__()
        self.module = module

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        return _text_models.scores_of(self.module(numbers))


def _script(module: torch.nn.Module, file: pathlib.Path) -> None:
    """As TorchScript, which takes any count of texts and words."""
    device = _models.device_of(module)
    with warnings.catch_warnings(), _models.evaluating(module):
        warnings.simplefilter("ignore")
        try:
            made = torch.jit.trace(_Scores(module), torch.zeros(2, 5, dtype=torch.long, device=device), check_trace=False)
        except Exception:  # whatever a module raises
            try:
                made = torch.jit.script(module)
            except Exception as error:
                raise _whence.Error("neither torch.jit.trace nor torch.jit.script can follow the classifier, so no file can hold it; "
                                    f"explain a model file instead ({str(error).splitlines()[0]})") from error
        torch.jit.save(made, str(file))


def _write_classifier(explanation: typing.Any, folder: pathlib.Path) -> dict[str, str]:
    """Values of [text_classifier]."""
    source: _text_models.Source = explanation.classifier.source
    if _models.run_folder(source.model) is not None:
        raise _whence.Error(f"the classifier is that of the run folder {source.model}, which no file holds; explain a model file")
    if isinstance(source.model, torch.nn.Module):
        file = "classifier.pt"
        _script(source.model, folder / file)
        words = "words.txt"
        lines = _text_models.words_in_order(source.vocabulary)
        (folder / words).write_text("\n".join(lines) + "\n", encoding="utf-8")
    else:
        file = f"classifier{pathlib.Path(source.model).suffix}"
        shutil.copy(source.model, folder / file)
        words = f"words{pathlib.Path(source.vocabulary).suffix}"
        shutil.copy(source.vocabulary, folder / words)
    return {"file": file, "vocabulary": words, "unknown": source.unknown, "input": source.input, "output": source.output,
            "before": source.cutting.before, "after": source.cutting.after}


def _write_pieces(source: _text_models.Source, folder: pathlib.Path) -> str:
    """The file by which the program cuts texts; "" for words."""
    if source.cutting.kind == "words":
        return ""
    if source.cutting.file:
        return pathlib.Path(shutil.copy(source.cutting.file, folder / f"pieces{pathlib.Path(source.cutting.file).suffix}")).name
    if (written := _tokenizers.file_of(source.tokenizer)) is not None:
        (folder / "tokenizer.json").write_text(written)
        return "tokenizer.json"
    return "words.txt"


def _check_pieces(explanation: typing.Any, folder: pathlib.Path) -> None:
    """The program cuts texts itself, so it must make the pieces that the tokenizer made."""
    reason = "its tokenizer cuts texts in another way than the program would"
    try:
        written = _text_models.text_classifier(folder)
        record = explanation._record
        if all(written.cut(text) == explanation.classifier.cut(text) for text in [*record.train[0], *record.held[0]]):
            return
    except _whence.Error as error:
        reason = str(error)
    raise _whence.Error(f"the explanation cannot be saved, because whence knows BERT's word pieces and GPT-2's byte pairs only: {reason}")


def _check_classifier(explanation: typing.Any, folder: pathlib.Path) -> None:
    """What was written must be what was explained, whatever the length of a text."""
    texts = explanation._record.held[0][:64]
    written, own = _text_models.text_classifier(folder).probabilities(texts), explanation.classifier.probabilities(texts)
    if (written - own).abs().max().item() > 1e-4:
        raise _whence.Error("the classifier's file gives other answers than the classifier: torch.jit.trace does not see what depends "
                            "on the number of words; make it a torch.jit.script module, or explain a model file")


def save(explanation: typing.Any, folder: pathlib.Path) -> pathlib.Path:
    return _folder.save_with(_write, explanation, folder)


def _write(explanation: typing.Any, folder: pathlib.Path) -> None:
    record: Record = explanation._record
    names = _sorted_names(explanation.class_names)
    classifier = _write_classifier(explanation, folder)
    (folder / "data").mkdir()
    # The program chooses nothing on validation texts of such a run, but wants some.
    for part, texts in {"train": record.train, "validation": record.held, "test": record.held}.items():
        _write_texts(texts, names, folder / "data" / f"{part}.jsonl")
    explanation._models.save(str(folder))
    lines = "".join(f"{name} = {toml(value)}\n" for name, value in classifier.items())
    pieces = _write_pieces(explanation.classifier.source, folder)
    (folder / "recipe.toml").write_text(f"""title = "Explanation made in Python"

[data]
set = "texts"
path = "data"
word_pieces = {toml(pieces)}

[text_classifier]
{lines}
{_whence.text_explanation_toml(record.options)}
[run]
seed = {record.seed}
threads = {torch.get_num_threads()}
precision = "float32"
""")
    metrics = {"data": {"set": "texts", "classes": names}, "text": explanation.measures}
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2))
    _folder.write_run(folder, record.seed)
    if pieces:
        _check_pieces(explanation, folder)
    _check_classifier(explanation, folder)
    _folder.write_report(explanation, folder)


def load(folder: pathlib.Path, make: typing.Any) -> typing.Any:
    recipe, data = _models.recipe_of(folder)
    for file in ("text-explanation.safetensors", "language-model.safetensors"):
        if not (folder / file).is_file():
            raise _whence.Error(f"{folder} has no {file} yet; `whence run {folder}` makes it")
    shape = {name: str(recipe["text_explanation"][name])
             for name in ("architecture", "causal", "noncausal", "embedding", "encoder_hidden", "decoder_hidden", "guide")}
    classifier = _text_models.text_classifier(folder)
    models = _whence.load_texts(classifier, str(folder), {**shape, "longest": str(recipe["text"]["longest"])})
    measures = json.loads((folder / "metrics.json").read_text()).get("text")
    measured = measures if measures and "flow" in measures else None
    return make(classifier, models, list(data["classes"]), folder=folder, measures=measured)
