"""Encoders for generators of one's own, where the best code is known."""
import unittest

import torch

import whence


class Bright(torch.nn.Module):
    """An image of 8 x 8 whose two halves have a brightness each: 0.5 + 0.15 z."""

    def forward(self, z):
        halves = (0.5 + 0.15 * z).view(-1, 1, 1, 2, 1).expand(-1, 1, 8, 2, 4)
        return halves.reshape(-1, 1, 8, 8)


def images(count=256):
    codes = torch.randn(count, 2, generator=torch.Generator().manual_seed(1)).clamp(-2.5, 2.5)
    return codes, Bright()(codes)


class TrainEncoder(unittest.TestCase):
    def test_codes_come_back(self):
        codes, x = images()
        for decoder in (Bright(), lambda z: Bright()(z)):  # with layers, and as a function
            encoder = whence.train_encoder(decoder, x, 2, width=8, steps=400, kl_weight=0.01, learning_rate=5e-3)
            self.assertEqual(encoder.latents, 2)
            mean = encoder.encode(x)[0]
            self.assertLess((mean - codes).square().mean().sqrt().item(), 0.3)
            torch.testing.assert_close(Bright()(mean), x, atol=0.15, rtol=0)

    def test_a_seed_gives_the_same_bits(self):
        _, x = images(64)
        one, same, other = (whence.train_encoder(Bright(), x, 2, width=8, steps=5, seed=seed).encode(x)[0] for seed in (1, 1, 2))
        self.assertTrue(torch.equal(one, same))
        self.assertFalse(torch.equal(one, other))

    def test_what_is_wrong_is_named(self):
        _, x = images(16)
        with self.assertRaisesRegex(whence.Error, "1x8x8, but the encoder takes 1x16x16"):
            whence.train_encoder(Bright(), torch.rand(4, 1, 16, 16), 2, steps=5)
        with self.assertRaisesRegex(whence.UsageError, "there is no architecture 'dcgn'; did you mean|there is no architecture 'dcgn'"):
            whence.train_encoder(Bright(), x, 2, architecture="dcgn", steps=5)
        with self.assertRaisesRegex(whence.UsageError, "steps is 0"):
            whence.train_encoder(Bright(), x, 2, steps=0)
        with self.assertRaisesRegex(whence.UsageError, "latents"):
            whence.train_encoder(Bright(), x)


if __name__ == "__main__":
    unittest.main()
