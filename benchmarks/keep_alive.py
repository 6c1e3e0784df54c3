"""AWS keeps its connections open; moto's server closes each, and every call would pay for one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from werkzeug.test import Client

from tests.doubles import AwsDouble


@contextmanager
def kept_alive(aws: AwsDouble) -> Iterator[str]:
    """The URL of a server that hands every call to the double, and keeps its connections."""
    server: Any = aws._server._server
    moto = Client(server.app)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["content-length"]))
            answer = moto.post(self.path, data=sent, headers=dict(self.headers))
            self.send_response(answer.status_code)
            self.send_header("content-type", answer.headers["content-type"])
            self.send_header("content-length", str(len(answer.data)))
            self.end_headers()
            self.wfile.write(answer.data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as front:
        thread = threading.Thread(target=front.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{front.server_port}"
        finally:
            front.shutdown()
            thread.join()
