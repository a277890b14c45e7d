#!/usr/bin/env python3
"""The pages of a small run in the browsers that are installed: browsers_test.py PROGRAM, which is whence. Exit code 77: no browser, or no Fashion-MNIST."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import check_page  # noqa: E402
from browser import Missing  # noqa: E402


def installed(browser):
    try:
        return bool(browser.programs())
    except Missing:
        return False


def main(program):
    # Before the run is made, which takes longer than anything else here.
    if not any(map(installed, check_page.BROWSERS.values())):
        print(check_page.INSTALL)
        return check_page.SKIPPED
    known = subprocess.run([program, "data", "list"], capture_output=True, text=True, check=True).stdout
    if any(line.split()[:3] == ["fashion-mnist", "not", "found"] for line in known.splitlines()):
        print("Fashion-MNIST is not installed, so the pages are not checked (Debian: dataset-fashion-mnist)")
        return check_page.SKIPPED

    with tempfile.TemporaryDirectory(prefix="whence-pages-") as folder:
        run = pathlib.Path(folder, "run")
        subprocess.run([program, "run", HERE / "small.toml", "--out", run], check=True)
        with subprocess.Popen([program, "explore", run, "--threads", "1"], stdout=subprocess.PIPE, text=True) as explorer:
            try:
                address = explorer.stdout.readline().strip()
                return subprocess.run([sys.executable, HERE / "check_page.py", run / "report.html", "--explore", address], check=False).returncode
            finally:
                explorer.send_signal(signal.SIGINT)  # as Ctrl-C ends it


if __name__ == "__main__":
    os.environ["OMP_WAIT_POLICY"] = "passive"  # other tests run beside it
    sys.exit(main(sys.argv[1]))
