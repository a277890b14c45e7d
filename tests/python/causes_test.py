"""Causes in a frozen generator whose causes are known; trust and ablation of an explanation whose factors are known."""
import math
import pathlib
import tempfile
import unittest

import torch

import whence

LATENTS = 4


def decoder(z):
    """Pixel i of the image (1, 1, 4) shows latent i: x = (z + 4) / 8."""
    return ((z + 4) / 8).view(-1, 1, 1, LATENTS)


def encoder(x):
    mean = 8 * x.flatten(1) - 4
    return mean, torch.full_like(mean, -4.0)


def along(direction, slope=40.0):
    """Class 1 where the latents lie on one side of a plane."""
    direction = torch.tensor(direction) / torch.tensor(direction).norm()

    def classify(x):
        score = slope * ((8 * x.flatten(1) - 4) * direction).sum(1)
        return torch.stack([torch.zeros_like(score), score], 1)

    return classify


class Causes(unittest.TestCase):
    def test_a_direction(self):
        direction = [0.6, 0.0, -0.8, 0.0]
        found = whence.causes(decoder, along(direction), latents=LATENTS, map_steps=0)
        unit = torch.eye(LATENTS)
        column = found.map.codes(unit)[0]  # latents of alpha = 1
        torch.testing.assert_close(column * column[0].sign(), torch.tensor(direction), atol=1e-3, rtol=0)
        self.assertAlmostEqual(found.flow.alpha, math.log(2), delta=0.05)
        self.assertLess(found.beta_share, 0.03)
        self.assertEqual((found.kept, found.bent, found.causal, found.latents), ("directions", None, 1, LATENTS))
        self.assertEqual(found.names, ["alpha_1", "beta_1", "beta_2", "beta_3"])
        self.assertEqual(found.record["flow"]["alpha"]["nats"], found.flow.alpha)
        # The map keeps lengths, and its inverse is its inverse.
        factors = torch.randn(50, LATENTS, generator=torch.Generator().manual_seed(1))
        codes = found.map.codes(factors)
        torch.testing.assert_close(codes.norm(dim=1), factors.norm(dim=1))
        torch.testing.assert_close(found.map.factors(codes), factors, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(found.decoder.decode(factors), decoder(codes))
        self.assertEqual(found._repr_html_().count("<img"), 3 * 7)

    def test_a_bent_map_keeps_the_prior(self):
        def classify(x):  # the sign of a product: no straight direction tells it
            z = 8 * x.flatten(1) - 4
            score = 40 * z[:, 0] * z[:, 1]
            return torch.stack([torch.zeros_like(score), score], 1)

        found = whence.causes(decoder, classify, latents=LATENTS, causal=1, map_steps=150, map_draws=4000, flow_samples=(40, 40))
        self.assertIsNotNone(found.bent)
        factors = torch.randn(4000, LATENTS, generator=torch.Generator().manual_seed(2))
        codes = found.map.codes(factors)
        torch.testing.assert_close(codes.T.cov(), torch.eye(LATENTS), atol=0.1, rtol=0)
        torch.testing.assert_close(found.map.factors(codes), factors, atol=1e-4, rtol=1e-3)

    def test_a_module_keeps_its_layers_and_is_saved(self):
        torch.manual_seed(0)
        module = torch.nn.Sequential(torch.nn.Linear(LATENTS, 16), torch.nn.Sigmoid(), torch.nn.Unflatten(1, (1, 4, 4)))
        judge = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 3))
        found = whence.causes(module, judge, causal=2, latents=LATENTS, map_steps=0, flow_samples=(20, 20))
        factors = torch.randn(5, LATENTS)
        torch.testing.assert_close(found.decoder.decode(factors), module(found.map.codes(factors)).detach(), atol=1e-5, rtol=1e-4)
        sweep = found.sweep(factors[0])
        self.assertEqual(sweep.images.shape, (2, 7, 1, 4, 4))
        moved = factors[0].clone()
        moved[1] += 3
        torch.testing.assert_close(sweep.images[1, -1], found.decoder.decode(moved.unsqueeze(0))[0])
        with tempfile.TemporaryDirectory() as place:
            folder = found.save(pathlib.Path(place) / "causes")
            self.assertTrue((folder / "causes.safetensors").is_file())
            again = torch.jit.load(str(folder / "causes.pt"))
            torch.testing.assert_close(again(factors), found.decoder.decode(factors), atol=1e-5, rtol=1e-4)
        self.assertIsNone(module[0].weight.grad)

    def test_errors(self):
        classify = along([1.0, 0.0, 0.0, 0.0])

        def of(*more, **options):
            return lambda: whence.causes(decoder, classify, *more, **{"latents": LATENTS, **options})

        for sentence, call in {
            "causal is 5, but must be from 1 to 4": of(5),
            "causal is 0": of(0),
            "give latents": of(latents=None),
            "did you mean 'map_steps'": of(map_step=1),
            "from 2 to": of(gradients=1),
        }.items():
            with self.subTest(sentence), self.assertRaisesRegex(whence.UsageError, sentence):
                call()
        with self.assertRaisesRegex(whence.UsageError, "gradients"):
            whence.causes(lambda z: decoder(z.detach()), classify, latents=LATENTS)
        found = whence.causes(decoder, classify, latents=LATENTS, map_steps=0, flow_samples=(5, 5))
        with self.assertRaisesRegex(whence.UsageError, r"shape \(N, 4\)"):
            found.map.codes(torch.rand(3, 5))
        with self.assertRaisesRegex(whence.UsageError, "4 factors"):
            found.sweep(torch.rand(3))

    def test_it_can_be_stopped(self):
        seen = []

        def stop(stage, step, total):
            seen.append(stage)
            if stage == "latent map":
                raise StopIteration("enough")

        with self.assertRaisesRegex(StopIteration, "enough"):
            whence.causes(decoder, along([1.0, 0.0, 0.0, 0.0]), latents=LATENTS, map_draws=2000, flow_samples=(5, 5), progress=stop)
        self.assertIn("answers", seen)


class Trust(unittest.TestCase):
    def setUp(self):
        codes = torch.randn(300, LATENTS, generator=torch.Generator().manual_seed(0)).clamp(-3.9, 3.9)
        self.images = decoder(codes).contiguous()
        self.classify = along([0.0, 0.0, 1.0, 0.0], slope=400.0)
        self.labels = self.classify((self.images * 255).round() / 255).argmax(1)

    def test_all_checks(self):
        found = whence.trust(encoder, decoder, self.classify, self.images, [2], latents=LATENTS, other=(encoder, [2]))
        self.assertLess(found.leak[0], 0.02)
        self.assertEqual((found.reencoding, found.images), ((1.0, 0.0), 300))
        self.assertIsNone(found.passed)
        self.assertIn("layers", found.left_out)
        self.assertAlmostEqual(found.seeds["alpha"][0]["correlation"], 1, places=6)
        self.assertEqual(len(found.seeds["beta"]), LATENTS - 1)
        self.assertIn("randomized classifiers", str(found))
        self.assertIn("<table>", found._repr_html_())

    def test_the_leak_is_the_share_of_the_betas(self):
        flow = whence.flow(decoder, self.classify, [0], latents=LATENTS, samples=(30, 30))
        found = whence.trust(encoder, decoder, self.classify, self.images, [0], latents=LATENTS, flow=flow)
        self.assertAlmostEqual(found.leak[0], max(flow.beta, 0) / (max(flow.alpha, 0) + max(flow.beta, 0)), places=12)

    def test_randomized_classifiers_of_a_module(self):
        torch.manual_seed(1)
        module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(LATENTS, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
        with torch.no_grad():  # only latent 2 is heard
            module[1].weight.mul_(torch.tensor([0.0, 0.0, 60.0, 0.0]))
            module[1].bias.mul_(0).sub_(module[1].weight[:, 2] / 2)
        found = whence.trust(encoder, decoder, module, self.images, [2], latents=LATENTS, randomized=2)
        self.assertGreater(found.alpha_share[0], 0.95)
        self.assertTrue(found.passed)
        self.assertEqual(len(found.record["randomization"]["randomized"]), 2)
        self.assertIn("left out", str(whence.trust(encoder, decoder, module, self.images, [2], latents=LATENTS, randomized=0)))

    def test_ablation(self):
        found = whence.ablate(encoder, decoder, self.classify, self.images, self.labels, latents=LATENTS)
        self.assertEqual((found.original, found.reencoded, found.samples), (1.0, 1.0, 300))
        self.assertAlmostEqual(found.replaced["latent 2"], 0.5, delta=0.1)
        for other in (0, 1, 3):
            self.assertEqual(found.replaced[f"latent {other}"], 1.0)
        self.assertEqual(whence.ablate(encoder, decoder, self.classify, self.images, self.labels, latents=LATENTS, count=40).samples, 40)
        self.assertIn("latent 2 replaced", str(found))

    def test_errors(self):
        def trust(**more):
            return lambda: whence.trust(encoder, decoder, self.classify, **{"images": self.images, "causal": [2], **more})

        def ablate(labels, images=self.images, **more):
            return lambda: whence.ablate(encoder, decoder, self.classify, images, labels, **more)

        for sentence, call in {
            "causal is": trust(causal=[4]),
            r"\[0, 1\]": trust(images=self.images * 3),
            r"\[0, 1\].*": trust(images=self.images * math.nan),
            "randomized is -1": trust(randomized=-1),
            "explanation or": trust(other=3),
            "3 images or more": trust(images=self.images[:2], other=(encoder, 1)),
            "class 2": ablate(self.labels + 1),
            "one for each of the 300": ablate(self.labels[:7]),
            "names has 1": ablate(self.labels, names=["one"]),
            "count is -1": ablate(self.labels, count=-1),
            "1 or more": ablate(self.labels, self.images[:0]),
        }.items():
            with self.subTest(sentence), self.assertRaisesRegex(whence.UsageError, sentence):
                call()


if __name__ == "__main__":
    unittest.main()
