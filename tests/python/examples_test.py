"""The scripts of examples/ run as they are."""
import os
import pathlib
import subprocess
import sys
import unittest


class Examples(unittest.TestCase):
    def test_all_run(self):
        scripts = sorted(pathlib.Path(os.environ["WHENCE_EXAMPLES"]).glob("*.py"))
        self.assertEqual(len(scripts), 3)
        for script in scripts:
            with self.subTest(script.name):
                done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=200)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertTrue(done.stdout.strip())


if __name__ == "__main__":
    unittest.main()
