#!/usr/bin/env python3
"""page.py REPORT: how long the page of a run takes for one image, decoded and classified, in headless Chromium: with WebAssembly and in plain
JavaScript, the first 40 after loading, and 40 when the browser has compiled what runs often. Median and range of each, and the size of the page."""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/web/browsers"))
from browser import Missing  # noqa: E402
from chromium import Chromium  # noqa: E402

WARM_UP, COUNT = 150, 40

# `count` times, in milliseconds; networks of their own for each way, so that neither warms up the other.
TIMES = """
    const [plain, count] = arguments;
    window.whenceTimed ??= {};
    const made = window.whenceTimed[plain] ??= (() => {
      const {run} = WhenceLive.networks("live-try"), bytes = WhenceParts.bytesOf(run.weights);
      const module = plain ? null : WhenceNetwork.compile(WhenceParts.bytesOf(run.kernel));
      return {decode: WhenceNetwork.build(run.decoder, bytes, module), code: Float32Array.from(run.samples[0].code),
              classify: run.classifier && WhenceNetwork.build(run.classifier, bytes, module)};
    })();
    const times = [];
    for (let i = 0; i < count; ++i) {
      const begun = performance.now();
      const [image] = made.decode(made.code);
      if (made.classify) made.classify(image);
      times.push(performance.now() - begun);
    }
    return times;"""


def summary(times):
    times = sorted(times)
    return f"{times[len(times) // 2]:.1f} ms ({times[0]:.1f} to {times[-1]:.1f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=pathlib.Path, metavar="REPORT")
    options = parser.parse_args()
    print(f"{options.report}: {options.report.stat().st_size / 1e6:.2f} MB")
    try:
        browser = Chromium()
    except Missing as missing:
        sys.exit(str(missing))
    with browser:
        browser.navigate(options.report.resolve().as_uri())
        for way, plain in {"WebAssembly": False, "JavaScript": True}.items():
            first = browser.script(TIMES, plain, COUNT)
            browser.script(TIMES, plain, WARM_UP)
            warm = browser.script(TIMES, plain, COUNT)
            print(f"Chromium {browser.version} {way}: first {COUNT} {summary(first)}, then {summary(warm)}", flush=True)


if __name__ == "__main__":
    main()
