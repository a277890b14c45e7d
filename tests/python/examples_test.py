"""What people see first runs as it is: the scripts of examples/, its notebook, the five lines of the README, and the functions' page."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
#: Training takes minutes with the default schedule; here the first steps of it do.
SHORT = """
import whence
long = whence.explain
whence.explain = lambda *arguments, **options: long(*arguments, **{{**options, **{options}}})
"""
#: What the reader of docs/python.md has at hand, small.
YOURS = """
import torch
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(392, 4))
train_images = torch.rand(60, 1, 16, 16)
images, values = train_images[:4], torch.rand(4, 16, 16)
encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(256, 6))
e = long(model, train_images, torch.arange(60) % 4, causal=1, noncausal=2, width=4, steps=5)
e.save("runs/gce/fmnist-034")
pair = torch.nn.Sequential(torch.nn.Linear(3, 256), torch.nn.Sigmoid(), torch.nn.Unflatten(1, (1, 16, 16)))
frozen = torch.nn.Sequential(torch.nn.Linear(128, 256), torch.nn.Sigmoid(), torch.nn.Unflatten(1, (1, 16, 16)))
factors, codes = torch.randn(2, 128), torch.randn(2, 128)
causes = whence.causes
whence.causes = lambda *arguments, **options: causes(*arguments, **{**options, "map_steps": 5, "map_draws": 500, "flow_samples": (9, 9)})
"""


def run(test, code, cwd, timeout=280):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=timeout, cwd=cwd, check=False)
    test.assertEqual(done.returncode, 0, done.stderr)
    return done.stdout


class Examples(unittest.TestCase):
    def test_scripts(self):
        scripts = sorted((ROOT / "examples").glob("*.py"))
        self.assertEqual(len(scripts), 3)
        for script in scripts:
            with self.subTest(script.name), tempfile.TemporaryDirectory() as place:
                self.assertTrue(run(self, script.read_text(), place).strip())

    def test_notebook(self):
        files = list((ROOT / "examples").glob("*.ipynb"))
        self.assertEqual(len(files), 1)
        self.assertLess(files[0].stat().st_size, 300_000)
        cells = json.loads(files[0].read_text())["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        for cell in cells:
            for output in cell.get("outputs", []):
                self.assertNotEqual(output["output_type"], "error")
        self.assertTrue(all(cell["execution_count"] for cell in cells if cell["cell_type"] == "code"))
        if not pathlib.Path("/usr/share/datasets/fashion-mnist").is_dir():
            self.skipTest("Fashion-MNIST is not installed (Debian: dataset-fashion-mnist)")
        with tempfile.TemporaryDirectory() as place:
            run(self, SHORT.format(options={"steps": 20, "width": 4}) + "\n\n".join(code), place)

    def test_the_readme(self):
        text = (ROOT / "README.md").read_text()
        lines = next(block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "whence.explain" in block)
        self.assertLessEqual(len(lines.strip().splitlines()), 5)
        yours = ("import torch\ntorch.manual_seed(0)\nmodel = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(256, 2))\n"
                 "images, labels = torch.rand(60, 1, 16, 16), torch.arange(60) % 2\n")
        with tempfile.TemporaryDirectory() as place:
            out = run(self, yours + SHORT.format(options={"steps": 5, "width": 4}) + lines, place)
            self.assertIn("alpha", out)
            self.assertTrue((pathlib.Path(place) / "run" / "report.html").is_file())

    def test_the_page_of_functions(self):
        text = (ROOT / "docs" / "python.md").read_text()
        blocks = re.findall(r"```python\n(.*?)```", text[text.index("\n## Functions"):], re.DOTALL)
        self.assertEqual(len(blocks), 4)
        code = SHORT.format(options={}) + YOURS
        for block in blocks:
            code += f"decoder = {'frozen' if 'causes' in block else 'pair'}\n{block}"
        with tempfile.TemporaryDirectory() as place:
            out = run(self, code, place)
            self.assertIn("integrated_gradients", out)
            self.assertIn("nats in alpha", out)


if __name__ == "__main__":
    unittest.main()
