"""What is between two servers: a relay that counts, and loses or alters answers."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

#: What is passed on, of a request and of an answer.
HEADERS = ("Authorization", "Content-Type", "Accept", "Signature", "Date")


class Relay:
    """Passes requests on to a server, and its answers back."""

    def __init__(self, target: str):
        self.target = target
        #: how often each path was called
        self.calls: Counter[str] = Counter()
        #: called with the path and the answer, which it returns, or None to lose it
        self.change_answer: Callable[[str, bytes], bytes | None] | None = None
        #: called with the path when a request arrives
        self.notice: Callable[[str], None] | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._build_handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _build_handler(self) -> type[BaseHTTPRequestHandler]:
        relay = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                relay.calls[self.path] += 1
                if relay.notice:
                    relay.notice(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                try:
                    answer = requests.post(
                        f"{relay.target}{self.path}",
                        data=body,
                        headers=pick(self.headers),
                        timeout=60,
                    )
                except requests.RequestException:
                    self.close_connection = True
                    return
                content = relay.pass_back(self.path, answer.content)
                if content is None:
                    self.close_connection = True
                    return
                self.send_response_only(answer.status_code)
                for name, value in pick(answer.headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_words):
                """Do nothing: a test's output is pytest's."""

        return Handler

    def pass_back(self, path: str, content: bytes) -> bytes | None:
        change = self.change_answer
        return change(path, content) if change else content

    def serve(self) -> None:
        self._server.serve_forever()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def pick(headers) -> dict[str, str]:
    return {name: headers[name] for name in HEADERS if name in headers}


@contextmanager
def relaying(target: str) -> Iterator[Relay]:
    """Yield a relay that runs as long as the block."""
    relay = Relay(target)
    threading.Thread(target=relay.serve, daemon=True).start()
    try:
        yield relay
    finally:
        relay.stop()
