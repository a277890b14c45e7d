"""scripts/results and scripts/compare-peer, run as a person runs them."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE, DATA = ROOT / "docs/results.md", ROOT / "docs/results.json"


def script(name, *arguments, cwd=ROOT):
    command = [sys.executable, ROOT / "scripts" / name, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def metrics(accuracy, flow, betas, counterfactual=None):
    """metrics.json of a run with one alpha; `counterfactual`: whether it is an object of its own, as new runs have it."""
    factors = [{"name": "alpha_1", "causal": True, "nats": flow, "se": 0.01}]
    factors += [{"name": f"beta_{i}", "causal": False, "nats": beta, "se": 0.01} for i, beta in enumerate(betas, 1)]
    made = {
        "classifier": {"test_accuracy": accuracy, "train_seconds": 90},
        "gce": {
            "information_flow": {"alpha": {"nats": flow, "se": 0.01}, "beta": {"nats": -0.001, "se": 0.01}, "factors": factors},
            "test": {"sse": 15.5, "kl": 7.25},
            "ablation": {"original": accuracy, "reencoded": 0.9, "replaced": {"alpha_1": 0.5, "beta_1": 0.89, "beta_2": 0.88}},
            "train_seconds": 120,
        },
    }
    found = {"flip_rate": 0.75}
    made.update(counterfactual=found) if counterfactual else made["gce"].update(counterfactual=found)
    return made


def write_run(folder, seed, of):
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(of))
    facts = {"seed": seed, "updated": "2026-12-01T10:00:00Z", "precision": {"chosen": "float32"},
             "machine": {"processor": "A processor", "cores": 4}}
    (folder / "run.json").write_text(json.dumps(facts))
    return folder


class Results(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def runs(self):
        runs = self.folder / "runs/gce/some"
        return [write_run(runs / "seed-0", 0, metrics(0.97, 0.5, [0.003, -0.001])),
                write_run(runs / "seed-1", 1, metrics(0.99, 0.7, [0.001, 0.002], counterfactual=True)),
                write_run(runs / "seed-2", 2, metrics(0.95, 0.6, [0.004, 0.0]))]

    def data(self, *names):
        file = self.folder / "data.json"
        experiment = {"id": "gce/some", "title": "Some", "text": "a text", "recipe": "recipes/gce/some.toml", "set": ["a.b=1"],
                      "seeds": [7], "commit": "0000000", "date": "2026-01-01", "machine": "old",
                      "metrics": [{"name": name, "measured": [0.1]} for name in names]}
        experiment["metrics"][0].update(stated="99 % (a text)", reference=0.985)
        file.write_text(json.dumps({"about": "a test", "experiments": [experiment]}))
        return file

    def test_the_page_has_the_table_of_the_data_file(self):
        done = script("results", "--check", PAGE, DATA)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_page_with_another_table_is_found_and_written_anew(self):
        page = self.folder / "page.md"
        page.write_text(re.sub(r"\d\.\d\d\d nats", "9.999 nats", PAGE.read_text(), count=1))
        done = script("results", "--check", page, DATA)
        self.assertEqual(done.returncode, 1)
        self.assertIn("scripts/results --write", done.stderr)
        self.assertEqual(script("results", "--write", page, DATA).returncode, 0)
        self.assertEqual(page.read_text(), PAGE.read_text())

    def test_every_recipe_and_picture_of_the_page_exists(self):
        for target in re.findall(r"\]\((?!http)([^)#]+)", PAGE.read_text()):
            self.assertTrue((PAGE.parent / target).exists(), target)

    def test_a_table_of_run_folders(self):
        table = script("results", *self.runs()).stdout
        self.assertIn("| accuracy of the classifier | 97.00 % (95.00 to 99.00) | 3 of 3 |", table)
        self.assertIn("| I(alpha; Y) | 0.600 nats (0.500 to 0.700) | 3 of 3 |", table)
        self.assertIn("| largest I(beta_i; Y) | 0.0030 nats (0.0020 to 0.0040) | 3 of 3 |", table)
        self.assertIn("| share of the flow in the betas | 0.00 % (0.00 to 0.00) | 3 of 3 |", table)
        self.assertIn("| SSE + KL | 22.75 (22.75 to 22.75) | 3 of 3 |", table)
        self.assertIn("| accuracy, one beta replaced (smallest) | 88.0 % (88.0 to 88.0) | 3 of 3 |", table)
        self.assertIn("| counterfactuals found | 75.0 % (75.0 to 75.0) | 3 of 3 |", table)
        self.assertIn("| training of the explanation | 2.0 min (2.0 to 2.0) | 3 of 3 |", table)
        self.assertNotIn("brightness", table)  # none of them measured it

    def test_runs_update_the_data_file(self):
        file = self.data("accuracy", "flow")
        done = script("results", "--update", file, *self.runs())
        self.assertEqual(done.returncode, 0, done.stderr)
        experiment = json.loads(file.read_text())["experiments"][0]
        self.assertEqual(experiment["metrics"], [
            {"name": "accuracy", "measured": [0.97, 0.95, 0.99], "stated": "99 % (a text)", "reference": 0.985},
            {"name": "flow", "measured": [0.6, 0.5, 0.7]}])
        self.assertEqual((experiment["seeds"], experiment["machine"], experiment["date"]),
                         ([0, 1, 2], "A processor, 4 cores, float32", "2026-12-01"))
        row = script("results", file).stdout.splitlines()[2]
        self.assertEqual(row, "| Some | accuracy of the classifier | 99 % (a text) | 98.50 % | 97.00 % (95.00 to 99.00) | 3 | "
                              f"[some](../recipes/gce/some.toml), `a.b=1` | {experiment['commit']} |")

    def test_what_a_run_lacks_is_an_error(self):
        done = script("results", "--update", self.data("brightness"), *self.runs())
        self.assertEqual(done.returncode, 1)
        self.assertIn("3 of 3 runs have not measured 'brightness'", done.stderr)
        stranger = write_run(self.folder / "runs/gce/other", 0, metrics(1, 1, [0]))
        done = script("results", "--update", self.data("flow"), stranger)
        self.assertIn("no experiment 'gce/other'", done.stderr)
        done = script("results", self.folder / "nothing")
        self.assertIn("does not exist", done.stderr)


# Stands in for the program: exports a decoder whose flow is 0.5, and answers for each decoder with its own flow.
PROGRAM = """#!{python}
import json, pathlib, sys
arguments = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(json.dumps(arguments) + chr(10))
if arguments[0] == "export":
    folder = pathlib.Path(arguments[arguments.index("--out") + 1])
    (folder / "classifier.pt").write_text("")
    (folder / "decoder.pt").write_text("0.5")
else:
    nats = float(pathlib.Path(arguments[arguments.index("--decoder") + 1]).read_text())
    flow = {{"nats": nats, "se": 0.25}}
    factor = lambda name, causal, share: {{"name": name, "causal": causal, "nats": nats * share, "se": 0.125}}
    print(json.dumps({{"alpha": flow, "beta": flow,
                       "factors": [factor("alpha_1", True, 1), factor("beta_1", False, 0.01), factor("beta_2", False, 0.02)]}}))
"""


class ComparePeer(unittest.TestCase):
    def test_both_generators_are_measured_by_the_same_command(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "recipe.toml").write_text("[explanation]\ncausal = 1\nnoncausal = 2\n")
            peer = folder / "peer.pt"
            peer.write_text("0.75")
            program = folder / "whence"
            program.write_text(PROGRAM.format(python=sys.executable, log=str(folder / "log")))
            program.chmod(0o755)
            done = script("compare-peer", folder, peer, "--whence", program)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout.splitlines()[2:], ["| I(alpha; Y) | 0.500 (0.250) | 0.750 (0.250) |",
                                                            "| I(beta; Y) | 0.5000 (0.2500) | 0.7500 (0.2500) |",
                                                            "| largest I(beta_i; Y) | 0.0100 (0.1250) | 0.0150 (0.1250) |"])
            calls = [json.loads(line) for line in (folder / "log").read_text().splitlines()]
            flows = [call for call in calls if call[0] == "flow"]
            self.assertEqual(len(flows), 2)
            where = flows[0].index("--decoder") + 1
            self.assertEqual(flows[0][:where] + flows[0][where + 1:], flows[1][:where] + flows[1][where + 1:])
            self.assertEqual(flows[0][flows[0].index("--latents") + 1], "3")
            done = script("compare-peer", folder, folder / "none.pt", "--whence", program)
            self.assertEqual(done.returncode, 1)
            self.assertIn("a TorchScript decoder of 3 latents", done.stderr)


if __name__ == "__main__":
    unittest.main()
