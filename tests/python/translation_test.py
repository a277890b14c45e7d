"""Translators: what they learn from images whose classes are known, and the program's run with one."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import torch

import whence
from explain_test import bars
from whence._folder import _write_idx

PROGRAM = os.environ.get("WHENCE_PROGRAM")
FILES = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"), "held": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}
RECIPE = """[data]
set = "idx"
path = "data"
class_names = ["left", "right"]
[classifier]
width = 4
epochs = 2
batch = 16
[explanation]
steps = 0
[translation]
steps = 12
width = 8
batch = 16
images = 10
[morphing]
known = 50
components = 4
[run]
threads = 1
precision = "float32"
"""


class Brightness(torch.nn.Module):
    """Class 1: the mean is above 1/2."""

    def forward(self, x):
        mean = 20 * (x.mean((1, 2, 3)) - 0.5)
        return torch.stack([-mean, mean], 1)


def grey(count=64):
    """Dark images of class 0 and bright ones of class 1."""
    generator = torch.Generator().manual_seed(3)
    labels = torch.arange(count) % 2
    level = 0.2 + 0.6 * labels.float() + 0.05 * torch.randn(count, generator=generator)
    return level.view(-1, 1, 1, 1).expand(-1, 1, 8, 8).clamp(0, 1).contiguous(), labels


class Translator(unittest.TestCase):
    def test_learns_the_class(self):
        x, labels = grey()
        translator = whence.train_translator(x, labels, Brightness(), width=8, steps=150, batch=16, learning_rate=5e-3, average=0.9)
        self.assertEqual((translator.classes, translator.image_shape), (2, [1, 8, 8]))
        found = whence.translate(translator, Brightness(), x[:10], steps=4)
        self.assertGreaterEqual(found.found.float().mean().item(), 0.8)
        torch.testing.assert_close(found.to_class, 1 - labels[:10])
        self.assertEqual(tuple(found.path.shape), (10, 4, 1, 8, 8))
        ends = [translator.translate(x[:10], torch.nn.functional.one_hot(to, 2).float()) for to in (labels[:10], 1 - labels[:10])]
        torch.testing.assert_close(found.path[:, 0], ends[0][0])
        torch.testing.assert_close(found.path[:, -1], ends[1][0])
        torch.testing.assert_close(found.images, ends[1][0])
        torch.testing.assert_close(found.masks, ends[1][1])
        self.assertIn("translation", found._repr_html_())

    def test_attributions_along_its_paths_are_complete(self):
        x, labels = grey()
        translator = whence.train_translator(x, labels, width=8, steps=3, batch=16)
        found = whence.attribute(Brightness(), x[:6], method="path_integrated_gradients", translator=translator,
                                 path_baseline="translation", path_steps=100, score="probability")
        first = translator.translate(x[:6], torch.nn.functional.one_hot(1 - found.target, 2).float())[0]
        probability = [Brightness()(images).softmax(1).gather(1, found.target.view(-1, 1)).squeeze(1) for images in (x[:6], first)]
        torch.testing.assert_close(found.values.sum((1, 2, 3)), probability[0] - probability[1], atol=1e-3, rtol=1e-2)

    def test_a_seed_gives_the_same_bits(self):
        x, labels = grey(32)
        weights = torch.eye(2)[labels]
        one, same, other = (whence.train_translator(x, labels, width=4, steps=3, seed=seed).translate(x, weights)[0]
                            for seed in (1, 1, 2))
        self.assertTrue(torch.equal(one, same))
        self.assertFalse(torch.equal(one, other))

    def test_what_is_wrong_is_named(self):
        x, labels = grey(8)
        with self.assertRaisesRegex(whence.UsageError, "give labels, or a classifier"):
            whence.train_translator(x)
        with self.assertRaisesRegex(whence.UsageError, "steps is 0"):
            whence.train_translator(x, labels, steps=0)
        with self.assertRaisesRegex(whence.UsageError, "average is 1"):
            whence.train_translator(x, labels, steps=1, average=1.0)
        with self.assertRaisesRegex(whence.UsageError, "labels must be 8 numbers"):
            whence.train_translator(x, labels[:3], steps=1)
        translator = whence.train_translator(x, labels, width=4, steps=1)
        with self.assertRaisesRegex(whence.UsageError, "takes images of 1 x 8 x 8, not of 1 x 12 x 12"):
            whence.translate(translator, Brightness(), torch.rand(2, 1, 12, 12))
        with self.assertRaisesRegex(whence.UsageError, "'7'"):
            whence.translate(translator, Brightness(), x, 7)
        with self.assertRaisesRegex(whence.UsageError, "steps is 1"):
            whence.translate(translator, Brightness(), x, steps=1)
        with self.assertRaisesRegex(whence.UsageError, "a translator is"):
            whence.translate(Brightness(), Brightness(), x)
        with self.assertRaisesRegex(whence.UsageError, "there is no translator"):
            whence.attribute(Brightness(), x, method="path_mask", path_baseline="translation")


@unittest.skipUnless(PROGRAM, "WHENCE_PROGRAM does not name the program")
class Program(unittest.TestCase):
    def test_the_run_of_a_recipe(self):
        with tempfile.TemporaryDirectory() as name:
            place = pathlib.Path(name)
            (place / "data").mkdir()
            for seed, (part, (images, labels)) in enumerate(FILES.items()):
                x, y = bars(80, seed)
                _write_idx(place / "data" / images, (x[:, 0] * 255).round())
                _write_idx(place / "data" / labels, y)
                held = (x * 255).round() / 255
            (place / "recipe.toml").write_text(RECIPE)
            subprocess.run([PROGRAM, "run", "recipe.toml", "--out", "run", "--quiet"], cwd=place, check=True, timeout=300)
            run = place / "run"

            def told(verb, *arguments):
                done = subprocess.run([PROGRAM, verb, str(run), "--images", "0,1,2", "--json", *arguments], capture_output=True,
                                      text=True, check=True, timeout=300)
                return json.loads(done.stdout)

            rows = told("translate", "--no-controls")["results"]
            found = whence.translate(run, run, held[:3])
            for row, ok, entropy, cycle, mask in zip(rows, found.found, found.entropy, found.cycle, found.masks):
                self.assertEqual(row["found"], bool(ok))
                self.assertAlmostEqual(row["entropy"], entropy.item(), delta=1e-4)
                self.assertAlmostEqual(row["cycle"], cycle.item(), delta=1e-5)
                self.assertAlmostEqual(row["mask"], mask.mean().item(), delta=1e-5)
            told("attribute", "--method", "path_integrated_gradients", "--path-baseline", "translation", "--path-steps", "9", "--out",
                 str(place / "maps"))
            values = whence.attribute(run, held[:3], method="path_integrated_gradients", translator=run, path_baseline="translation",
                                      path_steps=9).values
            from program_test import tensors_of
            expected = tensors_of(place / "maps" / "attributions.safetensors")["path_integrated_gradients"]
            torch.testing.assert_close(values, expected, atol=1e-5, rtol=1e-3)
            subprocess.run([PROGRAM, "train", "recipe.toml", "--set", "translation.steps=0", "--out", "plain", "--quiet"], cwd=place,
                           check=True, timeout=300)
            with self.assertRaisesRegex(whence.Error, "plain has no (translator|metrics.json)"):
                whence.translator(place / "plain")


if __name__ == "__main__":
    unittest.main()
