"""The module that was installed: what it needs, and that it comes whole."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

import whence

FOLDER = pathlib.Path(whence.__file__).parent


class Installed(unittest.TestCase):
    def test_a_fresh_process_finds_every_symbol(self):
        # Symbols are otherwise looked for when they are first used.
        done = subprocess.run([sys.executable, "-c", "import whence; print(len(whence.methods))"], capture_output=True, text=True,
                              env={**os.environ, "LD_BIND_NOW": "1"}, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(int(done.stdout), len(whence.methods))

    @unittest.skipUnless(shutil.which("readelf"), "binutils are not installed")
    def test_no_library_beyond_pytorchs_and_zlib(self):
        (extension,) = FOLDER.glob("_whence*.so")
        told = subprocess.run(["readelf", "-d", extension], capture_output=True, text=True, check=True).stdout
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", told)
        usual = r"lib(torch|torch_cpu|torch_python|c10|gomp|z|stdc\+\+|m|gcc_s|c|dl|pthread|rt)\.so.*|lib(torch_cuda|c10_cuda)\.so|ld-linux.*"
        self.assertEqual([name for name in needed if not re.fullmatch(usual, name)], [])
        for name in re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", told):
            if "site-packages" in str(extension):  # not of a build folder
                self.assertTrue(all(part.startswith("$ORIGIN") for part in name.split(":")), name)

    def test_types_and_names(self):
        self.assertTrue((FOLDER / "py.typed").is_file())
        stub = (FOLDER / "_whence.pyi").read_text()
        for name in dir(whence._whence):
            if not name.startswith("_"):
                self.assertRegex(stub, rf"\b(def|class) {name}\b|\n{name}: ", name)
        for name in whence.__all__:
            self.assertTrue(getattr(whence, name).__doc__ or name == "methods", name)


if __name__ == "__main__":
    unittest.main()
