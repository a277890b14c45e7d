"""The module and the program on the same models and images: the same numbers."""
import json
import os
import pathlib
import struct
import subprocess
import tempfile
import unittest

import torch

import whence
from explain_test import OPTIONS, bars

PROGRAM = os.environ.get("WHENCE_PROGRAM")
TYPES = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64, "BOOL": torch.bool, "U8": torch.uint8}


def tensors_of(file):
    """What a .safetensors file holds."""
    content = pathlib.Path(file).read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return {name: torch.frombuffer(bytearray(content[8 + length + place["data_offsets"][0]:8 + length + place["data_offsets"][1]]),
                                   dtype=TYPES[place["dtype"]]).view(place["shape"])
            for name, place in json.loads(content[8:8 + length]).items() if name != "__metadata__"}


@unittest.skipUnless(PROGRAM, "WHENCE_PROGRAM does not name the program")
class Program(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.manual_seed(0)
        cls.images, cls.labels = bars(300)
        cls.model = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(3 * 14 * 14, 2))
        optimizer = torch.optim.Adam(cls.model.parameters(), 1e-2)
        for _ in range(60):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(cls.model(cls.images), cls.labels).backward()
            optimizer.step()
        cls.model.requires_grad_(False)
        cls.e = whence.explain(cls.model, cls.images, cls.labels, **{**OPTIONS, "steps": 150})
        cls.place = tempfile.TemporaryDirectory()
        cls.run_folder = cls.e.save(os.path.join(cls.place.name, "run"))
        cls.saved = whence.load(cls.run_folder)  # of which the program reads the same files

    @classmethod
    def tearDownClass(cls):
        cls.place.cleanup()

    def told(self, verb, *arguments, folder=None):
        done = subprocess.run([PROGRAM, verb, *([folder or self.run_folder] if folder != "" else []), *map(str, arguments), "--json"],
                              capture_output=True, text=True, check=False, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def assert_near(self, found, expected, path="", tolerance=1e-4):
        """The same tree of numbers, but for rounding; times aside."""
        if isinstance(expected, dict):
            self.assertEqual(set(found), set(expected), path)
            for name, value in expected.items():
                if not name.startswith("seconds"):
                    self.assert_near(found[name], value, f"{path}/{name}", tolerance)
        elif isinstance(expected, list):
            self.assertEqual(len(found), len(expected), path)
            for i, (a, b) in enumerate(zip(found, expected)):
                self.assert_near(a, b, f"{path}/{i}", tolerance)
        elif isinstance(expected, float):
            self.assertAlmostEqual(found, expected, delta=tolerance * max(1, abs(expected)), msg=path)
        else:
            self.assertEqual(found, expected, path)

    def test_attributions_and_their_measures(self):
        methods = ["integrated_gradients", "occlusion", "lrp_epsilon", "path_mask", "path_integrated_gradients"]
        folder = os.path.join(self.place.name, "maps")
        told = self.told("attribute", "--images", "0,1,2,3", "--out", folder, *[part for name in methods for part in ("--method", name)])
        rows = tensors_of(os.path.join(folder, "attributions.safetensors"))
        x = self.saved.images[:4]
        torch.testing.assert_close(rows["images"], x)
        found = whence.evaluate_attributions(self.saved.classifier, x, methods=methods, generator=self.saved)
        self.assertTrue(torch.equal(found.target, rows["target"]))
        for name in methods:
            scale = rows[name].abs().max().item()
            torch.testing.assert_close(found.maps[name].values, rows[name], atol=1e-3 * scale, rtol=1e-3, msg=name)
            alone = whence.attribute(self.saved.classifier, x, method=name, generator=self.saved)
            torch.testing.assert_close(alone.values, rows[name], atol=1e-3 * scale, rtol=1e-3, msg=name)
        told.pop("images")
        self.assertEqual(found.record["verdict"], told["verdict"])
        self.assert_near(found.record, told, tolerance=1e-3)
        by_method = self.saved.attribute(x)
        torch.testing.assert_close(by_method.values, found.maps["path_mask"].values)

    def test_truth(self):
        told = self.told("attribute", "--truth", "--count", 3, "--method", "gradient", "--method", "occlusion", folder="")
        told["problems"] = {name: problem for name, problem in told["problems"].items() if "grid" not in name}
        found = whence.attribution_truth(["gradient", "occlusion"], 3, problems=list(told["problems"]))
        self.assert_near(found.problems, told["problems"], tolerance=1e-3)

    def test_causes(self):
        folder = pathlib.Path(self.place.name) / "causes"
        options = dict(map_steps=60, map_draws=2000, flow_samples=(40, 30))
        told = self.told("causes", "--causal", 1, "--map-steps", 60, "--map-draws", 2000, "--flow-samples", "40x30", "--out", folder)
        found = whence.causes(self.saved.decoder, self.saved.classifier, **options)
        self.assert_near(found.record, told)
        own = tensors_of(found.save(pathlib.Path(self.place.name) / "own") / "causes.safetensors")
        for name, values in tensors_of(folder / "causes.safetensors").items():
            torch.testing.assert_close(own[name], values, atol=1e-4, rtol=1e-4, msg=name)

    def test_trust(self):
        told = self.told("trust", "--randomized", 2, "--with", self.run_folder)
        found = self.saved.trust(randomized=2, other=self.saved)
        self.assert_near(found.record, told)
        self.assertEqual(found.passed, told["randomization"]["passed"])

    def test_ablation(self):
        told = self.told("ablate")
        found = self.saved.ablate()
        self.assert_near({"original": found.original, "reencoded": found.reencoded, "replaced": found.replaced,
                          "samples": found.samples}, told)

    def test_flow(self):
        told = self.told("flow", "--samples", "40x30")
        found = whence.flow(self.saved.decoder, self.saved.classifier, 1, samples=(40, 30))
        self.assertAlmostEqual(found.alpha, told["alpha"]["nats"], places=5)
        self.assertAlmostEqual(found.beta, told["beta"]["nats"], places=5)

    def test_modules(self):
        told = self.told("modules", "--pairs", 32, "--rank", 2, "--largest-rank", 2, "--divisions", 2, "--measured-pairs", 16,
                         "--flow-samples", "10x10", "--both-ways")
        found = self.saved.modules(pairs=32, rank=2, largest_rank=2, divisions=2, measured_pairs=16, flow_samples=(10, 10), both_ways=True)
        self.assertEqual(set(found.record), set(told))
        self.assertEqual([module["channels"] for module in found.record["modules"]],
                         [module["channels"] for module in told["modules"]])
        self.assertAlmostEqual(found.record["relative_error"], told["relative_error"], places=3)

    def test_selection(self):
        made = whence.explain(self.model, self.images, self.labels, **{**OPTIONS, "steps": 5}, batch=16)
        recipe = made.save(os.path.join(self.place.name, "recipe"))
        for rule, more in (("relative", ["--first-lambda", 0.5, "--lambda-step", 0.5]), ("standard-error", [])):
            out = os.path.join(self.place.name, f"selection-{rule}")
            told = self.told("select", "--rule", rule, "--latents", "2,3", "--steps", 12, "--samples", "10x10", "--distance", 1,
                             "--plateau", 1, "--out", out, *more, *(["--fresh"] if rule == "relative" else []), folder=recipe)
            options = dict(first_lambda=0.5, lambda_step=0.5) if more else {}
            found = whence.select(self.model, self.images, self.labels, rule=rule, latents=[2, 3], steps=12, samples=(10, 10), distance=1,
                                  plateau=1, warm_start=rule != "relative", width=OPTIONS["width"], training={"batch": 16}, **options)
            self.assertEqual(found.reasons, told["reasons"])
            for own, theirs in zip(found.trials, told["trials"], strict=True):
                theirs.pop("folder")
                theirs["lambda_"] = theirs.pop("lambda")
                theirs.setdefault("effect", None)
                theirs.setdefault("effect_se", None)
                self.assert_near(own, theirs, tolerance=1e-3)
            told["chosen"]["lambda_"] = told["chosen"].pop("lambda")
            self.assertEqual(found.chosen, told["chosen"])


if __name__ == "__main__":
    unittest.main()
