"""Chromium, driven by its own protocol (CDP): a user's actions, and their view."""

import contextlib
import itertools
import json
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import websocket

WAIT_SECONDS = 120
#: The script of a worker: the worker is notified of its arrival, not the page.
WORKERS_SCRIPT = "/bus/websocket_worker_bundle"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
]


class Page:
    """One tab. Elements are identified by CSS selectors."""

    def __init__(self, address: str):
        self._socket = websocket.create_connection(address, timeout=WAIT_SECONDS)
        self._numbers = itertools.count(1)
        self.events: list[dict] = []
        #: Requests to a server that are not answered yet: address by number.
        self.open_requests: dict[str, str] = {}
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        self._socket.close()

    def call(self, method: str, **parameters) -> dict:
        """Send Chromium a command; return its result. Events are stored meanwhile."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self._keep(answer)

    def _keep(self, event: dict) -> None:
        self.events.append(event)
        match event["method"]:
            case "Network.requestWillBeSent":
                url = event["params"]["request"]["url"]
                # A form that is left sends its content off and awaits no answer.
                is_ping = event["params"].get("type") == "Ping"
                if not is_ping and not url.partition("?")[0].endswith(WORKERS_SCRIPT):
                    self.open_requests[event["params"]["requestId"]] = url
            case "Network.loadingFinished" | "Network.loadingFailed":
                self.open_requests.pop(event["params"]["requestId"], None)

    # === THE WINDOW === #

    def set_size(self, width: int, height: int, scale: float = 1) -> None:
        """Give the window the size of a phone, or of a desktop."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )

    def switch_scripts_off(self) -> None:
        """Disable the scripts of pages; those that a test evaluates still work."""
        self.call("Emulation.setScriptExecutionDisabled", value=True)

    def set_line(self, kilobits: int, milliseconds: int) -> None:
        """Limit the connection to this speed and latency."""
        self.call(
            "Network.emulateNetworkConditions",
            offline=False,
            latency=milliseconds,
            downloadThroughput=kilobits * 125,
            uploadThroughput=kilobits * 125,
        )

    # === A USER'S ACTIONS === #

    def open(self, url: str) -> None:
        with self.loading():
            self.call("Page.navigate", url=url)

    def click(self, selector: str) -> None:
        """Press a button or follow a link that leads to another page."""
        self.wait_until_visible(selector)
        with self.loading():
            self.press_mouse(*self._get_middle(selector))

    def press_mouse(self, x: float, y: float) -> None:
        """Click at this place of the window, whatever is there."""
        for kind in ("mousePressed", "mouseReleased"):
            self.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=x,
                y=y,
                button="left",
                clickCount=1,
            )

    def type(self, selector: str, text: str) -> None:
        """Replace the whole text of a field."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press a key of the keyboard, e.g. ``press("Tab", 9)``."""
        about = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        down = "keyDown" if text else "rawKeyDown"
        self.call("Input.dispatchKeyEvent", type=down, text=text, **about)
        self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def wait_until_visible(self, selector: str) -> None:
        """Wait for what a page shows a moment later than the rest, if it has it."""
        hidden = f"""document.querySelector({json.dumps(selector)})
            ?.checkVisibility({{visibilityProperty: true}}) === false"""
        end = time.monotonic() + 5
        while self.evaluate(hidden) and time.monotonic() < end:
            time.sleep(0.1)

    def press_enter(self) -> None:
        """Press Enter where it leads to another page."""
        with self.loading():
            self.press("Enter", 13, "\r")

    def tab_to(self, selector: str) -> None:
        """Press Tab until the element has the focus, as users without a mouse do."""
        self.wait_until_visible(selector)
        test = f"document.activeElement.matches({json.dumps(selector)})"
        for _each in range(100):
            if self.evaluate(test):
                return
            self.press("Tab", 9)
        raise AssertionError(f"{selector} cannot be reached by Tab")

    def close_new_tabs(self) -> list[str]:
        """Close the tabs that this one opened, and return to it; return their URLs.

        A tab in the background draws nothing, so waiting for it to be drawn never ends.
        One that has no address yet stays open.
        """
        mine = self.call("Target.getTargetInfo")["targetInfo"]["targetId"]
        found = [
            each
            for each in self.call("Target.getTargets")["targetInfos"]
            if each["type"] == "page"
            and each["targetId"] != mine
            and each["url"] not in ("", "about:blank")
        ]
        for each in found:
            self.call("Target.closeTarget", targetId=each["targetId"])
        self.call("Page.bringToFront")
        return [each["url"] for each in found]

    # === A USER'S VIEW === #

    @property
    def url(self) -> str:
        return self.evaluate("location.href")

    @property
    def text(self) -> str:
        return self.evaluate("document.body.innerText")

    def get_text(self, selector: str) -> str:
        """Return the text of one element."""
        element = f"document.querySelector({json.dumps(selector)})"
        return self.evaluate(f"{element}.innerText")

    def has(self, selector: str) -> bool:
        return self.evaluate(f"!!document.querySelector({json.dumps(selector)})")

    def evaluate(self, expression: str):
        """Return the value of a JavaScript expression; a promise is awaited."""
        answer = self.call(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    # === WAITING === #

    @contextlib.contextmanager
    def loading(self) -> Iterator[None]:
        """Wait at the end of the block until the page that it leads to has loaded."""
        before = self.evaluate("performance.timeOrigin")
        yield
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(AssertionError):
                if self.evaluate(
                    f"document.readyState === 'complete' && "
                    f"performance.timeOrigin !== {before}"
                ):
                    return
            time.sleep(0.02)
        raise AssertionError(f"no page came: {self.url}\n{self.text}")

    def _get_middle(self, selector: str) -> tuple[float, float]:
        box = self.evaluate(
            f"""(() => {{
                const found = document.querySelector({json.dumps(selector)});
                if (!found) return null;
                found.scrollIntoView({{block: "center"}});
                const box = found.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"""
        )
        assert box, f"{selector} is not on {self.url}:\n{self.text}"
        return box[0], box[1]


@contextlib.contextmanager
def chromium(program: str) -> Iterator[Page]:
    """Yield the one tab of a new Chromium with an empty profile."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            page = Page(_get_address(Path(folder)))
            yield page
            page.close()
        finally:
            process.terminate()
            process.wait(20)


def _get_address(folder: Path) -> str:
    """Return the tab's address, once Chromium has written its port to a file."""
    note = folder / "DevToolsActivePort"
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(OSError, IndexError, StopIteration):
            port = note.read_text().splitlines()[0]
            with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/json/list"
            ) as response:
                tabs = json.load(response)
            return next(t["webSocketDebuggerUrl"] for t in tabs if t["type"] == "page")
        time.sleep(0.05)
    raise AssertionError("Chromium does not start")
