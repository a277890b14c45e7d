"""Trains a small BERT of the package transformers on the Stanford Sentiment Treebank: a classifier of word pieces for docs/text.md.

  train_bert.py TREES OUT [--epochs 3] [--seed 0]

TREES: the folder with train.txt and test.txt. OUT gets vocab.txt and bert.onnx, which takes numbers of pieces (N, T) and returns logits (N, 2).
Needs torch 2.13.0, transformers 5.24.0, tokenizers 0.23.3, onnx 1.23.2 and onnxscript 0.7.2. Then:

  whence run recipes/text/sst.toml --set data.word_pieces=OUT/vocab.txt --set text_classifier.file=OUT/bert.onnx \\
    --set text_classifier.vocabulary=OUT/vocab.txt
"""
import argparse
import pathlib
import re

import torch
from tokenizers import BertWordPieceTokenizer
from transformers import BertConfig, BertForSequenceClassification

POSITIVE = [0.0, 0.0, 0.5, 1.0, 1.0]  # of the grades


def phrases_of(line):
    """(text, grade) of every part of a tree, the whole one first."""
    parts, open_parts, words = [], [], []
    for token in re.findall(r"\(\d|\)|[^\s()]+", line):
        if token.startswith("("):
            open_parts.append(len(parts))
            parts.append([int(token[1]), len(words), 0])
        elif token == ")":
            parts[open_parts.pop()][2] = len(words)
        else:
            words.append({"-LRB-": "(", "-RRB-": ")"}.get(token, token))
    return [(" ".join(words[first:last]), grade) for grade, first, last in parts]


class Scores(torch.nn.Module):
    """transformers returns an object; exporters want a tensor."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x).logits


def batches_of(rows, size, generator):
    """Numbers of rows, those of one length together: nothing is filled up."""
    by_length = {}
    for row in torch.randperm(len(rows), generator=generator).tolist():
        by_length.setdefault(len(rows[row]), []).append(row)
    batches = [own[i:i + size] for own in by_length.values() for i in range(0, len(own), size)]
    return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]


def train(model, rows, targets, epochs, generator):
    optimizer = torch.optim.AdamW(model.parameters(), 5e-4, weight_decay=0.01)
    steps = epochs * len(batches_of(rows, 128, generator))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-4, total_steps=steps + 1)
    for epoch in range(epochs):
        total, seen = 0.0, 0
        for batch in batches_of(rows, 128, generator):
            logits = model(torch.tensor([rows[row] for row in batch])).logits
            aim = torch.tensor([targets[row] for row in batch])
            loss = torch.nn.functional.cross_entropy(logits, torch.stack([1 - aim, aim], 1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if schedule.last_epoch < steps:
                schedule.step()
            total, seen = total + loss.item() * len(batch), seen + len(batch)
        print(f"epoch {epoch + 1}: cross-entropy {total / seen:.4f}", flush=True)


def accuracy(model, tokenizer, lines):
    right = []
    with torch.no_grad():
        for text, grade in (phrases_of(line)[0] for line in lines):
            if grade != 2:
                right.append(model(torch.tensor([tokenizer.encode(text).ids])).logits.argmax().item() == (grade > 2))
    return sum(right) / len(right), len(right)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trees", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.manual_seed(asked.seed)
    generator = torch.Generator().manual_seed(asked.seed)
    asked.out.mkdir(parents=True, exist_ok=True)
    lines = (asked.trees / "train.txt").read_text().splitlines()
    tokenizer = BertWordPieceTokenizer()
    tokenizer.train_from_iterator([phrases_of(line)[0][0] for line in lines], vocab_size=6000, min_frequency=2)
    tokenizer.save_model(str(asked.out))
    tokenizer = BertWordPieceTokenizer(str(asked.out / "vocab.txt"))  # only one that is read from a file puts [CLS] and [SEP] around texts
    known = {text: POSITIVE[grade] for line in lines for text, grade in phrases_of(line)}
    rows, targets = [tokenizer.encode(text).ids for text in known], list(known.values())
    model = BertForSequenceClassification(BertConfig(vocab_size=tokenizer.get_vocab_size(), hidden_size=128, num_hidden_layers=2, num_labels=2,
                                                     num_attention_heads=4, intermediate_size=256, max_position_embeddings=160))
    train(model, rows, targets, asked.epochs, generator)
    model.eval()
    share, count = accuracy(model, tokenizer, (asked.trees / "test.txt").read_text().splitlines())
    print(f"accuracy {share:.4f} of {count} test sentences; {tokenizer.get_vocab_size()} pieces")
    sizes = {0: torch.export.Dim("texts", min=1, max=65536), 1: torch.export.Dim("pieces", min=1, max=160)}
    torch.onnx.export(Scores(model).eval(), (torch.randint(5, 50, (3, 7)),), str(asked.out / "bert.onnx"), dynamo=True, dynamic_shapes=(sizes,),
                      external_data=False)


main()
