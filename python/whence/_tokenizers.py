"""How the texts of a classifier are cut into words."""
from __future__ import annotations

import json
import os
import pathlib
import typing

from whence import _whence

#: None: whence's own words. "wordpiece": BERT's word pieces by the vocabulary. Another str: a file, BERT's vocab.txt or a tokenizer.json. Else a
#: tokenizer of the package transformers, or an object that has its get_vocab, tokenize, convert_tokens_to_string, unk_token and call.
Tokenizer = typing.Union[None, str, os.PathLike, typing.Any]


def cutting_of(tokenizer: Tokenizer) -> _whence.Cutting:
    """Errors (usage): an object that is no tokenizer. Errors: those of the file."""
    if tokenizer is None:
        return _whence.Cutting()
    if tokenizer == "wordpiece":
        return _whence.Cutting("wordpiece", before=["[CLS]"], after=["[SEP]"])
    if isinstance(tokenizer, (str, os.PathLike)):
        if not pathlib.Path(tokenizer).is_file():
            raise _whence.UsageError(f"there is no tokenizer file {tokenizer}; tokenizer is 'wordpiece', a vocab.txt, a tokenizer.json or an object")
        _, _, before, after = _whence.tokenizer_file(str(tokenizer))
        return _whence.Cutting("wordpiece", str(tokenizer), before=before, after=after)
    missing = [name for name in ("get_vocab", "tokenize", "convert_tokens_to_string") if not callable(getattr(tokenizer, name, None))]
    if missing or not callable(tokenizer):
        raise _whence.UsageError("tokenizer must be None, 'wordpiece' or a tokenizer as those of the package transformers"
                                 + (f"; this {type(tokenizer).__name__} has no {missing[0]}" if missing else ""))
    before, after = _around(tokenizer)
    return _whence.Cutting("own", cut=tokenizer.tokenize, join=lambda words: tokenizer.convert_tokens_to_string(words).strip(), before=before,
                           after=after)


def _numbered(tokenizer: typing.Any) -> dict[str, int]:
    if isinstance(tokenizer, (str, os.PathLike)):
        return {word: number for number, word in enumerate(_whence.tokenizer_file(str(tokenizer))[0])}
    return tokenizer.get_vocab()


def count_of(tokenizer: typing.Any) -> int:
    return len(_numbered(tokenizer))


def words_of(tokenizer: typing.Any, rows: int) -> list[str]:
    """Its words in the order of their numbers. Tables of models are often longer than their vocabulary: `rows` is how many there are."""
    words: list[str | None] = [None] * max(rows, count_of(tokenizer))
    for word, number in _numbered(tokenizer).items():
        if number >= len(words):
            raise _whence.UsageError(f"the tokenizer gives '{word}' the number {number}, but the model has vectors for {rows} words")
        words[number] = word
    return [f"[none {number}]" if word is None else word for number, word in enumerate(words)]


def unknown_of(tokenizer: typing.Any) -> str:
    """The word that stands for unknown ones; of a tokenizer that knows every text, another word that says nothing."""
    if isinstance(tokenizer, (str, os.PathLike)):
        return _whence.tokenizer_file(str(tokenizer))[1]
    for name in ("unk_token", "pad_token", "mask_token", "eos_token"):
        if (word := getattr(tokenizer, name, None)) is not None:
            return str(word)
    raise _whence.UsageError("the tokenizer has no unk_token; name the word that stands for unknown ones with unknown=...")


def file_of(tokenizer: typing.Any) -> str | None:
    """The tokenizer.json of one of the package transformers, or of the package tokenizers; None where it has none."""
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    written = getattr(backend, "to_str", None)
    return json.dumps(json.loads(written()), ensure_ascii=True) if callable(written) else None


def _around(tokenizer: typing.Any) -> tuple[list[str], list[str]]:
    """What it puts in front of each text and behind it."""
    text = "a"
    inner = list(tokenizer(text, add_special_tokens=False)["input_ids"])
    whole = list(tokenizer(text)["input_ids"])
    names = {number: word for word, number in tokenizer.get_vocab().items()}
    for first in range(len(whole) - len(inner) + 1):
        if whole[first:first + len(inner)] == inner:
            return [names[number] for number in whole[:first]], [names[number] for number in whole[first + len(inner):]]
    raise _whence.UsageError("the tokenizer cuts a text in another way when it adds its special tokens")
