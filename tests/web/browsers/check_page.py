#!/usr/bin/env python3
"""Checks whence's pages in headless browsers: check_page.py [REPORT] [--explore URL] [--browser chromium|firefox]... [--screenshots FOLDER]

REPORT is a run's report.html; URL is the address that `whence explore` prints. Needs Debian's chromium and chromium-driver, or firefox-esr, and nothing
beyond Python's standard library. Prints a line for each check. Exit code 0: all passed; 1: one failed; 77: no browser is there.
"""
import argparse
import pathlib
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import explore_checks  # noqa: E402
import part_checks  # noqa: E402
import report_checks  # noqa: E402
from browser import Failed, Missing  # noqa: E402
from chromium import Chromium  # noqa: E402
from firefox import Firefox  # noqa: E402

BROWSERS = {made.name: made for made in (Chromium, Firefox)}
SKIPPED = 77
INSTALL = "No browser is installed, so the pages are not checked (Debian: chromium and chromium-driver, or firefox-esr)."


def silent(browser, address):
    """Over everything that was done before: no message on the console, and no request beyond the page and what stands in it."""
    browser.listen()
    own = urllib.parse.urlsplit(address)
    if browser.problems:
        raise Failed(f"{len(browser.problems)} messages on the console: {browser.problems[0]}")
    asked = [each for each in dict.fromkeys(browser.requests) if not each.startswith(("data:", "blob:", "about:", "chrome:"))]
    for each in asked:
        parts = urllib.parse.urlsplit(each)
        if (parts.scheme, parts.netloc) != (own.scheme, own.netloc) or (own.scheme == "file" and parts.path != own.path):
            raise Failed(f"the page asked for {each}")
    return "no error, no warning" + (", no request" if own.scheme == "file" else f", {len(asked)} requests, all to {own.netloc}")


def check(browser, address, what, checks):
    """Each check begins with a fresh page. Returns how many failed."""
    failed = 0
    browser.navigate("about:blank")
    browser.listen()
    browser.problems.clear()
    browser.requests.clear()
    for name, run in [*checks.items(), ("console", lambda browser: silent(browser, address))]:
        try:
            if name != "console":
                opened(browser, address, what)
            found, word = run(browser), "right"
        except Failed as failure:
            found, word = failure, "WRONG"
            failed += 1
            browser.reset()
        print(f"{word} {browser.name} {what} {name}: {found}", flush=True)
    return failed


def opened(browser, address, what):
    browser.navigate("about:blank")  # a page with the same address and another fragment would not be loaded anew
    browser.navigate(address)
    if what == "explore":
        explore_checks.opened(browser)


def take_pictures(browser, address, what, folder, place):
    """The top of the page and the part `place` of it, light and dark, in a window and on a telephone."""
    folder.mkdir(parents=True, exist_ok=True)
    views = {"top": "scrollTo({top: 0, behavior: 'instant'});", "part": "document.querySelector(arguments[0])?.scrollIntoView({behavior: 'instant'});"}
    opened(browser, address, what)
    if what == "explore":
        explore_checks.chosen(browser)
    for width in (None, 360):
        browser.width(width)
        for mode, dark in {"light": False, "dark": True}.items():
            browser.dark(dark)
            for name, script in views.items():
                browser.script(script, place)
                file = folder / f"{what}-{browser.name}-{'narrow' if width else 'wide'}-{mode}-{name}.png"
                file.write_bytes(browser.screenshot())
    browser.width(None)
    browser.dark(False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", nargs="?", type=pathlib.Path, metavar="REPORT")
    parser.add_argument("--explore", metavar="URL")
    parser.add_argument("--browser", action="append", choices=BROWSERS)
    parser.add_argument("--screenshots", type=pathlib.Path, metavar="FOLDER")
    options = parser.parse_args()
    if not (options.report or options.explore):
        parser.error("name a report, or --explore and an address")
    if options.report and not options.report.is_file():
        parser.error(f"there is no file {options.report}")

    failed = used = 0
    for name in options.browser or BROWSERS:
        try:
            browser = BROWSERS[name]()
        except Missing as missing:
            print(f"left out {name}: {missing}")
            continue
        used += 1
        with browser:
            print(f"{name} {browser.version}", flush=True)
            if options.report:
                address = options.report.resolve().as_uri()
                browser.navigate(address)
                live = browser.script('return document.querySelector("[data-live=live-try]") !== null;')
                failed += check(browser, address, "report", report_checks.ANY | (report_checks.LIVE | part_checks.PARTS if live else report_checks.STILL))
                if options.screenshots:
                    take_pictures(browser, address, "report", options.screenshots, "[data-live]")
            if options.explore:
                failed += check(browser, options.explore, "explore", explore_checks.CHECKS)
                if options.screenshots:
                    take_pictures(browser, options.explore, "explore", options.screenshots, "#detail")
    if used == 0:
        print(INSTALL)
        return SKIPPED
    print(f"{failed} checks failed" if failed else "all checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
