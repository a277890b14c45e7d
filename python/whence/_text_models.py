"""Classifiers of texts: a torch.nn.Module with an embedding, a file, or a run folder."""
from __future__ import annotations

import dataclasses
import os
import pathlib
import typing

import torch

from whence import _models, _whence

#: A role, a torch.nn.Module that takes numbers of words, a model file, or a run folder about texts.
TextModel = typing.Union[_whence.TextClassifier, torch.nn.Module, str, os.PathLike]
#: Words in the order of their numbers, {word: number}, or the file that has one word a line.
Vocabulary = typing.Union[typing.Sequence[str], typing.Mapping[str, int], str, os.PathLike]


@dataclasses.dataclass
class Source:
    """What a TextClassifier was made of, so that it can be stored."""

    model: TextModel
    vocabulary: Vocabulary | None
    unknown: str
    input: str
    output: str


def words_in_order(vocabulary: Vocabulary) -> list[str]:
    if isinstance(vocabulary, (str, os.PathLike)):
        return pathlib.Path(vocabulary).read_text(encoding="utf-8").splitlines()
    if isinstance(vocabulary, typing.Mapping):
        if sorted(vocabulary.values()) != list(range(len(vocabulary))):
            raise _whence.UsageError(f"the numbers of the vocabulary must be 0 to {len(vocabulary) - 1}, each once")
        return sorted(vocabulary, key=lambda word: vocabulary[word])
    return list(vocabulary)


def embedding_of(module: torch.nn.Module) -> torch.nn.Embedding:
    found = [part for part in module.modules() if isinstance(part, torch.nn.Embedding)]
    if len(found) != 1:
        raise _whence.UsageError(f"the model has {len(found)} torch.nn.Embedding, but must look its words up in one")
    return found[0]


class _Cut:
    """A module that takes the vectors of its words, too: its embedding answers with them."""

    def __init__(self, module: torch.nn.Module):
        self.module, self.embedding = module, embedding_of(module)

    def __call__(self, vectors: torch.Tensor, numbers: torch.Tensor) -> typing.Any:
        device = self.embedding.weight.device
        vectors, numbers = vectors.to(device, self.embedding.weight.dtype), numbers.to(device)
        asked: list[torch.Size] = []

        def answer(_: torch.nn.Module, given: tuple[torch.Tensor, ...], __: torch.Tensor) -> torch.Tensor:
            asked.append(given[0].shape)
            if not torch.equal(given[0], numbers):
                raise _whence.Error("the model looks up other numbers than it is given; let it take those of its vocabulary, (N, T)")
            return vectors

        handle = self.embedding.register_forward_hook(answer)
        try:
            with _models.evaluating(self.module):
                found = self.module(numbers)
        finally:
            handle.remove()
        if len(asked) != 1:
            raise _whence.Error(f"the model looks its words up {len(asked)} times; it must do so once")
        return found.float().cpu() if isinstance(found, torch.Tensor) else found


def text_classifier(model: TextModel, vocabulary: Vocabulary | None = None, *, unknown: str = "<unk>", input: str = "numbers",
                    output: str = "auto") -> _whence.TextClassifier:
    """A model as a classifier of texts, once for many calls.

    model: a torch.nn.Module or a file (TorchScript, .pt2, ONNX) that takes numbers of words, (N, T) int64, and returns (N, classes); or a
        run folder about texts. Texts of one length are asked together and never filled up, so it needs no mask. A module looks its
        words up in one torch.nn.Embedding.
    vocabulary: its words in the order of their numbers, {word: number}, or a file with one word a line. Words are those that whence
        cuts texts into, in small letters. unknown: the word of the vocabulary that stands for all others.
    input: "vectors" for a file that takes word vectors, (N, T, E); then the vocabulary is the file of the vectors (GloVe's text form).
    output: "logits", "probabilities", or "auto", which looks at the sum of the rows.
    """
    if isinstance(model, _whence.TextClassifier):
        return model
    if output not in ("auto", "logits", "probabilities") or input not in ("numbers", "vectors"):
        raise _whence.UsageError(f"output is {output!r} and input {input!r}, but must be 'auto', 'logits' or 'probabilities', and "
                                 "'numbers' or 'vectors'")
    made = _made(model, vocabulary, unknown, input, output)
    made.source = Source(model, vocabulary, unknown, input, output)
    return made


def _made(model: TextModel, vocabulary: Vocabulary | None, unknown: str, input: str, output: str) -> _whence.TextClassifier:
    if (folder := _models.run_folder(model)) is not None:
        return _of_run(folder)
    if vocabulary is None:
        raise _whence.UsageError("give vocabulary=..., the words of the model in the order of their numbers")
    if isinstance(model, (str, os.PathLike)):
        if not isinstance(vocabulary, (str, os.PathLike)):
            raise _whence.UsageError("the vocabulary of a file is a file, too, with one word a line")
        return _whence.text_classifier_from_file(str(model), str(vocabulary), unknown, input, output)
    if not isinstance(model, torch.nn.Module):
        raise _whence.UsageError(f"a classifier of texts is a torch.nn.Module, a file or a run folder, not {type(model).__name__}")
    return _whence.text_classifier_of_function(_Cut(model), embedding_of(model).weight, words_in_order(vocabulary), unknown, output)


def _of_run(folder: pathlib.Path) -> _whence.TextClassifier:
    recipe, data = _models.recipe_of(folder)
    if "image" in data:
        raise _whence.Error(f"{folder} is about images; whence.classifier reads its classifier")
    own = recipe["text_classifier"]
    if own.get("file"):
        return _whence.text_classifier_from_file(str(folder / own["file"]), str(folder / own["vocabulary"]), own["unknown"],
                                                 own["input"], own["output"])
    shape = {name: str(own[name]) for name in ("architecture", "embedding", "hidden")}
    return _whence.text_classifier_of_run(shape, str(folder / "text-classifier.words.txt"),
                                          str(folder / "text-classifier.safetensors"), len(data["classes"]))
