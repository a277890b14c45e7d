"""Explanations of a classifier of texts whose cause is known: two words decide, and the topic does not."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import torch

import whence

TOPICS = ["film", "plot", "music", "cast", "scene", "book"]
WORDS = ["<unk>", "a", "the", "is", "and", "very", "good", "fine", "bad", "dull", *TOPICS]
GOOD, BAD = {"good", "fine"}, {"bad", "dull"}
OPTIONS = dict(causal=1, noncausal=7, vocabulary=WORDS, class_names=["against", "for"], steps=900, encoder_hidden=48, decoder_hidden=96,
               embedding=32, guide=32, longest=8, sampled_words=0, fluency_weight=0.0)


THREADS = torch.get_num_threads()


def setUpModule():
    torch.set_num_threads(1)  # threads wait for one another in networks this small


def tearDownModule():
    torch.set_num_threads(THREADS)


def reviews(count, seed=0):
    """Texts such as "the plot is very dull", and whether they praise."""
    generator = torch.Generator().manual_seed(seed)

    def one_of(words):
        return words[int(torch.randint(len(words), (), generator=generator))]

    texts, labels = [], []
    for _ in range(count):
        label = one_of([0, 1])
        adjective = one_of(sorted(GOOD if label else BAD))
        texts.append(f"the {one_of(TOPICS)} {one_of(['is', 'is very'])} {adjective}" if one_of([True, False]) else
                     f"a {one_of(['', 'very '])}{adjective} {one_of(TOPICS)} and {one_of(TOPICS)}")
        labels.append(label)
    return texts, labels


class Adjectives(torch.nn.Module):
    """Scores of words, added up; its control flow is Python's."""

    def __init__(self):
        super().__init__()
        self.look_up = torch.nn.Embedding(len(WORDS), 3)
        with torch.no_grad():
            self.look_up.weight.normal_(generator=torch.Generator().manual_seed(0)).mul_(0.3)
            for word in GOOD | BAD:
                self.look_up.weight[WORDS.index(word), 0] = 2.5 if word in GOOD else -2.5

    def forward(self, numbers):
        vectors = self.look_up(numbers)
        score = vectors[..., 0].sum(1) if numbers.shape[1] > 0 else vectors.sum((1, 2))
        return torch.stack([-score, score], 1)


class Trained(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.texts, cls.labels = reviews(1500)
        cls.model = Adjectives()
        cls.seen = []
        cls.e = whence.explain_texts(cls.model, cls.texts, cls.labels, progress=lambda *step: cls.seen.append(step), **OPTIONS)

    def answers(self, texts):
        """Of the module itself, in Python."""
        rows = [torch.tensor([[WORDS.index(word) if word in WORDS else 0 for word in text.split()]]) for text in texts]
        return torch.cat([self.model(row) for row in rows]).softmax(1).detach()

    def test_answers_are_those_of_the_module(self):
        texts = self.texts[:40] + ["an unheard film"]
        torch.testing.assert_close(self.e.classifier.probabilities(texts), self.answers(texts))

    def test_the_adjective_is_the_cause(self):
        flow = self.e.flow
        self.assertGreater(flow.alpha, 0.4)  # of log 2
        self.assertLess(flow.beta, 0.15 * flow.alpha)
        self.assertEqual([factor[1] for factor in flow.factors], [True] + [False] * 7)
        self.assertGreater(self.e.measures["flips"]["mean"], 0.8)

    def test_measures_are_about_what_the_module_says(self):
        measures = self.e.measures
        held, labels = self.e._record.held
        right = self.answers(held).argmax(1).eq(torch.tensor(labels)).float().mean().item()
        self.assertAlmostEqual(measures["ablation"]["original"], right, places=6)
        # Without alpha, half of the answers are right; without a beta, most.
        replaced = measures["ablation"]["replaced"]
        self.assertLess(replaced["alpha_1"], 0.7)
        self.assertGreater(min(share for name, share in replaced.items() if name != "alpha_1"), 0.8)
        moved = measures["moved"]
        for end in ("low", "high"):
            torch.testing.assert_close(torch.tensor([row[f"probability_{end}"] for row in moved]),
                                       self.answers([row[end] for row in moved])[:, 1], atol=1e-5, rtol=1e-4)
        self.assertEqual({point[2] for point in measures["plane"]["points"]}, {0, 1})

    def test_progress(self):
        self.assertEqual(self.seen[-1][1:], (900, 900))

    def test_a_sweep_is_read_by_the_module(self):
        sweep = self.e.sweep("The plot is dull")
        self.assertEqual(sweep.text, "the plot is dull")
        self.assertEqual((len(sweep.texts), len(sweep.texts[0]), sweep.values), (1, 5, [-2, -1, 0, 1, 2]))
        torch.testing.assert_close(sweep.probabilities[0], self.answers(sweep.texts[0]))
        ends = sweep.probabilities[0, :, 1]
        self.assertGreater((ends[0] - ends[-1]).abs().item(), 0.9)
        self.assertIn("reconstruction", str(sweep))
        self.assertIn("<table>", sweep._repr_html_())
        with self.assertRaisesRegex(whence.UsageError, "no latent factor 8"):
            self.e.sweep("the plot", [8])

    def test_counterfactuals_change_the_modules_answer(self):
        found = [self.e.counterfactual(text) for text in self.texts[:20]]
        self.assertGreater(sum(each.found for each in found), 16)
        for each in found:
            if each.found:
                self.assertNotEqual(self.answers([each.reconstruction]).argmax(), self.answers([each.counterfactual]).argmax())
                self.assertLess(abs(each.new_alpha), 3.01)
                self.assertAlmostEqual(each.distance, abs(each.new_alpha - each.alpha), places=5)

    def test_counterfactuals_of_a_class(self):
        text = next(text for text, label in zip(self.texts, self.labels) if label == 0)
        there = self.e.counterfactual(text, "for", probability=0.9)
        self.assertTrue(there.found)
        self.assertFalse(there.already)
        self.assertGreaterEqual(self.answers([there.counterfactual])[0, 1].item(), 0.9)
        self.assertEqual(self.e.counterfactual(text, 1, probability=0.9).new_alphas, there.new_alphas)
        self.assertIn("alpha = ", str(there))
        here = self.e.counterfactual(text, "against")
        self.assertTrue(here.already)
        none = self.e.counterfactual(text, "for", radius=0.0)
        self.assertFalse(none.found)
        self.assertIn("no alpha up to 0 in size", str(none))
        for wrong, sentence in {"neutral": "against, for", 2: "0 to 1"}.items():
            with self.assertRaisesRegex(whence.UsageError, sentence):
                self.e.counterfactual(text, wrong)
        with self.assertRaisesRegex(whence.UsageError, "step"):
            self.e.counterfactual(text, step=0)

    def test_trust_and_ablation(self):
        texts = list(dict.fromkeys(self.e._record.held[0]))  # the same text twice counts once
        kept = [self.answers([own.reconstruction]).argmax() == own.answer.argmax() for own in map(self.e.counterfactual, texts)]
        found = self.e.trust(other=self.e)
        self.assertAlmostEqual(found.reencoding[0], sum(map(bool, kept)) / len(kept), delta=0.05)
        self.assertEqual((found.texts, found.images, found.passed), (len(texts), None, None))
        self.assertLess(found.leak[0], 0.2)
        self.assertAlmostEqual(found.seeds["alpha_subspace"], 1, places=5)
        self.assertIn("keep their text's answer", str(found))
        ablation, measured = self.e.ablate(), self.e.measures["ablation"]
        self.assertEqual((ablation.original, ablation.reencoded), (measured["original"], measured["reencoded"]))
        self.assertEqual(ablation.replaced, measured["replaced"])
        self.assertLess(ablation.replaced["alpha_1"], ablation.reencoded - 0.2)
        self.assertEqual(self.e.ablate(count=20).samples, 20)
        with self.assertRaisesRegex(whence.UsageError, "not Trained"):
            self.e.trust(other=self)
        with self.assertRaisesRegex(whence.UsageError, "count is -1"):
            self.e.ablate(count=-1)

    def test_words_of_the_text_count(self):
        text = "the plot is very dull"
        found = whence.attribute_words(self.e.classifier, text, 0)
        self.assertEqual(found.words, text.split())
        self.assertEqual(int(found.values.argmax()), 4)
        # The sum of integrated gradients is the difference of the logits from a text of unknown words.
        rows = torch.tensor([[WORDS.index(word) for word in text.split()], [0] * 5])
        logits = self.model(rows)[:, 0]
        self.assertAlmostEqual(found.values.sum().item(), (logits[0] - logits[1]).item(), places=4)
        for method in ("occlusion", "smooth_grad"):
            self.assertEqual(int(whence.attribute_words(self.model, text, 0, method, vocabulary=WORDS).values.argmax()), 4)

    def test_a_run_folder(self):
        with tempfile.TemporaryDirectory() as place:
            folder = self.e.save(os.path.join(place, "run"))
            loaded = whence.load(folder)
            self.assertEqual(loaded.flow.items(), self.e.flow.items())
            self.assertEqual(repr(loaded), repr(self.e))
            text = self.texts[3]
            self.assertEqual(loaded.sweep(text).texts, self.e.sweep(text).texts)
            torch.testing.assert_close(loaded.classifier.probabilities(self.texts[:9]), self.answers(self.texts[:9]))
            self.assertIn("alpha_1", (folder / "report.html").read_text())
            self.assertEqual(loaded.save(os.path.join(place, "copy")).name, "copy")
            with self.assertRaisesRegex(whence.Error, "exists already"):
                self.e.save(folder)
            self.assertEqual(sorted(os.listdir(place)), ["copy", "run"])
            with self.assertRaisesRegex(whence.Error, "not at hand"):
                loaded.ablate()
            with self.assertRaisesRegex(whence.Error, "is about texts"):
                whence.classifier(folder)

    @unittest.skipUnless(os.environ.get("WHENCE_PROGRAM"), "WHENCE_PROGRAM does not name the program")
    def test_the_program_reads_it(self):
        with tempfile.TemporaryDirectory() as place:
            folder = self.e.save(os.path.join(place, "run"))

            def told(verb, *more):
                done = subprocess.run([os.environ["WHENCE_PROGRAM"], verb, folder, *more, "--json"], capture_output=True, text=True,
                                      check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                return json.loads(done.stdout)

            texts = [row["text"] for row in told("sweep", "--text", "the plot is dull", "--range", "2", "--steps", "5")[0]["alpha_1"]]
            self.assertEqual(texts, self.e.sweep("the plot is dull").texts[0])
            change = told("counterfactual", "--text", "the plot is dull", "--to", "for")[0]
            own = self.e.counterfactual("the plot is dull", "for")
            self.assertEqual((change["found"], change["counterfactual"]["text"]), (own.found, own.counterfactual))
            ablation, found = told("ablate", "--count", "0"), self.e.ablate()
            for name in ("original", "reencoded", "samples", "replaced"):
                self.assertEqual(getattr(found, name), ablation[name], name)
            trust, found = told("trust"), self.e.trust()
            self.assertEqual(found.reencoding, (trust["reencoding"]["value"], trust["reencoding"]["se"]))
            self.assertAlmostEqual(found.leak[0], trust["leak"]["value"], places=9)
            self.assertEqual(found.left_out, trust["randomization"]["left_out"])


class Training(unittest.TestCase):
    def of(self, model=None, **more):
        texts, labels = reviews(120)
        return whence.explain_texts(Adjectives() if model is None else model, texts, labels, **{**OPTIONS, "steps": 4, **more})

    def test_a_seed_is_all_that_counts(self):
        first = self.of(seed=3).sweep("the plot is dull", range(8)).texts
        self.assertEqual(first, self.of(seed=3).sweep("the plot is dull", range(8)).texts)

    def test_a_recurrent_module_is_saved_for_texts_of_any_length(self):
        class Recurrent(torch.nn.Module):
            def __init__(self):
                super().__init__()
                torch.manual_seed(0)
                self.look_up = torch.nn.Embedding(len(WORDS), 4)
                self.gru = torch.nn.GRU(4, 6, batch_first=True, bidirectional=True)
                self.last = torch.nn.Linear(12, 2)

            def forward(self, numbers):
                return (20 * self.last(self.gru(self.look_up(numbers))[0].amax(1))).softmax(1)

        model = Recurrent()
        e = self.of(model)
        with tempfile.TemporaryDirectory() as place:
            written = whence.text_classifier(e.save(os.path.join(place, "run")))
        for text in ("dull", "the plot is very dull and the music is fine"):
            numbers = torch.tensor([[WORDS.index(word) for word in text.split()]])
            torch.testing.assert_close(written.probabilities([text]), model(numbers).detach())

    def test_a_module_that_torchscript_cannot_follow_is_explained_but_not_saved(self):
        class Odd(Adjectives):
            def forward(self, numbers):
                factor = 1.0 if {} == dict(**{}) and numbers.shape[1] % 2 else 0.5  # no file knows lengths
                return super().forward(numbers) * factor

        e = self.of(Odd())
        with tempfile.TemporaryDirectory() as place:
            with self.assertRaisesRegex(whence.Error, "number of words|can follow"):
                e.save(os.path.join(place, "run"))
            self.assertEqual(os.listdir(place), [])

    def test_without_labels_the_answers_count(self):
        texts, labels = reviews(120)
        e = whence.explain_texts(Adjectives(), texts, **{**OPTIONS, "steps": 2})
        self.assertEqual(set(e._record.train[1]), {0, 1})
        known = dict(zip(texts, labels))
        self.assertTrue(all(known[text] == label for text, label in zip(*e._record.train)))

    def test_classes_out_of_order_are_stored(self):
        with tempfile.TemporaryDirectory() as place:
            folder = self.of(class_names=["up", "down"]).save(pathlib.Path(place) / "run")
            self.assertEqual(json.loads((folder / "metrics.json").read_text())["data"]["classes"], ["000: up", "001: down"])

    def test_errors(self):
        texts, labels = reviews(20)
        for sentence, call in {
            "no '<other>'": lambda: self.of(unknown="<other>"),
            "did you mean 'steps'": lambda: self.of(step=1),
            "must be a list of str": lambda: whence.explain_texts(Adjectives(), "the plot", [0], **OPTIONS),
            "needs two classes": lambda: whence.explain_texts(Adjectives(), texts, [1] * 20, **OPTIONS),
            "2 numbers from 0 to 1": lambda: whence.explain_texts(Adjectives(), texts[:2], [0, 1, 0], **OPTIONS),
            "vectors for 16 words": lambda: self.of(vocabulary=WORDS[:-1]),
            "twice": lambda: self.of(vocabulary=WORDS[:-1] + ["film"]),
            "0 torch.nn.Embedding": lambda: self.of(torch.nn.Linear(2, 2)),
            "give vocabulary": lambda: self.of(vocabulary=None),
            "has no word": lambda: whence.explain_texts(Adjectives(), texts + ["  "], labels + [0], **OPTIONS),
            "no training text has": lambda: self.of(shortest=7),
        }.items():
            with self.subTest(sentence), self.assertRaisesRegex(whence.Error, sentence):
                call()


if __name__ == "__main__":
    unittest.main()
