"""Flow, counterfactuals and visualizations of models whose answers are known."""
import math
import unittest

import torch

import models
import whence

LATENTS = 3


def decoder(z):
    """Pixel i of the image (1, 1, 3) shows latent i: x = (z + 4) / 8."""
    return ((z + 4) / 8).view(-1, 1, 1, 3)


def by_latent(index, slope=800.0):
    """Class 1 where a latent is above 0."""

    def classify(x):
        score = slope * (8 * x.flatten(1)[:, index] - 4)
        return torch.stack([torch.zeros_like(score), score], 1)

    return classify


class Flow(unittest.TestCase):
    def test_one_latent_decides(self):
        for decisive in range(LATENTS):
            found = whence.flow(decoder, by_latent(decisive), causal=[decisive], latents=LATENTS, samples=(100, 50))
            self.assertAlmostEqual(found.alpha, math.log(2), delta=0.03)
            self.assertLess(found.beta, 0.02)
            self.assertEqual([factor[0] for factor in found.factors],
                             [decisive] + [i for i in range(LATENTS) if i != decisive])
            self.assertTrue(found.factors[0][1])
            self.assertAlmostEqual(found.factors[0][2], found.alpha, places=6)
        self.assertIn("latent 2 (causal)", found._repr_html_())

    def test_seeds_and_errors(self):
        def of(**more):
            return whence.flow(decoder, by_latent(0, slope=1.0), causal=1, latents=LATENTS, samples=(20, 20), **more)

        self.assertEqual(of(seed=3).alpha, of(seed=3).alpha)
        self.assertNotEqual(of(seed=3).alpha, of(seed=4).alpha)
        with self.assertRaisesRegex(whence.UsageError, "did you mean 'sampling'"):
            of(samplng="crossed")
        with self.assertRaisesRegex(whence.UsageError, "latents"):
            whence.flow(decoder, by_latent(0), causal=1)
        with self.assertRaisesRegex(whence.UsageError, "causal is"):
            whence.flow(decoder, by_latent(0), causal=[3], latents=LATENTS)


class Counterfactuals(unittest.TestCase):
    def test_the_move_goes_to_the_border(self):
        codes = torch.tensor([[0.5, 1.0, -1.0], [-1.5, 0.0, 2.0]])
        for index in range(LATENTS):
            found = whence.counterfactual(None, decoder, by_latent(index), codes, causal=[index])
            torch.testing.assert_close(found.distance, codes[:, index].abs(), atol=2e-3, rtol=0)
            others = [i for i in range(LATENTS) if i != index]
            torch.testing.assert_close(found.codes[:, others], codes[:, others])
            self.assertTrue(found.found.all())
            self.assertTrue((found.from_class != found.to_class).all())

    def test_errors(self):
        def of(codes=torch.zeros(2, LATENTS), **more):
            return lambda: whence.counterfactual(None, decoder, by_latent(0), codes, causal=1, **more)

        for sentence, call in {
            r"codes \(N, latents\)": of(torch.zeros(LATENTS)),
            "codes hold NaN": of(torch.full((2, LATENTS), math.nan)),
            "no class 7": of(to=7),
            "causal is": lambda: whence.counterfactual(None, decoder, by_latent(0), torch.zeros(2, LATENTS), causal=[9]),
        }.items():
            with self.subTest(sentence), self.assertRaisesRegex(whence.UsageError, sentence):
                call()

    def test_images_go_through_the_encoder(self):
        def encoder(x):
            mean = 8 * x.flatten(1) - 4
            return mean, torch.full_like(mean, -4.0)

        x = decoder(torch.tensor([[0.5, 1.0, -1.0]]))
        found = whence.counterfactual(encoder, decoder, by_latent(0), x, causal=1, latents=LATENTS, to=0)
        self.assertAlmostEqual(found.distance.item(), 0.5, delta=2e-3)
        self.assertEqual(found._repr_html_().count("<img"), 2)


class Visualizations(unittest.TestCase):
    def test_a_linear_models_optimum(self):
        weights = torch.linspace(-1, 2, 20).view(1, 4, 5)

        def linear(x):
            logit = (x * weights).flatten(1).sum(1)
            return torch.stack([torch.zeros_like(logit), logit], 1)

        found = whence.visualize(linear, units=1, shape=(1, 4, 5), regularized=False, steps=300)
        torch.testing.assert_close(found.images[0, 0], (weights > 0).float(), atol=1e-4, rtol=0)

    def test_channels_of_a_module(self):
        model, data = models.relu_cnn(), models.images(30)
        layer = whence.classifier(model, data, layers=True).layers[1]

        def of():
            return whence.visualize(model, "channel", layer=layer, units=[0, 2], data=data, steps=20, jitter=1)

        found = of()
        self.assertEqual(found.images.shape, (2, 1, 1, 8, 8))
        self.assertEqual(found.distance.shape, (2, 1))
        with torch.no_grad():
            channel = model[0](found.images[:, 0]).mean((2, 3))
        torch.testing.assert_close(found.responses[:, 0], torch.stack([channel[0, 0], channel[1, 2]]), atol=1e-5, rtol=1e-4)
        self.assertTrue(torch.equal(found.images, of().images))
        self.assertEqual(found._repr_html_().count("<img"), 2)

    def test_errors(self):
        with self.assertRaisesRegex(whence.Error, "layers"):
            whence.visualize(lambda x: models.cnn()(x), "channel", layer="conv", data=models.images())
        with self.assertRaisesRegex(whence.UsageError, "needs a generator"):
            whence.visualize(models.cnn(), data=models.images(), parametrization="prior")
        with self.assertRaisesRegex(whence.UsageError, "did you mean 'jitter'"):
            whence.visualize(models.cnn(), data=models.images(), jiter=1)
        with self.assertRaisesRegex(whence.UsageError, "did you mean 'channel'"):
            whence.visualize(models.cnn(), "chanel", data=models.images())


if __name__ == "__main__":
    unittest.main()
