"""A web server for a lab: one small page that names its node, whatever is asked for.

    python3 http_server.py NODE        with the listening socket on descriptor 3

It runs the standard library's server and has no folder to serve: the user's working directory is not shown to anyone.
"""

import socket
import socketserver
import sys
from http.server import BaseHTTPRequestHandler
from typing import Any


class Page(BaseHTTPRequestHandler):
    """Answers GET and HEAD with the node's name and who asked; logs to standard error as the standard library does."""

    protocol_version = "HTTP/1.1"
    node: str

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, body: bool) -> None:
        client = str(self.client_address[0]).removeprefix("::ffff:")
        text = f"Hello from {self.node}. You are {client}, and asked for {self.path}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if body:
            self.wfile.write(text)


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Serves on a socket that listens already."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, page: Any) -> None:
        super().__init__(("", 0), page, bind_and_activate=False)
        self.socket.close()
        self.socket = listener


def main() -> None:
    Page.node = sys.argv[1]
    Server(socket.socket(fileno=3), Page).serve_forever()


if __name__ == "__main__":
    main()
