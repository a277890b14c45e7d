"""Classifiers that read word pieces, with a tokenizer that behaves as those of the package transformers."""
import json
import os
import subprocess
import tempfile
import types
import unittest

import torch

import whence

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "film", "plot", "is", "very", "good", "bor", "un", "##play", "##able", "##ing", "##s", "."]
TEXTS = ["The film is very good.", "the plot is boring", "Unplayable films", "the films is good", "the plot is unplayable", "very boring films.",
         "good plot .", "the film is boring"] * 8
LABELS = [1, 0, 0, 1, 0, 0, 1, 0] * 8
OPTIONS = dict(causal=1, noncausal=3, steps=4, encoder_hidden=16, decoder_hidden=16, embedding=8, guide=8, longest=9, least=1, sampled_words=0,
               fluency_weight=0.0)


class Tokenizer:
    unk_token = "[UNK]"

    def get_vocab(self):
        return {piece: number for number, piece in enumerate(PIECES)}

    def tokenize(self, text):
        pieces = []
        for word in text.lower().replace(".", " . ").split():
            first = 0
            while first < len(word):
                for last in range(len(word), first, -1):
                    piece = ("##" if first else "") + word[first:last]
                    if piece in PIECES:
                        pieces.append(piece)
                        first = last
                        break
                else:
                    pieces.append("[UNK]")
                    break
        return pieces

    def convert_tokens_to_string(self, pieces):
        return " ".join(pieces).replace(" ##", "")

    def __call__(self, text, add_special_tokens=True):
        numbers = [PIECES.index(piece) for piece in self.tokenize(text)]
        return {"input_ids": [2, *numbers, 3] if add_special_tokens else numbers}


class Classifier(torch.nn.Module):
    """Two tables, of pieces and of places; what stands around a text counts; the answer is an object."""

    def __init__(self, rows=len(PIECES)):
        super().__init__()
        torch.manual_seed(0)
        self.words, self.places = torch.nn.Embedding(rows, 6), torch.nn.Embedding(40, 6)
        self.attention = torch.nn.MultiheadAttention(6, 2, batch_first=True)
        self.last = torch.nn.Linear(6, 2)

    def forward(self, numbers):
        x = self.words(numbers) + self.places(torch.arange(numbers.shape[1]))
        x = x + self.attention(x, x, x, need_weights=False)[0]
        return types.SimpleNamespace(logits=4 * self.last(x[:, 0]))  # behind [CLS]


class WordPieces(unittest.TestCase):
    def setUp(self):
        self.model, self.tokenizer = Classifier().eval(), Tokenizer()

    def answers(self, texts, model=None):
        return torch.cat([(model or self.model)(torch.tensor([self.tokenizer(text)["input_ids"]])).logits for text in texts]).softmax(1).detach()

    def test_answers_are_those_of_the_model_with_its_tokenizer(self):
        texts = ["Unplayable films", "the plot is not good", "boring"]
        own = whence.text_classifier(self.model, tokenizer=self.tokenizer)
        torch.testing.assert_close(own.probabilities(texts), self.answers(texts))
        self.assertEqual(own.cut("Unplayable films!"), ["un", "##play", "##able", "film", "##s", "[UNK]"])
        listed = whence.text_classifier(self.model, PIECES, tokenizer="wordpiece")
        torch.testing.assert_close(listed.probabilities(texts), self.answers(texts))

    def test_a_table_with_more_rows_than_the_tokenizer_has_pieces(self):
        model = Classifier(rows=24).eval()
        own = whence.text_classifier(model, tokenizer=self.tokenizer)
        torch.testing.assert_close(own.probabilities(["boring plot"]), self.answers(["boring plot"], model))

    def test_pieces_of_a_text_count(self):
        found = whence.attribute_words(self.model, "Unplayable films", 0, "integrated_gradients", tokenizer=self.tokenizer)
        self.assertEqual(found.words, ["un", "##play", "##able", "film", "##s"])
        rows = torch.tensor([self.tokenizer("unplayable films")["input_ids"], [2, 1, 1, 1, 1, 1, 3]])
        logits = self.model(rows).logits[:, 0]
        self.assertAlmostEqual(found.values.sum().item(), (logits[0] - logits[1]).item(), places=1)

    def test_an_explanation_writes_words_and_is_stored(self):
        e = whence.explain_texts(self.model, TEXTS, LABELS, tokenizer=self.tokenizer, class_names=["against", "for"], held_back=0.25, **OPTIONS)
        sweep = e.sweep("Unplayable films")
        self.assertEqual(sweep.text, "unplayable films")
        torch.testing.assert_close(sweep.answer, self.answers(["unplayable films"])[0])
        with tempfile.TemporaryDirectory() as place:
            folder = e.save(os.path.join(place, "run"))
            loaded = whence.load(folder)
            self.assertEqual(loaded.sweep("Unplayable films").texts, sweep.texts)
            torch.testing.assert_close(loaded.classifier.probabilities(TEXTS[:5]), self.answers(TEXTS[:5]))
            if "WHENCE_PROGRAM" not in os.environ:
                return
            command = [os.environ["WHENCE_PROGRAM"], "sweep", folder, "--text", "Unplayable films", "--range", "2", "--steps", "5", "--json"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            asked = json.loads(done.stdout)[0]
            self.assertEqual(asked["text"], "unplayable films")
            self.assertEqual([row["text"] for row in asked["alpha_1"]], sweep.texts[0])

    def test_another_tokenizer_is_explained_but_not_stored(self):
        class Whole(Tokenizer):  # "films" is no word of it
            def tokenize(self, text):
                return [word if word in PIECES else "[UNK]" for word in text.lower().replace(".", " .").split()]

        e = whence.explain_texts(self.model, TEXTS, LABELS, tokenizer=Whole(), held_back=0.25, **OPTIONS)
        self.assertEqual(e.classifier.cut("films good"), ["[UNK]", "good"])
        with tempfile.TemporaryDirectory() as place:
            with self.assertRaisesRegex(whence.Error, "BERT's word pieces and GPT-2's byte pairs only: its tokenizer cuts texts in another way"):
                e.save(os.path.join(place, "run"))
            self.assertEqual(os.listdir(place), [])

    def test_byte_pairs_are_stored(self):
        """A tokenizer with a tokenizer.json, as an object and as that file."""
        class BytePairs(Tokenizer):
            pieces = ["<s>", "</s>", "<unk>", *(f"Ġ{word}" for word in "a the film plot is very good boring".split())]
            backend_tokenizer = types.SimpleNamespace(to_str=lambda: json.dumps({
                "model": {"type": "BPE", "vocab": {piece: n for n, piece in enumerate(BytePairs.pieces)}, "merges": ["Ġ a"],
                          "ignore_merges": True},
                "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True},
                "post_processor": {"type": "RobertaProcessing", "cls": ["<s>", 0], "sep": ["</s>", 1]},
                "added_tokens": [{"id": n, "content": token} for n, token in enumerate(["<s>", "</s>", "<unk>"])]}))
            unk_token = "<unk>"

            def get_vocab(self):
                return {piece: number for number, piece in enumerate(self.pieces)}

            def tokenize(self, text):
                return [f"Ġ{word}" for word in text.lower().split()]

            def convert_tokens_to_string(self, pieces):
                return "".join(pieces).replace("Ġ", " ")

            def __call__(self, text, add_special_tokens=True):
                numbers = [self.pieces.index(piece) for piece in self.tokenize(text)]
                return {"input_ids": [0, *numbers, 1] if add_special_tokens else numbers}

        with tempfile.TemporaryDirectory() as place:
            file = os.path.join(place, "tokenizer.json")
            with open(file, "w") as out:
                out.write(BytePairs.backend_tokenizer.to_str())
            own = whence.text_classifier(self.model, tokenizer=BytePairs())
            read = whence.text_classifier(self.model, tokenizer=file)
            self.assertEqual(read.cut("The plot is good"), ["Ġthe", "Ġplot", "Ġis", "Ġgood"])
            torch.testing.assert_close(read.probabilities(["the plot is good"]), own.probabilities(["the plot is good"]))
            texts = ["The film is very good", "the plot is boring", "a very good plot", "the plot is good"] * 8
            for tokenizer in (BytePairs(), file):
                e = whence.explain_texts(self.model, texts, [1, 0, 1, 1] * 8, tokenizer=tokenizer, held_back=0.25, **OPTIONS)
                run = e.save(os.path.join(place, f"run-{type(tokenizer).__name__}"))
                loaded = whence.load(run)
                self.assertEqual(loaded.sweep("the film is good").texts, e.sweep("the film is good").texts)
                torch.testing.assert_close(loaded.classifier.probabilities(texts[:4]), own.probabilities(texts[:4]))

    @unittest.skipUnless(os.environ.get("WHENCE_PROGRAM"), "WHENCE_PROGRAM does not name the program")
    def test_a_run_whose_own_classifier_reads_pieces(self):
        """The program trains it, and writes the answer to a text in another spelling."""
        recipe = """[data]
set = "texts"
path = "texts.csv"
word_pieces = "vocab.txt"
[text]
least = 1
test_texts = 4
samples = [4, 4]
shown = 1
longest = 9
[text_classifier]
epochs = 20
batch = 8
learning_rate = 0.02
embedding = 8
hidden = 8
[language_model]
epochs = 1
[text_explanation]
steps = 4
noncausal = 3
embedding = 8
encoder_hidden = 8
decoder_hidden = 8
guide = 8
sampled_words = 0
sure = 0.1
"""
        with tempfile.TemporaryDirectory() as place:
            table = "".join(f'"{text}",{label}\n' for text, label in zip(TEXTS, LABELS))
            for name, text in {"recipe.toml": recipe, "vocab.txt": "\n".join(PIECES) + "\n", "texts.csv": "text,label\n" + table}.items():
                with open(os.path.join(place, name), "w") as file:
                    file.write(text)
            program = os.environ["WHENCE_PROGRAM"]
            subprocess.run([program, "run", "recipe.toml", "--out", "run", "--quiet"], cwd=place, check=True)
            asked = subprocess.run([program, "sweep", "run", "--text", "Unplayable films", "--json"], cwd=place, check=True, capture_output=True)
            loaded = whence.load(os.path.join(place, "run"))
            self.assertEqual(loaded.classifier.cut("Unplayable films"), ["un", "##play", "##able", "film", "##s"])
            torch.testing.assert_close(loaded.classifier.probabilities(["Unplayable films"])[0],
                                       torch.tensor(json.loads(asked.stdout)[0]["probabilities"]))

    def test_errors(self):
        class Bad(Tokenizer):
            def tokenize(self, text):
                return 3 if text == "good" else super().tokenize(text)

        for sentence, call in {
            "has no get_vocab": lambda: whence.text_classifier(self.model, tokenizer=len),
            "there is no tokenizer file bpe; tokenizer is 'wordpiece', a vocab.txt": lambda: whence.text_classifier(self.model, PIECES, tokenizer="bpe"),
            r"has no '\[CLS\]'": lambda: whence.text_classifier(torch.nn.Sequential(torch.nn.Embedding(2, 2)), ["[UNK]", "a"],
                                                                tokenizer="wordpiece"),
            "2 torch.nn.Embedding, and 0 of 3 rows": lambda: whence.text_classifier(self.model, ["[UNK]", "[CLS]", "[SEP]"], tokenizer="wordpiece"),
            "must cut a text into a list": lambda: whence.text_classifier(self.model, PIECES, tokenizer=Bad()).probabilities(["good"]),
        }.items():
            with self.subTest(sentence), self.assertRaisesRegex(whence.UsageError if "CLS" not in sentence else whence.Error, sentence):
                call()


if __name__ == "__main__":
    unittest.main()
