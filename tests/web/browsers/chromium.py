"""Chromium through chromedriver: WebDriver over HTTP, and the DevTools protocol for what WebDriver does not know."""
import base64
import http.client
import json
import os
import re
import shutil
import signal
import subprocess

from browser import ELEMENT, START_SECONDS, Browser, Failed, Missing, until

# Quiet: what the browser asks for itself must not stand among the page's requests.
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-default-browser-check",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
         "--force-color-profile=srgb", "--window-size=1366,768"]


class Chromium(Browser):
    name = "chromium"

    @staticmethod
    def programs():
        found = shutil.which("chromium"), shutil.which("chromedriver")
        if not all(found):
            raise Missing("Chromium is missing (Debian: chromium chromium-driver)")
        return found

    def __init__(self):
        found = self.programs()
        super().__init__()
        try:
            self.start(*found)
        except BaseException:
            self.close()
            raise

    def start(self, program, driver):
        # --port=0: a free one, which it prints.
        self.begin([driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        port = None
        for line in self.process.stdout:
            if found := re.search(r"started successfully on port (\d+)", line):
                port = int(found[1])
                break
        if port is None:
            raise Failed("chromedriver ended before it said its port")
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        options = {"binary": program, "args": [*FLAGS, f"--user-data-dir={self.folder.name}/profile"]}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        made = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = f"/session/{made['sessionId']}"
        self.version = made["capabilities"]["browserVersion"]
        self.browser = made["capabilities"].get("goog:processID")

    def ask(self, method, path, body=None):
        self.connection.request(method, path, body=None if body is None else json.dumps(body), headers={"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        value = json.loads(answer.read())["value"]
        if answer.status != 200:
            raise Failed(f"chromedriver: {value['message'].splitlines()[0]}")
        return value

    def post(self, path, **body):
        return self.ask("POST", f"{self.session}/{path}", body)

    def devtools(self, command, **parameters):
        return self.post("goog/cdp/execute", cmd=command, params=parameters)

    def go(self, address):
        self.post("url", url=address)

    def run(self, script, arguments):
        return self.post("execute/sync", script=script, args=arguments)

    def actions(self, sources):
        self.post("actions", actions=sources)

    def release(self):
        self.ask("DELETE", f"{self.session}/actions")

    def label(self, element):
        return self.ask("GET", f"{self.session}/element/{element[ELEMENT]}/computedlabel")

    def dark(self, on):
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if on else "light"}])

    def width(self, pixels):
        # A window cannot be this narrow; DevTools can.
        if pixels is None:
            self.devtools("Emulation.clearDeviceMetricsOverride")
        else:
            self.devtools("Emulation.setDeviceMetricsOverride", width=pixels, height=740, deviceScaleFactor=1, mobile=False)
        until(lambda: self.script("return innerWidth") == pixels if pixels else True, f"a page {pixels} px wide")

    def screenshot(self):
        return base64.b64decode(self.ask("GET", f"{self.session}/screenshot"))

    def listen(self):
        for entry in self.post("se/log", type="browser"):
            if entry["level"] in ("SEVERE", "WARNING"):
                self.problems.append(entry["message"])
        for entry in self.post("se/log", type="performance"):
            event = json.loads(entry["message"])["message"]
            if event["method"] == "Network.requestWillBeSent":
                self.requests.append(event["params"]["request"]["url"])
            elif event["method"] == "Network.webSocketCreated":
                self.requests.append(event["params"]["url"])

    def quit(self):
        try:
            self.ask("DELETE", self.session)
        except (OSError, Failed, http.client.HTTPException):
            # chromedriver's process group does not hold the browser.
            if self.browser:
                os.kill(self.browser, signal.SIGKILL)
        self.process.terminate()
