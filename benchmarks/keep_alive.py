"""AWS keeps its connections open. moto's server closes each, and a call then pays for a new one."""

from typing import Any

from werkzeug.serving import WSGIRequestHandler

from tests.doubles import AwsDouble


class _KeepAlive(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body go out apart, and must not wait for each other

    def send_header(self, keyword: str, value: str) -> None:
        if keyword.lower() != "connection":
            super().send_header(keyword, value)


def keep_alive(aws: AwsDouble) -> None:
    server: Any = aws._server._server
    server.RequestHandlerClass = _KeepAlive
