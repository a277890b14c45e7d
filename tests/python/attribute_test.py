"""Attribution in Python: against autograd's formulas, with every kind of model, and with errors of all sorts."""
import os
import signal
import tempfile
import threading
import time
import unittest

import torch

import models
import whence


def gradient(model, x, target):
    x = x.clone().requires_grad_()
    score = model(x).gather(1, target.unsqueeze(1)).sum()
    return torch.autograd.grad(score, x)[0]


class Formulas(unittest.TestCase):
    def setUp(self):
        self.model, self.x = models.cnn(), models.images()
        self.target = self.model(self.x).argmax(1).detach()

    def test_gradient(self):
        found = whence.attribute(self.model, self.x, method="gradient")
        torch.testing.assert_close(found.values, gradient(self.model, self.x, self.target))
        torch.testing.assert_close(found.scores, self.model(self.x).detach().amax(1))
        self.assertTrue(torch.equal(found.target, self.target))

    def test_input_times_gradient_of_a_class(self):
        target = torch.tensor([0, 1, 2, 0, 1])
        found = whence.attribute(self.model, self.x, target, "input_times_gradient")
        torch.testing.assert_close(found.values, self.x * gradient(self.model, self.x, target))

    def test_integrated_gradients(self):
        baseline = torch.full_like(self.x[0], 0.3)
        steps = 400  # a mean of midpoints, which Gauss and Legendre's points reach with fewer
        mean = sum(gradient(self.model, baseline + (i + 0.5) / steps * (self.x - baseline), self.target)
                   for i in range(steps)) / steps
        found = whence.attribute(self.model, self.x, baselines=baseline, n_steps=40)
        torch.testing.assert_close(found.values, (self.x - baseline) * mean, rtol=1e-3, atol=1e-5)
        self.assertLess(found.completeness_error.abs().max().item(), 1e-4)

    def test_an_option_may_leave_out_its_method(self):
        for method in ("smooth_grad", "var_grad"):  # which share their options
            short = whence.attribute(self.model, self.x, method=method, n_samples=3, noise=0.1)
            full = whence.attribute(self.model, self.x, method=method, smooth_grad_samples=3, smooth_grad_noise=0.1)
            torch.testing.assert_close(short.values, full.values)

    def test_a_level_and_an_image_are_the_same_baseline(self):
        by_level = whence.attribute(self.model, self.x, baselines=0.3)
        by_image = whence.attribute(self.model, self.x, baselines=torch.full((1, 8, 8), 0.3))
        torch.testing.assert_close(by_level.values, by_image.values)

    def test_probabilities(self):
        def p(x):
            return self.model(x).softmax(1)

        found = whence.attribute(p, self.x, method="gradient", score="probability")
        torch.testing.assert_close(found.values, gradient(p, self.x, self.target), rtol=1e-3, atol=1e-6)


class Models(unittest.TestCase):
    def test_every_method_that_needs_no_layers_takes_a_function(self):
        model, x = models.cnn(), models.images(3)
        for name, facts in whence.methods.items():
            if facts["needs_layers"]:
                with self.assertRaisesRegex(whence.Error, "layers"):
                    whence.attribute(lambda x: model(x), x, method=name)
            elif facts["needs_generator"]:
                with self.assertRaisesRegex(whence.UsageError, "needs a generator"):
                    whence.attribute(lambda x: model(x), x, method=name)
            else:
                few = {"rise_masks": 10} if name == "rise" else {}
                found = whence.attribute(lambda x: model(x), x, method=name, references=models.images(8, seed=5), **few)
                self.assertEqual(found.values.shape[0], 3, name)

    def test_layers_of_a_module_are_found(self):
        model, x = models.relu_cnn(), models.images(3)
        # In networks of ReLUs without a bias on the way, LRP-epsilon is input x gradient (Ancona et al. 2018).
        for part in model:
            if hasattr(part, "bias"):
                part.bias.data.zero_()
        target = model(x).argmax(1)
        found = whence.attribute(model, x, target, method="lrp-epsilon", lrp_epsilon_size=1e-9)
        torch.testing.assert_close(found.values, x * gradient(model, x, target), rtol=1e-3, atol=1e-5)

    def test_a_file_is_the_module(self):
        model, x = models.relu_cnn(), models.images(3)
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "model.pt")
            torch.jit.save(torch.jit.trace(model, x), file)
            by_file = whence.attribute(file, x, method="gradient")
        torch.testing.assert_close(by_file.values, whence.attribute(model, x, method="gradient").values)

    def test_a_module_in_training_is_run_as_if_it_were_not_and_left_so(self):
        model = torch.nn.Sequential(torch.nn.Dropout(0.5), models.relu_cnn())
        model.train()
        model[1].eval()
        x = models.images(3)
        found = whence.attribute(model, x, method="gradient")
        self.assertTrue(model.training and model[0].training)
        self.assertFalse(model[1].training)
        torch.testing.assert_close(found.values, whence.attribute(model[1], x, method="gradient").values)
        self.assertTrue(all(p.grad is None for p in model.parameters()))

    def test_a_role_is_made_once(self):
        model, x = models.relu_cnn(), models.images(3)
        known = whence.classifier(model, x, layers=True)
        self.assertEqual(known.classes, 3)
        self.assertGreater(len(known.layers), 3)
        torch.testing.assert_close(known.logits(x), model(x).detach())
        self.assertIsNone(whence.classifier(model, x).layers)


class Errors(unittest.TestCase):
    def test_names_have_suggestions(self):
        model, x = models.cnn(), models.images(2)
        with self.assertRaisesRegex(whence.UsageError, "did you mean 'integrated_gradients'"):
            whence.attribute(model, x, method="integrated_gradient")
        with self.assertRaisesRegex(whence.UsageError, "did you mean 'smooth_grad_samples'"):
            whence.attribute(model, x, method="smooth_grad", smooth_grad_sample=3)
        with self.assertRaisesRegex(ValueError, "from 1 to"):
            whence.attribute(model, x, n_steps=0)
        with self.assertRaisesRegex(whence.UsageError, "class 7 is asked about"):
            whence.attribute(model, x, target=7)
        with self.assertRaisesRegex(whence.UsageError, "target must be one class"):
            whence.attribute(model, x, target=[0, 1, 2])
        with self.assertRaisesRegex(whence.UsageError, r"shape \(N, channels"):
            whence.attribute(model, torch.rand(3, 8))
        with self.assertRaisesRegex(whence.UsageError, "not int"):
            whence.attribute(3, x)

    def test_exceptions_of_the_model_arrive_as_themselves(self):
        class Own(Exception):
            pass

        calls = []

        def broken(x):
            calls.append(len(x))
            if len(calls) > 4:
                raise Own("as it is")
            return models.cnn()(x)

        with self.assertRaisesRegex(Own, "as it is"):
            whence.attribute(broken, models.images(3), method="gradient")
        with self.assertRaisesRegex(RuntimeError, "Given groups=1"):  # PyTorch's own
            whence.attribute(models.cnn(channels=3), models.images(2))

    def test_a_model_that_is_no_function_of_an_image(self):
        x = models.images(4)
        with self.assertRaisesRegex(whence.Error, "asked again"):
            whence.attribute(lambda x: torch.rand(len(x), 3), x)
        with self.assertRaisesRegex(whence.Error, "alone"):
            whence.attribute(lambda x: (x - x.mean(0)).flatten(1)[:, :3], x)
        with self.assertRaisesRegex(whence.Error, "NaN"):
            whence.attribute(lambda x: x.flatten(1)[:, :3] / 0, x)
        with self.assertRaisesRegex(whence.Error, "return a tensor"):
            whence.attribute(lambda x: "no tensor", x)


class LongCalls(unittest.TestCase):
    def test_ctrl_c_stops_the_work(self):
        model, x = models.cnn(), models.images(64)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a process begun in the background ignores it
        timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))  # the GIL is free for it
        timer.start()
        begun = time.monotonic()
        with self.assertRaises(KeyboardInterrupt):
            whence.attribute(model, x, n_steps=100_000)
        self.assertLess(time.monotonic() - begun, 60)

    def test_progress_is_told_and_may_stop(self):
        seen = []
        whence.attribute(models.cnn(), models.images(5), method="gradient", batch=2, progress=lambda *step: seen.append(step))
        self.assertEqual([step[1:] for step in seen], [(2, 5), (4, 5), (5, 5)])

        def stop(stage, step, total):
            raise StopIteration("enough")

        with self.assertRaises(StopIteration):
            whence.attribute(models.cnn(), models.images(5), method="gradient", progress=stop)


class Shown(unittest.TestCase):
    def test_in_a_notebook(self):
        found = whence.attribute(models.cnn(channels=3), models.images(2, channels=3), method="gradient")
        self.assertEqual(found._repr_html_().count("<img"), 4)
        self.assertIn("values=tensor(2, 3, 8, 8)", repr(found))

    def test_help_has_the_options(self):
        self.assertIn("integrated_gradients_steps = 32", whence.attribute.__doc__)
        self.assertIn("total_variation", whence.visualize.__doc__)
        self.assertNotIn("judge_file", whence.visualize.__doc__)


if __name__ == "__main__":
    unittest.main()
