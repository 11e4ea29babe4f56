"""A chat endpoint of the tests: a real HTTP server on this machine."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    """A chat endpoint that does what its `answer` function says and keeps what it was asked.

    Where the function gives None the connection ends without an answer, as of a server that dies.
    """

    request_queue_size = 256

    def __init__(self, answer):
        self.answer, self.asked, self.headers, self.busy, self.most = answer, [], [], 0, 0
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"


@contextmanager
def serving(answer):
    """A running server that does what a function says."""
    with Server(answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def said(*texts, logprobs=None, **fields):
    """An answer with one choice for each text; further fields stand in each choice."""
    choices = [
        {
            "message": {"content": text},
            "logprobs": {"content": logprobs} if logprobs else None,
            **fields,
        }
        for text in texts
    ]
    usage = {"prompt_tokens": 100, "completion_tokens": 10 * len(texts)}
    return 200, {"choices": choices, "usage": usage}, {}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        server = self.server
        payload = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with server.lock:
            server.asked.append(payload)
            server.headers.append(dict(self.headers))
            number = len(server.asked)
            server.busy += 1
            server.most = max(server.most, server.busy)
        outcome = server.answer(number, payload)
        if outcome is None:
            with server.lock:
                server.busy -= 1
            self.close_connection = True
            return
        status, body, headers = outcome
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        with server.lock:
            server.busy -= 1
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass
