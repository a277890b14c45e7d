#!/usr/bin/env python3
"""Shows that each check of check_page.py can fail: broken_pages.py REPORT [--browser chromium|firefox]...

Breaks a copy of REPORT, a run's report.html, in one way after another. The check of that part must find it, for that reason. Exit codes as check_page.py.
"""
import argparse
import http.server
import pathlib
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import check_page  # noqa: E402
import part_checks  # noqa: E402
import report_checks  # noqa: E402
from browser import Failed, Missing  # noqa: E402

SCRIPT, STYLE = "</body>", "</style>"  # what is put before these stands at the page's end, or after its styles


def script(text):
    return SCRIPT, f"<script>{text}</script>{SCRIPT}"


def style(text):
    return STYLE, f"{text}{STYLE}"


# (check, how the page is broken, (what is replaced, by what), what the check must say)
BREAKS = [
    ("console", "an error", script('throw new Error("broken on purpose")'), "broken on purpose"),
    ("console", "a rejection", script('Promise.reject(new Error("broken on purpose"))'), "broken on purpose"),
    ("console", "a warning", script('console.warn("broken on purpose")'), "broken on purpose"),
    ("console", "a request", script('new Image().src = "http://ELSEWHERE/"'), "the page asked for http://127.0.0.1"),
    ("console", "a message sent", script('navigator.sendBeacon("http://ELSEWHERE/", "data")'), "the page asked for http://127.0.0.1"),
    ("self-check", "another result", ("largest = Math.max(largest, Math.abs(stored[i] - image[i]))", "largest = 0.5"), "does not compute"),
    ("self-check", "no result", ('{class: right ? "checked"', '{class: right ? "unseen"'), "does not say whether"),
    ("bars", "tracks of several lengths", (".live .answer-row { display: contents; }", ".live .answer-row { display: flex; }"), "px long"),
    ("bars", "bars of a wrong length", ("`${100 * p}%`", "`${50 * p}%`"), "of its track"),
    ("drag", "sliders that do nothing", ("oninput: () =>", "onnothing: () =>"), "the number beside it"),
    ("drag", "an image that stays", ("paint(after, image, shape);", ""), "leaves the decoded image as it is"),
    ("drag", "probabilities that stay", ("bars[i].value.textContent =", "void"), "no probability"),
    ("drag", "two sliders that move together", ("code[i] = value; show();", "code.fill(value); show();"), "changes other sliders"),
    ("keyboard", "a page that takes the Home key", script('onkeydown = event => { if (event.key === "Home") event.preventDefault(); }'), "Home leads to"),
    ("keyboard", "a button out of Tab's way", ('"aria-label": `play ${factor.name}`', 'tabindex: -1, "aria-label": `play ${factor.name}`'), "Tab reaches"),
    ("keyboard", "a focus that nobody sees", style(".live :focus-visible { outline: none !important }"), "does not show it"),
    ("keyboard", "a focus that hardly anybody sees", style(".live :focus-visible { outline-color: var(--line) !important }"), "mark of the focus"),
    ("narrow window", "a part that is too wide", style(".live .bench { min-width: 600px }"), "scrolls sideways"),
    ("narrow window", "a button outside", style("main { overflow: hidden } .live .tools { margin-left: 300px; flex-wrap: nowrap }"), "stand outside"),
    ("light and dark", "faint text", (" --quiet: #a0a8b1;", " --quiet: #555c66;"), "dark: <"),
    ("light and dark", "no dark page", ("(prefers-color-scheme: dark)", "(prefers-color-scheme: none)"), "background is light"),
    ("colour-blind", "two classes that look alike", script('document.querySelectorAll(".bar")[1].style.background = "#1A7AAE"'), "class 0 and class 1"),
    ("colour-blind", "alpha and beta alike", style(".live .factor.causal .name { color: var(--text) }"), "alpha and beta"),
    ("colour-blind", "red and green", style(":root { --good: #6d6d00; --bad: #aa4400 }"), "good and bad"),
    ("screen reader", "sliders with one name", ('"aria-label": factor.name, oninput', '"aria-label": "factor", oninput'), "have one name"),
    ("screen reader", "a canvas without a name", ('role: "img", "aria-label": label', 'role: "img"'), "has no name for <canvas"),
    ("screen reader", "an image without alt text", ('" alt="', '" data-alt="'), "has no name for <img"),
    ("screen reader", "an answer that is not announced", ('"aria-live": "polite"', '"data-live-region": "polite"'), "no polite region"),
    ("link", "a link that is not read", ("/^#try=", "/^#other="), "the link restores"),
    ("link", "a link that an open page ignores", ('addEventListener("hashchange", follow);', ""), "another link to the open page"),
    ("plane", "a plane that ignores clicks", ("choose([[across", "void ([[across"), "a click in the plane"),
    ("plane", "a plane that stays empty", ("function draw() {", "function draw() { return;"), "the plane is drawn"),
    ("plane", "a plane that stays with its first image", ("const redraw = () => { if (!place.hidden)", "const redraw = () => { if (!drawing)"), "follows"),
    ("play", "a button that does not move", ("onclick: () => toggle(i)", "onclick: () => {}"), "the button moves the factor"),
    ("play", "a button that does not stop", ("if (playing) cancelAnimationFrame(playing.frame);", ""), "moves on after the second press"),
    ("play", "a state that is not said", ('play.setAttribute("aria-pressed", moves);', "play.title;"), "is not told"),
    ("smallest change", "sliders that stay", ("found.move.forEach((d, k) => { onto[k] += d; });", ""), "the sliders [] moved"),
    ("smallest change", "words about another class", ("makes it ${run.classes[found.to]}", "makes it ${run.classes[(found.to + 1) % run.classes.length]}"), "it says"),
    ("maps", "maps that are not drawn", ("paintMap(map, Float32Array", "void (map, Float32Array"), "show 1 maps"),
    ("maps", "an opacity that does nothing", ("oninput: () => { map.style.opacity = opacity.value; }", "oninput: () => {}"), "the map fades"),
    ("modules", "other channels", ("donor.subarray(channel * size, (channel + 1) * size)", "donor.subarray(0, size)"), "does not make the hybrids"),
    ("modules", "buttons that do nothing", ("if (!taken.delete(i)) taken.add(i);", ""), "the hybrid is not the first image"),
]


class Silent(http.server.BaseHTTPRequestHandler):
    """Answers every request with nothing, so that only the request itself is wrong."""

    def do_GET(self):
        self.send_response(204)
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_):
        pass


def prove(browser, report, folder, elsewhere):
    """Returns how many breaks were not found."""
    page, checks = report.read_text(), report_checks.ANY | report_checks.LIVE | part_checks.PARTS
    file = folder / "report.html"
    address, missed = file.as_uri(), 0
    browser.patience = 3  # what is broken does not get right by waiting
    for check, how, (old, new), expected in BREAKS:
        if old not in page:
            print(f"WRONG {browser.name} {check}: {how}: the page does not have {old!r}")
            missed += 1
            continue
        new = new.replace("ELSEWHERE", elsewhere)
        file.write_text(page[::-1].replace(old[::-1], new[::-1], 1)[::-1] if old == SCRIPT else page.replace(old, new))
        browser.navigate("about:blank")
        browser.problems.clear()
        browser.requests.clear()
        try:
            browser.navigate(address)
            found = check_page.silent(browser, address) if check == "console" else checks[check](browser)
            said, right = f"was not found ({found})", False
        except Failed as failure:
            said, right = str(failure), expected in str(failure)
            browser.reset()
        print(f"{'right' if right else 'WRONG'} {browser.name} {check}: {how}: {said}", flush=True)
        missed += not right
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=pathlib.Path, metavar="REPORT")
    parser.add_argument("--browser", action="append", choices=check_page.BROWSERS)
    options = parser.parse_args()
    missed = used = 0
    for name in options.browser or check_page.BROWSERS:
        try:
            browser = check_page.BROWSERS[name]()
        except Missing as missing:
            print(f"left out {name}: {missing}")
            continue
        used += 1
        with browser, tempfile.TemporaryDirectory() as folder, http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            missed += prove(browser, options.report, pathlib.Path(folder), f"127.0.0.1:{server.server_port}")
            server.shutdown()
    if used == 0:
        print(check_page.INSTALL)
        return check_page.SKIPPED
    print(f"{missed} breaks were not found" if missed else f"all {len(BREAKS)} breaks were found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
