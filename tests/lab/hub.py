#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
hub.py PORT BODY-FILE [--cert PEM --key PEM] [--token TOKEN] [--script STATUS,...]

Takes what workers post, over HTTP, or HTTPS with a certificate, IPv4 and IPv6,
at PORT. The body of each post that is answered with 2xx becomes BODY-FILE, all
at once; the request line and the headers of every post are added to
BODY-FILE.log, with an empty line after each.

With --token a post without "Authorization: Bearer TOKEN" is answered with 401.
Of the others the first gets the first status of the script, and so on; all that
come later, and without a script all, get 200.
"""
import argparse
import http.server
import os
import socket
import socketserver
import ssl
import threading


class Hub(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True

    def __init__(self, options):
        self.options = options
        self.script = [int(status) for status in options.script.split(",") if status]
        self.lock = threading.Lock()
        super().__init__(("::", options.port), Post)
        if options.cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(options.cert, options.key)
            # The handshake is made by the request's own thread: nobody waits for a silent client.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        socketserver.TCPServer.server_bind(self)  # HTTPServer's would ask a resolver for our name

    def take(self, post, body):
        """Keeps the post; returns the status of its answer."""
        with self.lock:
            with open(self.options.body + ".log", "a", encoding="latin-1") as log:
                log.write(f"{post.requestline}\n{post.headers}")
            status = self.status(post.headers["Authorization"])
            if 200 <= status <= 299:
                with open(self.options.body + ".new", "wb") as file:
                    file.write(body)
                os.replace(self.options.body + ".new", self.options.body)
            return status

    def status(self, authorization):
        if self.options.token and authorization != "Bearer " + self.options.token:
            return 401
        return self.script.pop(0) if self.script else 200

    def handle_error(self, request, client_address):
        pass  # the client is gone, or does not like the certificate


class Post(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.take(self, body))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format, *args):
        pass


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("body")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--token")
    parser.add_argument("--script", default="")
    Hub(parser.parse_args()).serve_forever()
