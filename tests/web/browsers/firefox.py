"""Firefox through Marionette, its own protocol: the commands of WebDriver as JSON over TCP, each with its length before it. Debian has no geckodriver."""
import base64
import json
import pathlib
import shutil
import socket
import subprocess

from browser import ELEMENT, START_SECONDS, Browser, Failed, Missing, until

# Marionette takes a free port and writes it into the profile.
SCHEME = "layout.css.prefers-color-scheme.content-override"  # 0: dark, 1: light
PREFERENCES = {"marionette.port": 0, SCHEME: 1}

# Every request that a page makes passes the parent process; one without a browsing context is the browser's own.
WATCH = """
    window.whenceRequests = [];
    Services.obs.addObserver({observe(subject) {
        const channel = subject.QueryInterface(Ci.nsIChannel);
        if (channel.loadInfo.browsingContextID !== 0) window.whenceRequests.push(channel.URI.spec);
    }}, "http-on-opening-request");
    Services.console.reset();"""
# Errors and rejections arrive there, too, beside those of the browser's own code.
ERRORS = """
    const heard = Services.console.getMessageArray().filter(message => message instanceof Ci.nsIScriptError
        && !/^(chrome|resource|moz-extension):/.test(message.sourceName)).map(message => message.message);
    Services.console.reset();
    return [heard, window.whenceRequests.splice(0)];"""
# Calls of console.* stay in the page's process, for as long as the page is there.
CALLS = """
    const storage = Cc["@mozilla.org/consoleAPI-storage;1"].getService(Ci.nsIConsoleAPIStorage);
    const said = storage.getEvents().filter(event => ["warn", "error", "assert", "exception"].includes(event.level)
        && !/^(chrome|resource|moz-extension):/.test(event.filename)).map(event => `console.${event.level}: ${Array.from(event.arguments, String).join(" ")}`);
    storage.clearEvents();
    return said;"""
RESIZE = """
    const style = gBrowser.selectedBrowser.style;
    for (const name of ["width", "min-width", "max-width"])
        if (arguments[0]) style.setProperty(name, `${arguments[0]}px`); else style.removeProperty(name);"""


class Firefox(Browser):
    name = "firefox"

    @staticmethod
    def programs():
        found = shutil.which("firefox-esr") or shutil.which("firefox")
        if not found:
            raise Missing("Firefox is missing (Debian: firefox-esr)")
        return found

    def __init__(self):
        program = self.programs()
        super().__init__()
        self.socket, self.received, self.number = None, b"", 0
        try:
            self.start(program)
        except BaseException:
            self.close()
            raise

    def start(self, program):
        profile = pathlib.Path(self.folder.name, "profile")
        profile.mkdir()
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()]
        (profile / "user.js").write_text("".join(lines))
        # System access: console and requests are read in the browser's own process.
        self.begin([program, "--headless", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile", str(profile),
                    "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        file = profile / "MarionetteActivePort"
        port = int(until(lambda: file.exists() and file.read_text(), "Firefox's port"))
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS)
        self.receive()  # its greeting
        self.version = self.ask("WebDriver:NewSession", capabilities={})["capabilities"]["browserVersion"]
        self.inside(WATCH)

    def receive(self):
        def more():
            part = self.socket.recv(1 << 16)
            if not part:
                raise Failed("Firefox closed the connection")
            self.received += part

        while b":" not in self.received:
            more()
        length, self.received = self.received.split(b":", 1)
        while len(self.received) < int(length):
            more()
        message, self.received = self.received[:int(length)], self.received[int(length):]
        return json.loads(message)

    def ask(self, command, **parameters):
        self.number += 1
        message = json.dumps([0, self.number, command, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(message), message))
        _, number, error, value = self.receive()
        if number != self.number:
            raise Failed(f"Firefox answered command {number} instead of {self.number}")
        if error:
            raise Failed(f"Firefox: {error['message']}")
        return value

    def inside(self, script, *arguments):
        """Runs a script in the browser, not in the page."""
        self.ask("Marionette:SetContext", value="chrome")
        try:
            return self.ask("WebDriver:ExecuteScript", script=script, args=list(arguments))["value"]
        finally:
            self.ask("Marionette:SetContext", value="content")

    def go(self, address):
        self.ask("WebDriver:Navigate", url=address)

    def run(self, script, arguments):
        return self.ask("WebDriver:ExecuteScript", script=script, args=arguments)["value"]

    def actions(self, sources):
        self.ask("WebDriver:PerformActions", actions=sources)

    def release(self):
        self.ask("WebDriver:ReleaseActions")

    def label(self, element):
        return self.ask("WebDriver:GetComputedLabel", id=element[ELEMENT])["value"]

    def dark(self, on):
        self.inside("Services.prefs.setIntPref(arguments[0], arguments[1]);", SCHEME, 0 if on else 1)
        self.wait('return matchMedia("(prefers-color-scheme: dark)").matches === arguments[0];', on, of="the page's colour scheme")

    def width(self, pixels):
        self.inside(RESIZE, pixels)
        self.wait("return arguments[0] ? innerWidth === arguments[0] : innerWidth > 1000;", pixels, of=f"a page {pixels} px wide")

    def screenshot(self):
        return base64.b64decode(self.ask("WebDriver:TakeScreenshot", full=False)["value"])

    def listen(self):
        said = self.ask("WebDriver:ExecuteScript", script=CALLS, args=[], sandbox="system")["value"]
        errors, requests = self.inside(ERRORS)
        self.problems += said + errors
        self.requests += requests

    def quit(self):
        self.ask("Marionette:Quit", flags=["eForceQuit"])
