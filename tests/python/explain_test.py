"""Explanations of a classifier whose cause is known: bars whose side decides, and whose brightness does not."""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import unittest
import warnings

import torch

import whence

OPTIONS = dict(causal=1, noncausal=2, width=6, steps=400, class_names=["left", "right"])


def bars(count, seed=0):
    """Images (count, 1, 16, 16), and whether the bar is on the right."""
    generator = torch.Generator().manual_seed(seed)
    place, light = torch.rand(count, generator=generator) * 12 + 2, torch.rand(count, generator=generator) * 0.5 + 0.4
    columns = torch.arange(16).view(1, 16)
    bar = torch.sigmoid(3 * (1.5 - (columns - place.view(-1, 1)).abs())) * light.view(-1, 1)
    images = bar.view(-1, 1, 1, 16).expand(-1, 1, 16, 16) * (torch.arange(16) % 15 > 2).view(1, 1, 16, 1)
    return images.contiguous(), (place > 7.5).long()


class Sides(torch.nn.Module):
    """Where the middle of the light lies."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.linspace(-2, 2, 16))

    def forward(self, x):
        light = x.mean((1, 2))
        score = 4 * (light * self.weight).sum(1, keepdim=True) / (light.sum(1, keepdim=True) + 1e-3)
        return torch.cat([-score, score], 1)


class Trained(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.images, cls.labels = bars(1200)
        cls.model = Sides()
        cls.seen = []
        cls.e = whence.explain(cls.model, cls.images, cls.labels, progress=lambda *step: cls.seen.append(step), **OPTIONS)

    def test_the_side_is_the_cause(self):
        flow = self.e.flow
        self.assertGreater(flow.alpha, 0.35)  # of log 2
        self.assertLess(flow.beta, 0.2 * flow.alpha)
        self.assertEqual([factor[:2] for factor in flow.factors], [(0, True), (1, False), (2, False)])

    def test_progress(self):
        self.assertEqual(self.seen[-1], ("explanation", 400, 400))
        self.assertEqual(len(self.seen), 400)

    def test_images_held_back(self):
        self.assertEqual(self.e.images.shape, (120, 1, 16, 16))
        self.assertEqual(set(self.e.labels.tolist()), {0, 1})
        same = (self.e.images.unsqueeze(1) - (self.images * 255).round().unsqueeze(0) / 255).abs().amax((2, 3, 4)).lt(1e-6)
        self.assertTrue(same.any(1).all())
        torch.testing.assert_close(self.labels[same.float().argmax(1)], self.e.labels)

    def test_sweep_moves_the_answer(self):
        image = self.e.images[0]
        sweep = self.e.sweep(image, steps=5)
        self.assertEqual(sweep.images.shape, (3, 5, 1, 16, 16))
        self.assertEqual(sweep.values, [-3, -1.5, 0, 1.5, 3])
        right = sweep.probabilities[..., 1]
        self.assertGreater((right[0, 0] - right[0, -1]).abs().item(), 0.9)
        # The models that it is made of give the same.
        code = self.e.encoder.encode(image.unsqueeze(0))[0]
        code[0, 0] += 1.5
        torch.testing.assert_close(sweep.images[0, 3], self.e.decoder.decode(code)[0])
        torch.testing.assert_close(sweep.probabilities[0, 3], self.model(self.e.decoder.decode(code)).softmax(1)[0].detach(),
                                   atol=1e-5, rtol=1e-4)
        self.assertEqual(sweep._repr_html_().count("<img"), 15)
        with self.assertRaisesRegex(whence.UsageError, "no latent factor 3"):
            self.e.sweep(image, [3])

    def test_counterfactuals_change_the_modules_answer(self):
        found = self.e.counterfactual(self.e.images[:20])
        self.assertGreater(found.found.float().mean().item(), 0.9)
        answers = self.model(found.images).argmax(1)
        self.assertTrue((answers == found.to_class)[found.found].all())
        codes = self.e.encoder.encode(self.e.images[:20])[0]
        torch.testing.assert_close(found.codes[:, 1:], codes[:, 1:])

    def test_morphs_are_of_the_other_class(self):
        morphs = self.e.morph(self.e.images[:6], known=300)
        self.assertTrue((morphs.from_class == self.model(self.e.images[:6]).argmax(1)).all())
        self.assertTrue(morphs.found.all())
        answers = self.model(morphs.images).softmax(1).gather(1, morphs.to_class.unsqueeze(1)).squeeze(1)
        torch.testing.assert_close(answers.detach(), morphs.probability, atol=1e-4, rtol=1e-3)
        self.assertGreater(answers.min().item(), 0.9)
        torch.testing.assert_close(morphs.path[:, -1], morphs.images, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(morphs.path[:, 0], morphs.reconstructions, atol=1e-5, rtol=1e-4)
        self.assertIn("<img", morphs._repr_html_())
        to_left = self.e.morph(self.e.images[self.e.labels == 1][:2], target=0, known=300)
        self.assertEqual(to_left.to_class.tolist(), [0, 0])

    def test_a_run_folder(self):
        with tempfile.TemporaryDirectory() as place:
            folder = self.e.save(os.path.join(place, "runs", "sides"))
            loaded = whence.load(folder)
            self.assertEqual(loaded.flow.items(), self.e.flow.items())
            self.assertEqual((loaded.causal, loaded.latents, loaded.class_names), (1, 3, ["left", "right"]))
            torch.testing.assert_close(loaded.images, self.e.images)
            self.assertTrue(torch.equal(loaded.labels, self.e.labels))
            image = self.e.images[3]
            self.assertTrue(torch.equal(loaded.sweep(image).images, self.e.sweep(image).images))
            torch.testing.assert_close(whence.classifier(folder).logits(self.images[:9]), self.model(self.images[:9]).detach(),
                                       atol=1e-5, rtol=1e-4)
            page = (folder / "report.html").read_text()
            self.assertIn(f"{self.e.flow.alpha:.3f} nats", page)
            self.assertIn("<img", page)
            self.assertEqual(json.loads((folder / "metrics.json").read_text())["data"]["test_images"], 120)
            self.assertEqual(loaded.save(os.path.join(place, "copy")).name, "copy")
            self.assertEqual(whence.load(os.path.join(place, "copy")).flow.alpha, self.e.flow.alpha)
            with self.assertRaisesRegex(whence.Error, "exists already"):
                self.e.save(folder)
            self.assertEqual(sorted(os.listdir(place)), ["copy", "runs"])

    @unittest.skipUnless(os.environ.get("WHENCE_PROGRAM"), "WHENCE_PROGRAM does not name the program")
    def test_the_program_trains_the_same_bits(self):
        images, labels = bars(200)
        # Layers that are known, so that both train with the same network.
        model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(256, 2))
        e = whence.explain(model, images, labels, **{**OPTIONS, "steps": 20})
        with tempfile.TemporaryDirectory() as place:
            made, again = e.save(os.path.join(place, "made")), e.save(os.path.join(place, "again"))
            done = subprocess.run([os.environ["WHENCE_PROGRAM"], "train", again], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            for role in ("encoder", "decoder"):
                file = f"{role}.safetensors"
                self.assertEqual((made / file).read_bytes(), (again / file).read_bytes())
            self.assertGreater((again / "decoder.safetensors").stat().st_mtime, (made / "decoder.safetensors").stat().st_mtime)
            self.assertTrue(torch.equal(whence.load(again).images, e.images))

    def test_shown_in_a_notebook(self):
        page = self.e._repr_html_()
        self.assertEqual(page.count("alpha_1"), 1 + 2)  # in the table of the flow and in each sweep
        self.assertIn("beta_1", page)
        self.assertEqual(page.count("<img"), 2 * 7)
        self.assertIn("Explanation(causal=1", repr(self.e))


class Training(unittest.TestCase):
    def of(self, model=None, images=None, **more):
        made, labels = bars(80)
        return whence.explain(Sides() if model is None else model, made if images is None else images, labels,
                              **{**OPTIONS, "steps": 5, **more})

    def test_a_seed_is_all_that_counts(self):
        def decoded(**more):
            return self.of(**more).decoder.decode(torch.ones(1, 3))

        torch.manual_seed(1)
        before = torch.random.get_rng_state()
        first = decoded(seed=3)
        self.assertTrue(torch.equal(torch.random.get_rng_state(), before))
        self.assertTrue(torch.equal(first, decoded(seed=3)))
        self.assertFalse(torch.equal(first, decoded(seed=4)))

    def test_a_function_is_explained_but_not_saved(self):
        model = Sides()
        e = self.of(lambda x: model(x))
        self.assertTrue(torch.equal(e.decoder.decode(torch.ones(1, 3)), self.of(lambda x: model(x)).decoder.decode(torch.ones(1, 3))))
        with tempfile.TemporaryDirectory() as place:
            with self.assertRaisesRegex(whence.Error, "Python function"):
                e.save(os.path.join(place, "run"))
            self.assertEqual(os.listdir(place), [])

    def test_without_labels_the_answers_count(self):
        images, _ = bars(80)
        e = whence.explain(Sides(), images, **{**OPTIONS, "steps": 2})
        self.assertTrue(torch.equal(e.labels, Sides()(e.images).argmax(1)))

    def test_bytes_are_images(self):
        images, _ = bars(80)
        e = self.of(images=(images * 255).round().to(torch.uint8))
        self.assertTrue(torch.equal(e.decoder.decode(torch.ones(1, 3)), self.of().decoder.decode(torch.ones(1, 3))))

    def test_a_class_without_images_is_told_of(self):
        images, _ = bars(80)
        e = whence.explain(Sides(), images, torch.zeros(80), **{**OPTIONS, "steps": 2})
        with tempfile.TemporaryDirectory() as place, warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            e.save(pathlib.Path(place) / "run")
        self.assertIn("no image of class right", str(told[0].message))

    def test_it_can_be_stopped(self):
        def stop(stage, step, total):
            if step == 3:
                raise StopIteration("enough")

        with self.assertRaisesRegex(StopIteration, "enough"):
            self.of(progress=stop)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a process begun in the background ignores it
        timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        with self.assertRaises(KeyboardInterrupt):
            self.of(steps=1_000_000)

    def test_errors(self):
        images, labels = bars(20)
        for sentence, call in {
            r"\[0, 1\]": lambda: self.of(images=images * 2),
            "did you mean 'learning_rate'": lambda: self.of(learning_rates=1),
            "did you mean 'cvae'": lambda: self.of(architecture="cvea"),
            "multiples of 4": lambda: self.of(lambda x: x.flatten(1)[:, :2], images=torch.rand(80, 1, 15, 15)),
            "20 numbers from 0 to 1": lambda: whence.explain(Sides(), images, labels + 1),
            "beta_samples must be at least 2": lambda: self.of(inference="averaged"),
            "class_names has 1": lambda: self.of(class_names=["one"]),
            "held_back is 2": lambda: self.of(held_back=2),
            "causal is 0, but must be": lambda: self.of(causal=0),
        }.items():
            with self.subTest(sentence), self.assertRaisesRegex(whence.UsageError, sentence):
                call()
        with self.assertRaisesRegex(whence.Error, "not a run folder"):
            whence.load("/nowhere")

    def test_help_has_this_modules_defaults(self):
        self.assertIn("steps = 3000", whence.explain.__doc__)
        self.assertIn("lambda_ = 0.03", whence.explain.__doc__)
        self.assertTrue(self.of(lambda_=0.1))


class Modules(unittest.TestCase):
    def test_channels_that_draw_one_place_are_one_module(self):
        # Channels 0 and 2 draw the upper two rows, channels 1 and 3 the lower two.
        decoder = torch.nn.Sequential(torch.nn.Linear(4, 4 * 64), torch.nn.Unflatten(1, (4, 8, 8)), torch.nn.Conv2d(4, 4, 1),
                                      torch.nn.ReLU(), torch.nn.Conv2d(4, 1, 1))
        with torch.no_grad():
            rows = torch.zeros(4, 8, 8)
            rows[0::2, :2] = 1
            rows[1::2, 6:] = 1
            decoder[0].weight.copy_((torch.eye(4).view(4, 1, 1, 4) * rows.unsqueeze(3)).view(256, 4))
            decoder[0].bias.fill_(0.5)
            decoder[2].weight.copy_(torch.eye(4).view(4, 4, 1, 1))
            decoder[2].bias.zero_()
            decoder[4].weight.fill_(0.25)
            decoder[4].bias.zero_()

        def upper(x):  # class 1 where there is more light above
            score = x[:, 0, :2].sum((1, 2)).unsqueeze(1) - 9
            return torch.cat([-score, score], 1)

        found = whence.modules(decoder, upper, latents=4, rank=2, pairs=64, divisions=2, window=1, measured_pairs=32,
                               flow_samples=(20, 20), largest_rank=2)
        self.assertEqual(found.labels[0], found.labels[2])
        self.assertEqual(found.labels[1], found.labels[3])
        self.assertNotEqual(found.labels[0], found.labels[1])
        self.assertEqual(found.templates.shape, (2, 8, 8))
        flows = {tuple(module["channels"]): module["flow"]["nats"] for module in found.record["modules"]}
        self.assertGreater(flows[(0, 2)], 0.3)
        self.assertLess(flows[(1, 3)], 0.02)
        self.assertEqual(found._repr_html_().count("<img"), 2)

    def test_every_key_of_the_recipe_is_an_option(self):
        torch.manual_seed(0)
        decoder = torch.nn.Sequential(torch.nn.Linear(2, 4 * 64), torch.nn.Unflatten(1, (4, 8, 8)), torch.nn.Conv2d(4, 4, 3, padding=1),
                                      torch.nn.ReLU(), torch.nn.Conv2d(4, 3, 1), torch.nn.Sigmoid())
        keys = whence._whence.options["modules"]
        for name in keys:
            self.assertIn(f"\n    {name} = ", whence.modules.__doc__)
        self.assertTrue({"both_ways", "per_colour", "map_error", "originals", "channel_flow"} <= set(keys))
        small = dict(latents=2, rank=2, pairs=32, divisions=2, measured_pairs=16, largest_rank=2, originals="prior")
        found = whence.modules(decoder, both_ways=True, per_colour=True, map_error=0.9, **small)
        self.assertEqual(found.templates.shape, (2, 3, 8, 8))
        plain = whence.modules(decoder, per_colour=True, **small)
        self.assertEqual(plain.maps.shape, found.maps.shape)
        self.assertFalse(torch.equal(plain.maps, found.maps))

    def test_errors(self):
        with self.assertRaisesRegex(whence.UsageError, "layers"):
            whence.modules(lambda z: z.view(-1, 1, 2, 2), latents=4)
        with self.assertRaisesRegex(whence.UsageError, "both encoder and images"):
            whence.modules(torch.nn.Linear(4, 4), latents=4, images=torch.rand(3, 1, 2, 2))


if __name__ == "__main__":
    unittest.main()
