"""Measures of attributions, against their definitions on a linear model; methods that need a generator."""
import math
import os
import signal
import threading
import unittest

import torch

import models
import whence


def linear(seed=0):
    """Two classes; the second logit is a weighted sum of the pixels. Returns the function and its weights (1, 8, 8)."""
    weights = torch.randn(1, 8, 8, generator=torch.Generator().manual_seed(seed))

    def classify(x):
        logit = (x * weights).flatten(1).sum(1)
        return torch.stack([torch.zeros_like(logit), logit], 1)

    return classify, weights


class Curves(unittest.TestCase):
    def setUp(self):
        self.model, self.weights = linear()
        self.x = models.images(3)
        self.parts = self.x * self.weights  # what a pixel adds to the logit

    def test_pixel_by_pixel(self):
        fall = self.parts.flatten(1).sort(1, descending=True).values.cumsum(1)
        scores = self.parts.flatten(1).sum(1, keepdim=True) - torch.cat([torch.zeros(3, 1), fall], 1)
        found = whence.perturbation_curve(self.model, self.x, self.parts, target=1, patch=1)
        torch.testing.assert_close(found.scores, scores, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(found.area.float(), (scores[:, :1] - scores).mean(1), atol=1e-4, rtol=1e-4)
        last = whence.perturbation_curve(self.model, self.x, self.parts.squeeze(1), target=1, order="lerf", patch=1)
        self.assertTrue((last.area < found.area).all())
        torch.testing.assert_close(last.scores[:, -1], found.scores[:, -1], atol=1e-4, rtol=1e-4)
        self.assertIn("<polyline", found._repr_html_())

    def test_a_share_and_an_own_grey(self):
        found = whence.perturbation_curve(self.model, self.x, self.parts, target=1, patch=4, share=0.5, fill=1.0)
        self.assertEqual(found.scores.shape, (3, 3))
        whole = whence.perturbation_curve(self.model, self.x, self.parts, target=1, patch=4, fill=1.0).scores
        torch.testing.assert_close(whole[:, :3], found.scores)
        torch.testing.assert_close(whole[:, -1], self.weights.sum().expand(3), atol=1e-4, rtol=1e-4)

    def test_an_attribution_tells_its_class(self):
        map = whence.attribute(self.model, self.x, 0, "occlusion")
        self.assertEqual(whence.perturbation_curve(self.model, self.x, map).target.tolist(), [0, 0, 0])
        with self.assertRaisesRegex(whence.UsageError, "other classes"):
            whence.perturbation_curve(self.model, self.x, map, target=1)

    def test_errors(self):
        def of(values=self.parts, **more):
            return lambda: whence.perturbation_curve(self.model, self.x, values, **more)

        for sentence, call in {
            "'morf' or 'lerf'": of(order="most"),
            "must be above 0": of(share=2.0),
            r"not \(3, 1, 8, 7\)": of(self.parts[..., :7]),
            "NaN": of(self.parts * math.nan),
            "class 2": of(target=2),
            "did you mean|one of": of(replacement="blurr"),
            "not str": of("gradient"),
            "generator": of(replacement="generator"),
        }.items():
            with self.subTest(sentence), self.assertRaisesRegex(whence.UsageError, sentence):
                call()


class Evaluations(unittest.TestCase):
    def test_of_a_linear_model(self):
        model, weights = linear()
        x = models.images(6)
        found = whence.evaluate_attributions(model, x, 1, methods=["input_times_gradient", "gradient"], noise_draws=0,
                                             maps={"noise": torch.rand(6, 8, 8, generator=torch.Generator().manual_seed(1))})
        self.assertEqual(list(found.measures), ["input_times_gradient", "gradient", "noise"])
        exact = found.measures["input_times_gradient"]
        # What a set of pixels adds to the logit is what it falls by without them.
        torch.testing.assert_close(exact["sensitivity_n"].double(), torch.ones(6).double(), atol=1e-4, rtol=0)
        torch.testing.assert_close(exact["infidelity"].double(), torch.zeros(6).double(), atol=1e-4, rtol=0)
        self.assertNotIn("randomization", exact)  # the layers of a function are unknown
        curve = whence.perturbation_curve(model, x, x * weights, 1)
        torch.testing.assert_close(exact["morf"].double(), curve.area.double(), atol=1e-5, rtol=1e-5)
        self.assertEqual(found.believed, "input_times_gradient")
        self.assertIn("Believe input x gradient first", found.verdict)
        self.assertNotIn("**", found.verdict)
        self.assertIn("could not be measured", found.verdict)  # whether random weights change the maps
        self.assertEqual(dict(found)["noise"]["morf"]["mean"], found.measures["noise"]["morf"].double().mean().item())
        self.assertIn("noise", str(found))
        self.assertIn(found.verdict, str(found))
        self.assertEqual(found._repr_html_().count("<img"), 4 * 6)

    def test_maps_of_ones_own_are_measured_like_those_of_a_method(self):
        model, x = models.cnn(), models.images(4)
        map = whence.attribute(model, x, method="integrated_gradients")
        found = whence.evaluate_attributions(model, x, methods="integrated_gradients", maps={"mine": map}, noise_draws=1)
        own, theirs = found.measures["mine"], found.measures["integrated_gradients"]
        self.assertEqual(set(theirs) - set(own), {"max_sensitivity", "randomization"})
        for name, values in own.items():
            torch.testing.assert_close(values, theirs[name])
        self.assertIn("seconds_per_image", found["integrated_gradients"])
        self.assertNotIn("seconds_per_image", found["mine"])
        torch.testing.assert_close(found.maps["integrated_gradients"].values, map.values)

    def test_all_methods_that_a_model_allows(self):
        model, x = models.relu_cnn(), models.images(2)
        few = dict(subsets=5, noise_draws=1, rise_masks=10, shapley_sampling_samples=2, mask_perturbation_steps=2,
                   extremal_perturbation_steps=2)
        few = {name: value for name, value in few.items() if name in whence._whence.options["attribute"]}
        found = whence.evaluate_attributions(model, x, **few)
        self.assertIn("generator", found.skipped["path_mask"])
        self.assertIn("references", found.skipped["expected_gradients"])
        self.assertIn("lrp_epsilon", found.measures)
        self.assertIn("randomization", found.measures["gradient"])
        self.assertEqual(set(found.measures) | set(found.skipped), set(whence.methods))

    def test_the_table_of_measures(self):
        self.assertTrue(whence.measures["morf"]["larger_is_better"])
        self.assertFalse(whence.measures["lerf"]["larger_is_better"])
        self.assertIn("subsets = 40", whence.evaluate_attributions.__doc__)

    def test_errors(self):
        model, x = models.cnn(), models.images(3)

        def of(**more):
            return lambda: whence.evaluate_attributions(model, x, **{"methods": "gradient", **more})

        gradient = whence.attribute(model, x, 0, "gradient")
        for sentence, call in {
            "did you mean 'gradient'": of(methods=["gradiant"]),
            "two kinds of maps": of(maps={"gradient": torch.rand(3, 8, 8)}),
            "name of two kinds": of(methods=["gradient", "gradient"]),
            r"not \(2, 1, 8, 8\)": of(maps={"mine": torch.rand(2, 8, 8)}),
            "'mine' hold NaN": of(maps={"mine": torch.full((3, 8, 8), math.nan)}),
            "other classes": of(maps={"mine": gradient}, target=1),
            "class 3": of(target=3),
            "did you mean 'subsets'": of(subset=1),
            "maps or both": of(methods=[]),
            "needs a generator": of(methods=["path_mask"]),
        }.items():
            with self.subTest(sentence), self.assertRaisesRegex(whence.UsageError, sentence):
                call()

    def test_it_tells_and_can_be_stopped(self):
        seen = []

        def stop(stage, step, total):
            seen.append(stage)
            if "of gradient" in stage:
                raise StopIteration("enough")

        with self.assertRaisesRegex(StopIteration, "enough"):
            whence.evaluate_attributions(models.cnn(), models.images(3), methods="gradient", progress=stop)
        self.assertEqual(seen[0], "gradient")
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a process begun in the background ignores it
        timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))  # the GIL is free for it
        timer.start()
        with self.assertRaises(KeyboardInterrupt):
            whence.evaluate_attributions(models.cnn(), models.images(64), methods="gradient", subsets=100_000)


class Truth(unittest.TestCase):
    def test_a_method_that_finds_it(self):
        seen = []
        found = whence.attribution_truth(["input_times_gradient", "gradient"], 4, problems=["interaction"], seed=1,
                                         progress=lambda *step: seen.append(step))
        problem = found.problems["interaction"]
        self.assertEqual(problem["images"], 4)
        self.assertEqual(set(problem["methods"]), {"input_times_gradient", "gradient"})
        self.assertIn("edge filter", str(found))
        self.assertIn(found.summary, found._repr_html_())
        self.assertIn("known answer", found.summary)

    def test_errors(self):
        for sentence, call in {
            "images is 1": lambda: whence.attribution_truth("gradient", 1),
            "did you mean 'gradient'": lambda: whence.attribution_truth("gradiant"),
            "no problem": lambda: whence.attribution_truth("gradient", problems=["none"]),
            "no option": lambda: whence.attribution_truth("gradient", stops=1),
        }.items():
            with self.subTest(sentence), self.assertRaisesRegex(whence.UsageError, sentence):
                call()


def decoder(z):
    """Latents 0 and 1 are the light of the left and of the right half; each image is (1, 8, 8)."""
    light = torch.sigmoid(z)
    return light.repeat_interleave(4, 1).view(-1, 1, 1, 8).expand(-1, 1, 8, 8)


def encoder(x):
    light = torch.stack([x[..., :4].mean((1, 2, 3)), x[..., 4:].mean((1, 2, 3))], 1).clamp(1e-3, 1 - 1e-3)
    return torch.logit(light), torch.full_like(light, -6.0)


def left_is_lighter(x):
    score = 10 * (x[..., :4].mean((1, 2, 3)) - x[..., 4:].mean((1, 2, 3)))
    return torch.stack([-score, score], 1)


class Generators(unittest.TestCase):
    def setUp(self):
        self.known = decoder(torch.randn(200, 2, generator=torch.Generator().manual_seed(0))).contiguous()
        self.x = self.known[:3]

    def test_every_method_with_a_generator(self):
        needing = [name for name, facts in whence.methods.items() if facts["needs_generator"]]
        self.assertEqual(len(needing), 2)
        for name in needing:
            found = whence.attribute(left_is_lighter, self.x, method=name, generator=(encoder, decoder), known_images=self.known)
            self.assertEqual(found.values.shape[0], 3, name)
            self.assertTrue(found.values.isfinite().all(), name)
            # The classes that they would get anyway, and the same images as bytes.
            again = whence.attribute(left_is_lighter, self.x, method=name, generator=(encoder, decoder), known_images=self.known,
                                     known_labels=left_is_lighter(self.known).argmax(1))
            self.assertTrue(torch.equal(found.values, again.values), name)
            as_bytes = (self.known * 255).round().to(torch.uint8)
            first, second = (whence.attribute(left_is_lighter, self.x, method=name, generator=(encoder, decoder), known_images=known)
                             for known in (as_bytes, as_bytes.float() / 255))
            self.assertTrue(torch.equal(first.values, second.values), name)

    def test_morphs_have_options(self):
        def of(**more):
            return whence.attribute(left_is_lighter, self.x, method="path_integrated_gradients", generator=(encoder, decoder),
                                    known_images=self.known, **more).values

        self.assertTrue(torch.equal(of(), of(morph_method="anchored")))
        self.assertFalse(torch.equal(of(), of(morph_known=20)))
        self.assertIn("morph_method = ", whence.attribute.__doc__)

    def test_path_integrated_gradients_sum_to_the_difference(self):
        found = whence.attribute(left_is_lighter, self.x, method="path_integrated_gradients", generator=(encoder, decoder),
                                 known_images=self.known)
        self.assertLess(found.completeness_error.abs().max().item(), 0.05 * found.scores.abs().max().item())

    def test_without_images_draws_stand_for_them(self):
        found = whence.attribute(left_is_lighter, self.x, method="path_mask", generator=(encoder, decoder), seed=3)
        again = whence.attribute(left_is_lighter, self.x, method="path_mask", generator=(encoder, decoder), seed=3)
        self.assertTrue(torch.equal(found.values, again.values))

    def test_the_generator_fills_what_is_taken_out(self):
        curve = whence.perturbation_curve(left_is_lighter, self.x, torch.rand(3, 8, 8), replacement="generator",
                                          generator=(encoder, decoder))
        self.assertTrue(curve.scores.isfinite().all())
        found = whence.evaluate_attributions(left_is_lighter, self.x, methods="gradient", generator=(encoder, decoder), noise_draws=0)
        self.assertIn("departure", found.measures["gradient"])

    def test_errors(self):
        def of(**more):
            return lambda: whence.attribute(left_is_lighter, self.x, method="path_mask", **more)

        for sentence, call in {
            "needs a generator": of(),
            "not int": of(generator=3),
            "not list": of(generator=[encoder, decoder]),
            "give these, too": of(generator=(encoder, decoder), known_labels=[0]),
            "known_labels holds the class 2": of(generator=(encoder, decoder), known_images=self.known, known_labels=2),
            "one for each of the 200": of(generator=(encoder, decoder), known_images=self.known, known_labels=[0, 1]),
            "known_images hold NaN": of(generator=(encoder, decoder), known_images=self.known * math.nan),
            "images hold NaN": lambda: whence.attribute(left_is_lighter, self.x * math.nan),
        }.items():
            with self.subTest(sentence), self.assertRaisesRegex(whence.UsageError, sentence):
                call()


if __name__ == "__main__":
    unittest.main()
