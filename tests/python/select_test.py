"""The choice of K, L and lambda."""
import os
import signal
import threading
import unittest

import torch

import whence
from explain_test import Sides, bars

SMALL = dict(width=4, steps=8, samples=(5, 5), latents=[2, 3], seed=1)


class Select(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.images, cls.labels = bars(120)

    def of(self, **more):
        return whence.select(Sides(), self.images, self.labels, **{**SMALL, **more})

    def test_it_follows_the_rule(self):
        seen = []
        found = self.of(distance=1, plateau=1, patience=1, progress=lambda *step: seen.append(step[0]))
        self.assertTrue(found.complete)
        self.assertEqual([trial["noncausal"] for trial in found.trials[:2]], [2, 3])
        self.assertEqual([trial["causal"] for trial in found.trials[:2]], [0, 0])
        self.assertIsNone(found.trials[0]["effect"])
        self.assertTrue(any(trial["pilot"] for trial in found.trials))
        self.assertEqual(found.chosen["causal"] + found.chosen["noncausal"], 2)  # 3 latents are no gain of a whole
        reference = next(trial for trial in found.trials if trial["reference"])
        self.assertAlmostEqual(found.limit, 2 * (reference["sse"] + reference["kl"]), places=5)
        self.assertIn("2 latents, no causal term: generator", seen)
        self.assertIn("chosen", str(found))
        self.assertIn("<table>", found._repr_html_())
        self.assertTrue(whence.explain(Sides(), self.images, self.labels, width=4, steps=2, **found.chosen))

    def test_a_seed_is_all_that_counts(self):
        def bounds(**more):
            return [(trial["sse"], trial["kl"], trial["effect"]) for trial in self.of(distance=1, plateau=1, **more).trials]

        torch.manual_seed(1)
        before = torch.random.get_rng_state()
        first = bounds()
        self.assertTrue(torch.equal(torch.random.get_rng_state(), before))
        self.assertEqual(first, bounds())
        self.assertNotEqual(first, bounds(seed=2))

    def test_the_budget_ends_it(self):
        found = self.of(budget=1e-9, distance=1)
        self.assertFalse(found.complete)
        self.assertIsNone(found.chosen)
        self.assertEqual(len(found.trials), 1)

    def test_it_can_be_stopped(self):
        def stop(stage, step, total):
            raise StopIteration("enough")

        with self.assertRaisesRegex(StopIteration, "enough"):
            self.of(progress=stop)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a process begun in the background ignores it
        timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))  # the GIL is free for it
        timer.start()
        with self.assertRaises(KeyboardInterrupt):
            self.of(steps=1_000_000)

    def test_errors(self):
        for sentence, more in {
            "must rise": dict(latents=[3, 2]),
            "did you mean 'distance'": dict(distances=1),
            "did you mean 'batch'": dict(training={"batchs": 1}),
            "leave it out of training": dict(training={"lambda_": 1}),
            "answer_weight is above 0": dict(training={"answer_weight": 1.0}),
            "budget is -1": dict(budget=-1),
            "did you mean 'cvae'": dict(architecture="cvea"),
            "at least 4|from 4": dict(steps=3),
        }.items():
            with self.subTest(sentence), self.assertRaisesRegex(whence.UsageError, sentence):
                self.of(**more)
        self.assertIn("patience", whence.select.__doc__)


if __name__ == "__main__":
    unittest.main()
