"""Checks of a run's report.html, whose sliders run the networks in the page."""
import pathlib
import re
import urllib.parse

from browser import Failed
from colours import SIGHT, distance, lab, nearest, parse
from page_checks import MODES, labels, modes, narrow, tab_through

APART = 15  # CIE76; some 2 can just be told apart side by side. The palette's nearest pair has 16.
PALETTE = pathlib.Path(__file__).resolve().parents[3] / "src/report/palette.cpp"

# What the live part shows. The image is compared as the canvas' own pixels.
NOW = """
    const live = document.querySelector("[data-live=live-try]"), all = selector => [...live.querySelectorAll(selector)];
    const now = {values: all("input[type=range]").map(e => Number(e.value)), shown: all("output").map(e => e.textContent),
            answers: all(".answer-row .value").map(e => e.textContent), said: all(".said").map(e => e.textContent)[0],
            image: all(".images canvas")[1].toDataURL(), note: all(".note").map(e => e.textContent)[0]};"""
STATE = NOW + " return now;"
PLANE = 'return document.querySelector("[data-live=live-try] .plane").checkVisibility();'
SLIDERS = 'return [...document.querySelectorAll("[data-live=live-try] input[type=range]")];'


def state(browser):
    return browser.script(STATE)


def button(browser, text):
    found = browser.script("""
        return [...document.querySelectorAll("[data-live=live-try] button")].find(e => e.textContent === arguments[0] || e.ariaLabel === arguments[0]) ?? null;""", text)
    if found is None:
        raise Failed(f"there is no button {text!r}")
    return found


def with_plane(check):
    """The check with the plane open, whose lists and canvas are hidden at first; of a page without sliders, the check alone."""
    def made(browser):
        if browser.script('return document.querySelector("[data-live=live-try]") !== null;'):
            browser.click(button(browser, "Plane of two factors"))
            browser.wait(PLANE, of="the plane opens")
        return check(browser)
    return made


def self_check(browser):
    difference, tolerance, lines, wrong = browser.script("""
        const live = document.querySelector("[data-live=live-try]"), lines = [...live.querySelectorAll(".checked")];
        return [live.dataset.difference ?? null, JSON.parse(document.getElementById(live.dataset.live).textContent).tolerance,
                lines.map(e => e.textContent), lines.some(e => e.classList.contains("wrong"))];""")
    if difference is None or len(lines) != 1:
        raise Failed("the page does not say whether it computes what whence computed")
    if wrong or not 0 <= float(difference) <= tolerance:
        raise Failed(f"it says: {lines[0]}")
    return f"largest difference {float(difference):.1e}, at most {tolerance} allowed"


def bars(browser):
    """The probabilities' bars can be compared: on tracks of one length, each as long as its number says."""
    found = browser.script("""
        return [...document.querySelectorAll("[data-live=live-try] .track")].map(track => [track.getBoundingClientRect().left, track.getBoundingClientRect().width,
            track.firstChild.getBoundingClientRect().width, parseFloat(track.nextElementSibling.textContent)]);""")
    if not found:
        return "none: the page has no classifier"
    if max(abs(a - b) for row in found for a, b in zip(row[:2], found[0][:2])) > 0.5:
        raise Failed(f"their tracks are {', '.join(f'{width:.0f}' for _, width, *_ in found)} px long")
    for _, width, length, number in found:
        if abs(100 * length / width - number) > 1:
            raise Failed(f"the bar for {number} % fills {100 * length / width:.1f} % of its track")
    return f"{len(found)} tracks of {found[0][1]:.0f} px, filled as far as their numbers say"


def drag(browser):
    """Press, move and release: the value follows before the release, and stays after it."""
    first, moved_answers = state(browser), 0
    for i, slider in enumerate(browser.script(SLIDERS)):
        before = state(browser)
        left, width, y, low, high, visible = browser.script("""
            const [slider] = arguments;
            slider.scrollIntoView({block: "center", behavior: "instant"});
            const box = slider.getBoundingClientRect();
            return [box.left, box.width, box.top + box.height / 2, Number(slider.min), Number(slider.max),
                    box.top >= 0 && box.bottom <= innerHeight];""", slider)
        if not visible:
            raise Failed(f"slider {i} does not scroll into view")
        thumb = 16  # px, roughly: the thumb's middle stops half of it before the track's ends
        at = lambda value: (left + thumb / 2 + (width - thumb) * (value - low) / (high - low), y)
        target = high - (high - low) / 8 if before["values"][i] < (low + high) / 2 else low + (high - low) / 8
        path = [before["values"][i] + share * (target - before["values"][i]) for share in (0.25, 0.5, 0.75, 1)]
        browser.pointer(at(before["values"][i]), "down", *map(at, path))
        reached = f"""
            const value = Number([...document.querySelectorAll("[data-live=live-try] input[type=range]")][{i}].value);
            return Math.abs(value - arguments[0]) < {(high - low) / 16};"""
        browser.wait(reached, target, of=f"slider {i} follows the pointer to {target}")
        during = state(browser)
        browser.pointer("up", at(before["values"][i]))
        after = state(browser)
        if after["values"] != during["values"]:
            raise Failed(f"slider {i} moves on after the release")
        if [j for j, (a, b) in enumerate(zip(before["values"], after["values"])) if a != b] != [i]:
            raise Failed(f"dragging slider {i} changes other sliders")
        if after["shown"][i] != f"{after['values'][i]:.2f}":
            raise Failed(f"slider {i} stands at {after['values'][i]}, and the number beside it is {after['shown'][i]}")
        if after["image"] == before["image"]:
            raise Failed(f"dragging slider {i} leaves the decoded image as it is")
        moved_answers += after["answers"] != before["answers"]
    if first["answers"] and not moved_answers:
        raise Failed("dragging changes no probability")
    browser.click(button(browser, "Back to the image"))
    browser.wait(NOW + "return JSON.stringify(now.values) === JSON.stringify(arguments[0].values) && now.image === arguments[0].image;",
                 first, of="Back to the image restores values and image")
    return f"{len(first['values'])} sliders follow; the image changes every time, the probabilities {moved_answers} times"


def keyboard(browser):
    value = 'return Math.abs(Number(document.activeElement.value) - arguments[0]) < 1e-6;'
    count = 0
    for slider in browser.script(SLIDERS):
        low, high, step = browser.script("arguments[0].focus(); return [arguments[0].min, arguments[0].max, arguments[0].step].map(Number);", slider)
        for key, expected in [("Home", low), ("Right", low + step), ("Up", low + 2 * step), ("Left", low + step), ("Down", low),
                              ("End", high), ("Left", high - step)]:
            browser.press(key)
            browser.wait(value, expected, of=f"slider {count}: {key} leads to {expected:.2f}")
        count += 1
    shown = state(browser)["shown"]
    if any(float(text) != high - step for text in shown):
        raise Failed(f"the numbers beside the sliders are {shown}")
    browser.script("arguments[0].focus();", button(browser, "Plane of two factors"))
    browser.press("Enter")
    browser.wait(PLANE, of="the plane opens")
    reached = tab_through(browser, 'nav li:last-child a', """
        return [...document.querySelectorAll("[data-live=live-try] :is(a[href], button, input, select, textarea)")].filter(e => e.checkVisibility() && !e.disabled);""")
    return f"keys move {count} sliders by {step} and to their ends; Tab reaches {reached} controls, which show it"


def colour_blind(browser):
    """Colours that stand for different things, to everybody: the palette, the classes of this page, alpha and beta, good and bad, and those of each figure."""
    palette = re.findall(r"from_bytes\(0x(..), 0x(..), 0x(..)\)", PALETTE.read_text())
    groups = {"the palette": {f"#{''.join(bytes_)}": parse(f"#{''.join(bytes_)}")[0] for bytes_ in palette}}
    for mode, dark in MODES.items():
        browser.dark(dark)
        bars, track, line, alpha, beta, good, bad, figures = browser.script("""
            const live = document.querySelector("[data-live=live-try]"), style = (selector, name) => {
                const element = live.querySelector(selector);
                return element && getComputedStyle(element)[name];
            };
            const probe = document.createElement("span"), variable = name => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
            document.body.append(probe);
            const named = [variable("--good"), variable("--bad")];
            probe.remove();
            return [[...live.querySelectorAll(".bar")].map(e => getComputedStyle(e).backgroundColor), style(".track", "backgroundColor"),
                    style(".bar", "boxShadow")?.match(/rgb\\([^)]*\\)/)?.[0] ?? null,
                    style(".factor.causal .name", "color"), style(".factor:not(.causal) .name", "color"), ...named,
                    [...document.images].map(e => e.src)];""")
        groups[f"the factors' names, {mode}"] = {name: parse(colour)[0] for name, colour in {"alpha": alpha, "beta": beta}.items() if colour}
        groups[f"good and bad, {mode}"] = {"good": parse(good)[0], "bad": parse(bad)[0]}
        groups[f"the classes, {mode}"] = {f"class {i}": parse(colour)[0] for i, colour in enumerate(dict.fromkeys(bars))}
        for i, colour in enumerate(dict.fromkeys(bars)):
            # Its colour or the line around it shows how long it is.
            edges = [parse(each)[0] for each in (colour, line) if each]
            below = parse(track)[0]
            edge = max(edges, key=lambda each: min(distance(each, below, sight) for sight in SIGHT))
            groups[f"the bar of class {i}, {mode}"] = {"bar": edge, "what it stands on": below}
    for number, address in enumerate(figures):
        found = hues(urllib.parse.unquote(address.split(",", 1)[1])) if address.startswith("data:image/svg+xml;") else {}
        if 2 <= len(found) <= len(palette):  # more are shades of one scale
            groups[f"figure {number + 1}"] = found
    least = (999, "")
    for group, colours in groups.items():
        if len(colours) < 2:
            continue
        apart, sight, one, other = nearest(colours)
        if apart < APART:
            raise Failed(f"{group}: {one} and {other} are {apart:.1f} apart with {sight}, less than {APART}")
        least = min(least, (apart, f"{one} and {other} of {group}, {sight}"))
    return f"{len(groups)} groups of colours, {len(SIGHT)} kinds of sight: at least {least[0]:.1f} apart ({least[1]})"


def hues(svg):
    """The colours of a drawing that are no greys."""
    found = {}
    for numbers in re.findall(r"rgb\(\s*(\d+),\s*(\d+),\s*(\d+)\)", svg):
        colour = tuple(int(number) / 255 for number in numbers)
        _, a, b = lab(colour, "normal sight")
        if a * a + b * b > 20 ** 2:
            found[f"rgb({', '.join(numbers)})"] = colour
    return found


def link(browser):
    """Copy link, then the copied address in a fresh page, and in the page that is open already."""
    browser.click(browser.script('return [...document.querySelectorAll("[data-live=live-try] .thumbnails button")].at(-1);'))
    for slider, key in zip(browser.script(SLIDERS), ["Home", "End"] * 50):
        browser.script("arguments[0].focus();", slider)
        browser.press(key)
    browser.click(button(browser, "Copy link"))
    address = browser.wait("""
        return location.hash.startsWith("#try=") && document.querySelector("[data-live=live-try] .note").textContent && location.href;""", of="Copy link")
    wanted = state(browser)
    same = NOW + "return JSON.stringify([now.values, now.answers, now.image]) === JSON.stringify(arguments[0]);"
    wanted = [wanted["values"], wanted["answers"], wanted["image"]]
    browser.navigate("about:blank")
    browser.navigate(address)
    browser.wait(same, wanted, of="the link restores image, values and answers")
    browser.click(button(browser, "Back to the image"))
    if browser.script(same, wanted):
        raise Failed("Back to the image keeps the values of the link")
    # As in a browser whose address line gets another link to the page that it shows: no page is loaded.
    other = re.sub(r"(#try=\d+);.*", lambda found: f"{found[1]};" + ",".join(["1.00"] * len(wanted[0])), address)
    browser.navigate(other)
    browser.wait(NOW + "return now.values.every(value => value === 1);", of="another link to the open page moves its sliders")
    return f"{len(wanted[0])} sliders, the image and the answers come back"


def plane(browser):
    browser.click(button(browser, "Plane of two factors"))
    # Its images are drawn in several frames: it is ready when some of them changed nothing.
    full = """
        const grid = document.querySelector("[data-live=live-try] .plane canvas"), now = grid.toDataURL(), last = document.createElement("canvas");
        const watch = window.whencePlane ??= {frames: 0, last: "", since: 0, look() { ++watch.frames; requestAnimationFrame(watch.look); }};
        if (!watch.frames) watch.look();
        if (now !== watch.last) { watch.last = now; watch.since = watch.frames; }
        last.width = last.height = 1;
        last.getContext("2d").drawImage(grid, grid.width - 1, grid.height - 1, 1, 1, 0, 0, 1, 1);
        const filled = last.getContext("2d").getImageData(0, 0, 1, 1).data[3] === 255;
        return filled && watch.frames > watch.since + 3 && now !== arguments[0] && now;"""
    drawn = browser.wait(full, "", of="the plane is drawn")
    lists = browser.script('return [...document.querySelectorAll("[data-live=live-try] .plane select")];')
    count = len(browser.script(SLIDERS))
    if count > 2:
        browser.script("arguments[0].focus();", lists[0])
        browser.press("Down", "Down")
        browser.wait("return arguments[0].value === '2';", lists[0], of="keys choose another factor")
        browser.wait(full, drawn, of="the plane is drawn with another factor")
    grid = browser.script("""
        const grid = document.querySelector("[data-live=live-try] .plane canvas");
        grid.scrollIntoView({block: "center", behavior: "instant"});
        const box = grid.getBoundingClientRect();
        return [box.left, box.top, box.width, box.height];""")
    column, row, cells = 7, 1, 9  # of cells that go from -3 to 3
    browser.pointer((grid[0] + grid[2] * (column + 0.5) / cells, grid[1] + grid[3] * (row + 0.5) / cells), "down", "up")
    across, down = (int(browser.script("return arguments[0].value;", each)) for each in lists)
    expected = {across: -3 + 6 * column / (cells - 1), down: 3 - 6 * row / (cells - 1)}
    browser.wait("""
        const values = [...document.querySelectorAll("[data-live=live-try] input[type=range]")].map(e => Number(e.value));
        return Object.entries(arguments[0]).every(([i, value]) => Math.abs(values[i] - value) < 0.03);""",
                 {str(i): value for i, value in expected.items()}, of="a click in the plane moves both sliders")
    drawn = browser.wait(full, "", of="the plane")
    browser.click(browser.script('return [...document.querySelectorAll("[data-live=live-try] .thumbnails button")].at(-1);'))
    drawn = browser.wait(full, drawn, of="the plane follows another test image")
    if count > 2:
        other = next(i for i in range(count) if i not in expected)
        browser.script("arguments[0].focus();", browser.script(SLIDERS)[other])
        browser.press("End")
        browser.wait(full, drawn, of="the plane follows another factor")
    return f"a click takes {expected}, and the plane follows other images and factors"


def play(browser):
    value = 'Number(document.querySelector("[data-live=live-try] input[type=range]").value)'
    name = browser.script('return document.querySelector("[data-live=live-try] .factor-row button").ariaLabel;')
    press = button(browser, name)
    before = state(browser)
    browser.script("""
        window.whenceSeen = new Set();
        (function look() { window.whenceSeen.add(VALUE); requestAnimationFrame(look); })();""".replace("VALUE", value))
    browser.click(press)
    browser.wait("return window.whenceSeen.size >= 5;", of="the button moves the factor")
    if browser.script('return arguments[0].getAttribute("aria-pressed");', press) != "true":
        raise Failed("a screen reader is not told that the factor moves")
    browser.click(press)
    browser.wait('return arguments[0].getAttribute("aria-pressed") === "false";', press, of="the button stops")
    # Frames, not time: a page that still moved would move in each of them.
    still = browser.script(f"""
        window.whenceFrames = 0;
        (function look() {{ ++window.whenceFrames; requestAnimationFrame(look); }})();
        return {value};""")
    browser.wait("return window.whenceFrames > 20;", of="twenty frames")
    after = state(browser)
    if after["values"][0] != still:
        raise Failed("the factor moves on after the second press")
    if after["image"] == before["image"]:
        raise Failed("the image did not follow")
    return f"{name}: moves through {browser.script('return window.whenceSeen.size;')} values, and stops"


def screen_reader(browser):
    said = labels(browser)
    spoken = browser.script("""
        const live = document.querySelector("[data-live=live-try]"), run = JSON.parse(document.getElementById(live.dataset.live).textContent);
        const region = live.querySelector("[aria-live=polite]");
        return run.classifier === null || run.classes.some(name => region?.textContent.includes(name));""")
    if not spoken:
        raise Failed("no polite region says the classifier's answer")
    return said + "; a polite region says the answer"


ANY = {"narrow window": with_plane(narrow), "light and dark": with_plane(modes)}
STILL = {"screen reader": labels}  # of a page without sliders
LIVE = {"self-check": self_check, "bars": bars, "drag": drag, "keyboard": keyboard, "screen reader": with_plane(screen_reader),
        "colour-blind": colour_blind, "link": link, "plane": plane, "play": play}
