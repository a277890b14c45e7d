"""A browser as the checks see it: the commands of WebDriver (W3C), whatever carries them. chromium.py and firefox.py carry them."""
import abc
import os
import signal
import subprocess
import tempfile
import time

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the standard's key of a reference to an element
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Space": " ", "End": "\ue010", "Home": "\ue011",
        "Left": "\ue012", "Up": "\ue013", "Right": "\ue014", "Down": "\ue015"}
START_SECONDS, WAIT_SECONDS = 60, 20  # limits, not delays: a loaded machine starts a browser slowly


class Missing(Exception):
    """The browser is not installed; the text says what to install."""


class Failed(Exception):
    """A check found something wrong; the text says what."""


class Browser(abc.ABC):
    """One browser process with a profile of its own in a temporary folder, so that nothing of the person's own browser is read."""

    name = "?"

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="whence-browser-", ignore_cleanup_errors=True)
        self.process = None
        self.problems, self.requests = [], []
        self.patience = WAIT_SECONDS

    def begin(self, command, **options):
        """A session of its own: the browser's helpers end with it."""
        self.process = subprocess.Popen(command, start_new_session=True, env={**os.environ, "HOME": self.folder.name}, **options)

    def close(self):
        try:
            self.quit()
            self.process.wait(START_SECONDS)
        except (OSError, Failed, AttributeError, subprocess.TimeoutExpired):
            pass  # it is ended below, whatever state it is in
        if self.process:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # What a transport brings.

    @abc.abstractmethod
    def go(self, address):
        """Loads a page and returns when it is there."""

    @abc.abstractmethod
    def run(self, script, arguments): ...

    @abc.abstractmethod
    def actions(self, sources): ...

    @abc.abstractmethod
    def release(self):
        """Lifts every key and button."""

    @abc.abstractmethod
    def label(self, element):
        """The accessible name, as a screen reader gets it."""

    @abc.abstractmethod
    def dark(self, on): ...

    @abc.abstractmethod
    def width(self, pixels):
        """Makes the page this wide; None: as wide as at the start."""

    @abc.abstractmethod
    def screenshot(self):
        """The visible part as PNG."""

    @abc.abstractmethod
    def listen(self):
        """Adds to `problems` what the console had to say since the last call, and to `requests` every address that the page asked for."""

    @abc.abstractmethod
    def quit(self): ...

    # What follows from it.

    def navigate(self, address):
        self.listen()  # what a page said on the console may go with it
        self.go(address)

    def reset(self):
        """As at the start, after a check that broke off."""
        self.release()
        self.dark(False)
        self.width(None)

    def script(self, script, *arguments):
        return self.run(script, list(arguments))

    def wait(self, script, *arguments, of, seconds=None):
        """Asks until the answer is true, and returns it; `of` says what is awaited."""
        seconds = seconds or self.patience
        end = time.monotonic() + seconds
        while True:
            answer = self.run(script, list(arguments))
            if answer:
                return answer
            if time.monotonic() > end:
                raise Failed(f"{of}: not within {seconds} s")
            time.sleep(0.02)

    def press(self, *names):
        strokes = [{"type": kind, "value": KEYS[name]} for name in names for kind in ("keyDown", "keyUp")]
        self.actions([{"type": "key", "id": "keyboard", "actions": strokes}])

    def pointer(self, *steps):
        """Steps: (x, y) in the page's visible part moves there; "down" and "up" are the button."""
        made = []
        for step in steps:
            if isinstance(step, str):
                made.append({"type": f"pointer{step.capitalize()}", "button": 0})
            else:
                made.append({"type": "pointerMove", "x": round(step[0]), "y": round(step[1]), "duration": 0})
        self.actions([{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": made}])

    def click(self, element):
        """Presses the middle of an element, as a person does; what covers it would get the press."""
        x, y = self.script("""
            const [element] = arguments;
            element.scrollIntoView({block: "center", behavior: "instant"});
            const box = element.getBoundingClientRect();
            return [box.left + box.width / 2, box.top + box.height / 2];""", element)
        self.pointer((x, y), "down", "up")


def until(condition, of, seconds=START_SECONDS):
    """Polls what is outside the page: files and ports of a program that starts."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise Failed(f"{of}: not within {seconds} s")
        time.sleep(0.05)
    return found
