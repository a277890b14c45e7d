"""Classifiers of texts: a torch.nn.Module with an embedding, a file, or a run folder."""
from __future__ import annotations

import dataclasses
import os
import pathlib
import typing

import torch

from whence import _models, _tokenizers, _whence

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
    cutting: _whence.Cutting
    tokenizer: _tokenizers.Tokenizer = None


def words_in_order(vocabulary: Vocabulary) -> list[str]:
    if isinstance(vocabulary, (str, os.PathLike)):
        file = pathlib.Path(vocabulary)
        return _whence.tokenizer_file(str(file))[0] if file.suffix == ".json" else file.read_text(encoding="utf-8").splitlines()
    if isinstance(vocabulary, typing.Mapping):
        if sorted(vocabulary.values()) != list(range(len(vocabulary))):
            raise _whence.UsageError(f"the numbers of the vocabulary must be 0 to {len(vocabulary) - 1}, each once")
        return sorted(vocabulary, key=lambda word: vocabulary[word])
    return list(vocabulary)


def embedding_of(module: torch.nn.Module, words: int) -> torch.nn.Embedding:
    """The table of its words: of several tables (of places in the text, of kinds of tokens) the one with a row for each word."""
    found = [part for part in module.modules() if isinstance(part, torch.nn.Embedding)]
    fitting = found if len(found) == 1 else [table for table in found if table.num_embeddings == words]
    if len(fitting) != 1:
        raise _whence.UsageError(f"the model has {len(found)} torch.nn.Embedding, and {len(fitting)} of {words} rows, the words of the "
                                 "vocabulary; it must look its words up in one")
    return fitting[0]


def scores_of(answer: typing.Any) -> typing.Any:
    """A tensor, or what models of the package transformers return."""
    return answer if isinstance(answer, torch.Tensor) else getattr(answer, "logits", answer)


class _Behind:
    """A module that takes the vectors of its words, too: its embedding answers with them."""

    def __init__(self, module: torch.nn.Module, embedding: torch.nn.Embedding):
        self.module, self.embedding = module, embedding

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
                found = scores_of(self.module(numbers))
        finally:
            handle.remove()
        if len(asked) != 1:
            raise _whence.Error(f"the model looks its words up {len(asked)} times; it must do so once")
        return found.float().cpu() if isinstance(found, torch.Tensor) else found


def text_classifier(model: TextModel, vocabulary: Vocabulary | None = None, *, tokenizer: _tokenizers.Tokenizer = None,
                    unknown: str | None = None, input: str = "numbers", output: str = "auto") -> _whence.TextClassifier:
    """A model as a classifier of texts, once for many calls.

    model: a torch.nn.Module or a file (TorchScript, .pt2, ONNX) that takes numbers of words, (N, T) int64, and returns (N, classes); or a
        run folder about texts. Texts of one length are asked together and never filled up, so it needs no mask. A module looks its
        words up in one torch.nn.Embedding; it may return an object with `logits`, as the package transformers does.
    tokenizer: what cuts texts into the model's words. None: whence, into words and punctuation in small letters. A tokenizer of the
        package transformers, its tokenizer.json, or BERT's vocab.txt: it also says what stands in front of a text and behind it.
        "wordpiece": word pieces as BERT's, by the vocabulary.
    vocabulary: the model's words in the order of their numbers, {word: number}, or a file with one word a line; None: the tokenizer's.
    unknown: the word of the vocabulary that stands for all others; None: "<unk>", or the tokenizer's.
    input: "vectors" for a file that takes word vectors, (N, T, E); then the vocabulary is the file of the vectors (GloVe's text form).
    output: "logits", "probabilities", or "auto", which looks at the sum of the rows.
    """
    if isinstance(model, _whence.TextClassifier):
        return model
    if output not in ("auto", "logits", "probabilities") or input not in ("numbers", "vectors"):
        raise _whence.UsageError(f"output is {output!r} and input {input!r}, but must be 'auto', 'logits' or 'probabilities', and "
                                 "'numbers' or 'vectors'")
    if (folder := _models.run_folder(model)) is not None:
        made, source = _of_run(folder), Source(model, vocabulary, "", input, output, _whence.Cutting())
    else:
        source = _source(model, vocabulary, tokenizer, unknown, input, output)
        made = _made(source)
    made.source = source
    return made


def _source(model: TextModel, vocabulary: Vocabulary | None, tokenizer: _tokenizers.Tokenizer, unknown: str | None, input: str,
            output: str) -> Source:
    cutting = _tokenizers.cutting_of(tokenizer)
    if unknown is None:
        unknown = "<unk>" if tokenizer is None else "[UNK]" if tokenizer == "wordpiece" else _tokenizers.unknown_of(tokenizer)
    if vocabulary is None and cutting.file and not isinstance(model, torch.nn.Module):
        vocabulary = cutting.file
    if vocabulary is None and (cutting.kind == "own" or cutting.file) and isinstance(model, torch.nn.Module):
        sizes = [part.num_embeddings for part in model.modules() if isinstance(part, torch.nn.Embedding)]
        known = _tokenizers.count_of(tokenizer)
        vocabulary = _tokenizers.words_of(tokenizer, min((size for size in sizes if size >= known), default=known))
    if vocabulary is None:
        raise _whence.UsageError("give vocabulary=..., the words of the model in the order of their numbers")
    return Source(model, vocabulary, unknown, input, output, cutting, tokenizer)


def _made(source: Source) -> _whence.TextClassifier:
    model, cutting = source.model, source.cutting
    if isinstance(model, (str, os.PathLike)):
        if not isinstance(source.vocabulary, (str, os.PathLike)):
            raise _whence.UsageError("the vocabulary of a file is a file, too, with one word a line")
        return _whence.text_classifier_from_file(str(model), str(source.vocabulary), source.unknown, source.input, source.output, cutting)
    if not isinstance(model, torch.nn.Module):
        raise _whence.UsageError(f"a classifier of texts is a torch.nn.Module, a file or a run folder, not {type(model).__name__}")
    words = words_in_order(source.vocabulary)
    table = embedding_of(model, len(words))
    return _whence.text_classifier_of_function(_Behind(model, table), table.weight, words, source.unknown, source.output, cutting)


def _of_run(folder: pathlib.Path) -> _whence.TextClassifier:
    recipe, data = _models.recipe_of(folder)
    if "image" in data:
        raise _whence.Error(f"{folder} is about images; whence.classifier reads its classifier")
    own, pieces = recipe["text_classifier"], recipe.get("data", {}).get("word_pieces")
    cutting = _tokenizers.cutting_of(folder / pieces if pieces else None)
    if own.get("file"):
        for name in ("before", "after"):
            if own.get(name, ["auto"]) != ["auto"]:
                setattr(cutting, name, own[name])
        return _whence.text_classifier_from_file(str(folder / own["file"]), str(folder / own["vocabulary"]),
                                                 own["unknown"] or (_tokenizers.unknown_of(folder / pieces) if pieces else "<unk>"), own["input"], own["output"], cutting)
    shape = {name: str(own[name]) for name in ("architecture", "embedding", "hidden")}
    return _whence.text_classifier_of_run(shape, str(folder / "text-classifier.words.txt"), str(folder / "text-classifier.safetensors"),
                                          len(data["classes"]), cutting)
