"""Checks that hold for every page of whence. Each returns a sentence about what it saw, or raises Failed with what is wrong."""
from browser import Failed
from colours import contrast, over, parse

CONTRAST, OUTLINE_CONTRAST = 4.5, 3.0  # WCAG 2.2: text (1.4.3), and what shows where the focus is (1.4.11)
NARROW = 360  # px, of a small telephone
MODES = {"dark": True, "light": False}  # light at the end, as the other checks expect it
CONTROLS = "a[href], button, input, select, textarea, summary"

# Every run of text with its colour and the colours below it, nearest first; equal ones once. Disabled controls are exempt (WCAG 1.4.3).
TEXTS = """
    document.querySelectorAll("details").forEach(details => { details.open = true; });
    const found = new Map(), add = (element, text) => {
        if (!element.checkVisibility({visibilityProperty: true}) || element.closest(":disabled, script, style, noscript, option")) return;
        const below = [];
        let opacity = 1;
        for (let at = element; at; at = at.parentElement) {
            const style = getComputedStyle(at);
            below.push(style.backgroundColor);
            opacity *= Number(style.opacity);
        }
        const seen = [getComputedStyle(element).color, below, opacity], key = JSON.stringify([element.localName, seen]);
        if (!found.has(key)) found.set(key, [element.localName, text.trim().slice(0, 40), ...seen]);
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) if (walker.currentNode.data.trim()) add(walker.currentNode.parentElement, walker.currentNode.data);
    for (const element of document.querySelectorAll("input:not([type=range], [type=checkbox], [type=radio]), select")) add(element, element.value);
    return [...found.values()];"""


def ground(layers, of):
    """The colour that layers of backgrounds give, nearest first."""
    colours = [parse(layer) for layer in layers]
    depth = next((i for i, (_, opacity) in enumerate(colours) if opacity == 1), None)
    if depth is None:
        raise Failed(f"{of} stands on no background of its own")
    made = colours[depth][0]
    for colour, opacity in reversed(colours[:depth]):
        made = over(colour, opacity, made)
    return made


def modes(browser):
    """Text and its background, in the light and in the dark page; both schemes are really different."""
    least = {}
    for mode, dark in MODES.items():
        browser.dark(dark)
        texts = browser.script(TEXTS)
        if len(texts) < 5:
            raise Failed(f"{mode}: only {len(texts)} kinds of text were found")
        for tag, text, colour, layers, opacity in texts:
            below = ground(layers, f"<{tag}> {text!r}")
            front, alpha = parse(colour)
            found = contrast(over(front, alpha * opacity, below), below)
            least[mode] = min(least.get(mode, (99, "")), (found, f"<{tag}> {text!r}"))
            if found < CONTRAST:
                raise Failed(f"{mode}: <{tag}> {text!r} has a contrast of {found:.2f}, less than {CONTRAST}")
        page = ground(browser.script("return [document.body, document.documentElement].map(e => getComputedStyle(e).backgroundColor);"), "the page")
        if (contrast(page, (1, 1, 1)) > contrast(page, (0, 0, 0))) != dark:
            raise Failed(f"{mode}: the background is {'light' if dark else 'dark'}")
    return "; ".join(f"{mode}: least contrast {found:.2f} ({where})" for mode, (found, where) in least.items())


def narrow(browser):
    """No sideways scrolling, and every control inside the page's width."""
    browser.width(NARROW)
    inside, wide, outside = browser.script("""
        const width = document.documentElement.clientWidth, outside = [];
        // A table may scroll in a box of its own; what it holds may stand outside.
        const boxed = element => { for (let at = element.parentElement; at && at !== document.body; at = at.parentElement)
            if (["auto", "scroll"].includes(getComputedStyle(at).overflowX)) return true; return false; };
        const controls = [...document.querySelectorAll(arguments[0] + ", canvas")].filter(e => e.checkVisibility() && !boxed(e));
        for (const element of controls) {
            const box = element.getBoundingClientRect();
            if (box.left < -0.5 || box.right > width + 0.5)
                outside.push(`"${element.ariaLabel ?? element.textContent.slice(0, 30)}" from ${Math.round(box.left)} to ${Math.round(box.right)}`);
        }
        return [controls.length, document.documentElement.scrollWidth - width, outside];""", CONTROLS)
    if wide > 0:
        raise Failed(f"at {NARROW} px the page scrolls sideways by {wide} px")
    if outside:
        raise Failed(f"at {NARROW} px {len(outside)} of {inside} controls stand outside: {outside[0]}")
    browser.width(None)
    return f"at {NARROW} px nothing scrolls sideways and {inside} controls are inside"


def labels(browser):
    """What a screen reader says of every control and image; the names of one kind of control differ."""
    elements, facts = browser.script("""
        const all = [...document.querySelectorAll("input, select, textarea, button, canvas, img, progress, summary, [role=img], [role=option]")]
            .filter(e => e.checkVisibility() && !e.closest("[aria-hidden=true]"));
        return [all, all.map(e => [e.localName, e.type ?? "", e.getAttribute("alt"), e.outerHTML.slice(0, 80).replace(/data:[^"]*/, "data:...")])];""")
    names = {}
    for element, (tag, kind, alternative, markup) in zip(elements, facts):
        name = browser.label(element).strip()
        if not name:
            raise Failed(f"a screen reader has no name for {markup}")
        if tag == "img" and not (alternative or "").strip():
            raise Failed(f"no alt text: {markup}")
        names.setdefault((tag, kind), []).append(name)
    for (tag, kind), found in names.items():
        if kind in ("range", "button", "select-one") and len(set(found)) < len(found):
            twice = next(name for name in found if found.count(name) > 1)
            raise Failed(f"{found.count(twice)} controls <{tag}> have one name, {twice!r}")
    counted = ", ".join(f"{len(found)} {kind if tag == 'input' else tag}" for (tag, kind), found in names.items())
    return f"names for {counted}"


def tab_through(browser, start, controls):
    """Presses Tab from the element `start` (None: the page's beginning) through `controls`, a script that returns them. Every one must be reached, and
    show that it has the focus. Returns their number."""
    names = browser.script(f"""
        window.whenceControls = (() => {{ {controls} }})();
        document.activeElement?.blur();
        document.querySelector(arguments[0])?.focus();
        return window.whenceControls.map(e => `<${{e.localName}}> ${{e.ariaLabel ?? e.textContent.slice(0, 30)}}`);""", start)
    reached, entered, limit = set(), False, len(names) + 60
    for _ in range(limit):
        if len(reached) == len(names):
            break  # one more could lead out of the page, into the browser's own controls
        browser.script("window.whenceLeft = document.activeElement;")
        browser.press("Tab")
        browser.wait("return document.activeElement !== window.whenceLeft;", of=f"Tab leads on after {len(reached)} of {len(names)} controls")
        at, style, width, colour, layers = browser.script("""
            const element = document.activeElement, style = getComputedStyle(element), below = [];
            for (let at = element.parentElement; at; at = at.parentElement) below.push(getComputedStyle(at).backgroundColor);
            return [window.whenceControls.indexOf(element), style.outlineStyle, parseFloat(style.outlineWidth), style.outlineColor, below];""")
        if at < 0 and entered or at in reached:
            break
        if at < 0:
            continue
        entered = True
        reached.add(at)
        if style == "none" or width == 0:
            raise Failed(f"{names[at]} has the focus and does not show it")
        front, _ = parse(colour)
        found = contrast(front, ground(layers, names[at]))
        if found < OUTLINE_CONTRAST:
            raise Failed(f"{names[at]}: the mark of the focus has a contrast of {found:.2f}")
    missed = [name for i, name in enumerate(names) if i not in reached]
    if missed or not names:
        raise Failed(f"Tab reaches {len(reached)} of {len(names)} controls" + (f", and not {missed[0]}" if missed else ""))
    return len(names)
