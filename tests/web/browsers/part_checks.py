"""Checks of what a report answers beside its sliders: the smallest change, maps over their images, modules that are swapped."""
from browser import Failed
from report_checks import NOW, button, state

# What stands in the first part of one kind: its words and the pixels of its canvases.
PART = """
    const part = [...document.querySelectorAll("[data-live]")].find(e => JSON.parse(document.getElementById(e.dataset.live).textContent).widget === arguments[0]);
    const canvases = part && [...part.querySelectorAll(".images canvas")].map(e => e.toDataURL());
    const said = part && (part.querySelector(".said")?.textContent ?? "");"""


def has(browser, widget):
    return browser.script(PART + " return part !== undefined;", widget)


def part(browser, widget):
    return browser.script(PART + " return {canvases, said};", widget)


def inside(browser, widget, selector):
    return browser.script(PART + " return [...part.querySelectorAll(arguments[1])];", widget, selector)


def smallest_change(browser):
    """The answer changes to the one that is said, the causal sliders alone move, and the way back is open."""
    first = state(browser)
    causal = browser.script('return [...document.querySelectorAll("[data-live=live-try] .factor")].map(e => e.classList.contains("causal"));')
    if not any(causal) or not first["answers"]:
        return "none: no factor is causal, or no classifier is in the page"
    browser.click(button(browser, "Smallest change"))
    # The sliders move for a while after the words.
    still = """
        const watch = window.whenceMoves ??= {last: "", frames: 0, look() { ++watch.frames; requestAnimationFrame(watch.look); }, since: 0};
        if (!watch.frames) watch.look();
        const values = JSON.stringify(now.values);
        if (values !== watch.last) { watch.last = values; watch.since = watch.frames; }
        return /smallest change|leads to/.test(now.note) && watch.frames > watch.since + 40 && now;"""
    found = browser.wait(NOW + still, of="the search ends")
    if "No move" in found["note"]:
        return found["note"]
    moved = [i for i, (a, b) in enumerate(zip(first["values"], found["values"])) if a != b]
    if not moved or not all(causal[i] for i in moved):
        raise Failed(f"the sliders {moved} moved")
    answer = found["said"].rsplit(": ", 1)[1]
    if found["said"] == first["said"]:
        raise Failed(f"the classifier says {answer} as before")
    if f"makes it {answer}:" not in found["note"]:
        raise Failed(f"it says {found['note']!r}, and the classifier {answer}")
    browser.click(button(browser, "Back to the image"))
    browser.wait(NOW + "return JSON.stringify(now.values) === JSON.stringify(arguments[0]);", first["values"], of="Back to the image")
    return found["note"]


def maps(browser):
    """Method, image and opacity change what is seen, and what is said of it."""
    if not has(browser, "maps"):
        return "none: the run has no attribution"
    seen, words = set(), set()
    select, = inside(browser, "maps", "select")
    count = browser.script("return arguments[0].options.length;", select)
    for method in range(count):
        browser.script("arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'));", select, str(method))
        now = part(browser, "maps")
        seen.add(now["canvases"][-1])
        words.add(now["said"])
    if len(words) < count or count > 1 and len(seen) < 2:
        raise Failed(f"{count} methods show {len(seen)} maps and say {len(words)} sentences")
    before = part(browser, "maps")
    browser.click(inside(browser, "maps", ".thumbnails button")[-1])
    if part(browser, "maps")["canvases"][0] == before["canvases"][0]:
        raise Failed("another image leaves the picture as it is")
    slider, = inside(browser, "maps", "input[type=range]")
    browser.script("arguments[0].focus();", slider)
    browser.press("Home")
    browser.wait("return getComputedStyle(arguments[0]).opacity === '0';", inside(browser, "maps", ".over canvas")[1], of="the map fades")
    return f"{count} methods over {len(inside(browser, 'maps', '.thumbnails button'))} images"


def swaps(browser):
    """No module gives the first image, all of them change it, and the page checks itself against a hybrid of whence."""
    if not has(browser, "swap"):
        return "none: the run has no modules"
    line, wrong = browser.script(PART + """
        const line = part.querySelector(".checked");
        return [line?.textContent ?? "", line?.classList.contains("wrong") ?? true];""", "swap")
    if wrong:
        raise Failed(f"it says: {line}")
    pressed = [each for each in inside(browser, "swap", ".modules button[aria-pressed=true]")]
    for each in pressed:
        browser.click(each)
    first, hybrid, second = part(browser, "swap")["canvases"]
    if hybrid != first:
        raise Failed("without modules the hybrid is not the first image")
    if first == second:
        raise Failed("both images are the same")
    modules = inside(browser, "swap", ".modules button")
    for each in modules:
        browser.click(each)
    changed = part(browser, "swap")["canvases"]
    if changed[0] != first or changed[1] == first:
        raise Failed("the modules of the second image change nothing")
    browser.click(inside(browser, "swap", ".thumbnails button")[1])
    if part(browser, "swap")["canvases"][0] == first:
        raise Failed("another first image leaves the picture as it is")
    return f"{len(modules)} modules; {line}"


PARTS = {"smallest change": smallest_change, "maps": maps, "modules": swaps}
