"""Checks of the page that `whence explore RUN` serves."""
from browser import Failed
from page_checks import labels, modes, narrow, tab_through

TILES = '[...document.querySelectorAll("#grid .tile")]'


def opened(browser):
    """The page asks the program for its images: it is there when they are."""
    count = browser.wait(f"return {TILES}.length;", of="the grid of test images")
    return f"{count} test images"


def uncut(browser):
    """Under each image its answer and confidence can be read whole."""
    cut = browser.script("""
        return [...document.querySelectorAll("#grid .tile span")].filter(e => e.scrollWidth > e.clientWidth + 1
            || e.getBoundingClientRect().bottom > e.parentElement.getBoundingClientRect().bottom).map(e => e.textContent);""")
    if cut:
        raise Failed(f"{len(cut)} texts under images are cut off, the first {cut[0]!r}")
    return "the texts under the images are whole"


def focused(browser, index, of):
    browser.wait(f"return {TILES}.indexOf(document.activeElement) === arguments[0];", index, of=of)


def grid(browser):
    """Tab enters the grid, the arrow keys move in it, Enter chooses."""
    controls = f"""
        return [...document.querySelectorAll("a[href], button, input, select")].filter(e => e.checkVisibility() && !e.disabled && e.tabIndex >= 0);"""
    reached = tab_through(browser, None, controls)
    browser.script(f"{TILES}[0].focus();")
    columns, tops = browser.script(f"const tops = {TILES}.map(e => e.offsetTop); return [tops.filter(top => top === tops[0]).length, tops];")
    if len(tops) < columns + 2:
        raise Failed(f"{len(tops)} images in rows of {columns} are too few to move in")
    for key, index in [("Left", 0), ("Right", 1), ("Down", 1 + columns), ("Left", columns), ("Up", 0)]:
        browser.press(key)
        focused(browser, index, f"{key} leads to image {index}")
    browser.press("Right", "Enter")
    browser.wait(f"""
        const tile = {TILES}[1];
        return tile.getAttribute("aria-selected") === "true" && document.querySelector("#detail h2") !== null;""", of="Enter chooses an image")
    if browser.script(f'return {TILES}.filter(e => e.getAttribute("aria-selected") === "true").length;') != 1:
        raise Failed("more than one image is chosen")
    focused(browser, 1, "the focus stays on the chosen image")
    if [browser.script(f"return {TILES}.filter(e => e.tabIndex === 0).length;")] != [1]:
        raise Failed("Tab would stop at several images of the grid")
    return f"Tab reaches {reached} controls, which show it; keys move in {len(tops)} images and choose one"


def chosen(browser):
    browser.click(browser.script(f"return {TILES}[0];"))
    browser.wait('return document.querySelector("#detail .big canvas") !== null;', of="the chosen image")


def filtering(browser):
    before = browser.script('return document.getElementById("count").textContent;')
    browser.script('document.getElementById("right").focus();')
    browser.press("Down", "Down")
    browser.wait(f"""
        const wrong = {TILES}.every(e => e.classList.contains("wrong"));
        return wrong && document.getElementById("count").textContent !== arguments[0];""", before, of="only wrong answers")
    return browser.script('return document.getElementById("count").textContent;')


def search(browser):
    """An attribution of the chosen image, which the program computes."""
    chosen(browser)
    browser.click(browser.script('return [...document.querySelectorAll("#detail button")].find(e => e.textContent === "Show");'))
    browser.wait('return /red speaks for it/.test(document.getElementById("detail").textContent);', of="the attribution", seconds=60)
    painted = browser.script("""
        const map = document.querySelectorAll("#detail .big canvas")[1];
        return map.getContext("2d").getImageData(0, 0, map.width, map.height).data.some((value, i) => i % 4 === 3 && value > 0);""")
    if not painted:
        raise Failed("the map over the image is empty")
    return "an attribution is computed and painted"


def with_chosen(check):
    """The check of the page with an image chosen: that part has most of the controls."""
    def made(browser):
        chosen(browser)
        return check(browser)
    return made


CHECKS = {"opens": opened, "texts": uncut, "keyboard": grid, "filter": filtering, "search": search, "screen reader": with_chosen(labels),
          "narrow window": with_chosen(narrow), "light and dark": with_chosen(modes)}
