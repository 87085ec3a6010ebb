#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
peer.py serve FILE PORT               serve FILE over HTTP/1.0 and UDP, IPv4 and IPv6, at PORT
peer.py fetch ADDRESS PORT            fetch it over UDP and write it to the standard output
peer.py ask FILE                      read lines "download ADDRESS PORT", "datagrams ADDRESS PORT" or "upload
                                      ADDRESS PORT": fetch over TCP or UDP and print the SHA-256 of what came, or
                                      post FILE and print the server's answer; "nothing" if that fails
peer.py hear ADDRESS PORT FILE        ask for a stream over UDP, send nothing more, and hear it while there is FILE
peer.py serve-sctp FILE PORT          serve FILE to whoever connects over SCTP, IPv4 and IPv6, at PORT
peer.py fetch-sctp ADDRESS PORT       fetch it over SCTP and write it to the standard output

Who posts something to the HTTP server is told its SHA-256 instead.

The HTTP server sends no length and closes first: when a client has all, it has
seen the end of the connection too, and no packet is still to come.

UDP: a request is an offset, 8 bytes; its answer is the offset and up to 1200
bytes from there; fewer are the last. The client asks again if none comes. A
request of "stream" is answered with a datagram a millisecond, until "stop" comes
from anywhere.
"""
import os
import socket
import struct
import sys
import threading
import time

CHUNK = 1200
streaming = threading.Event()


def serve(path, port):
    with open(path, "rb") as file:
        content = file.read()
    listener = socket.create_server(("::", port), family=socket.AF_INET6, backlog=64, dualstack_ipv6=True)
    threading.Thread(target=serve_http, args=(listener, content), daemon=True).start()
    datagrams = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    datagrams.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    datagrams.bind(("::", port))
    while True:
        request, peer = datagrams.recvfrom(64)
        if len(request) == 8:
            offset = struct.unpack("!Q", request)[0]
            datagrams.sendto(request + content[offset:offset + CHUNK], peer)
        elif request == b"stream":
            streaming.set()
            threading.Thread(target=stream, args=(datagrams, peer), daemon=True).start()
        elif request == b"stop":
            streaming.clear()


def stream(datagrams, peer):
    while streaming.is_set():
        datagrams.sendto(bytes(900), peer)
        time.sleep(0.001)


def serve_http(listener, content):
    while True:
        connection = listener.accept()[0]
        threading.Thread(target=answer, args=(connection, content), daemon=True).start()


def answer(connection, content):
    with connection:
        try:
            request = b""
            while b"\r\n\r\n" not in request:
                part = connection.recv(4096)
                if not part:
                    return
                request += part
            reply = digest(connection, request) if request.startswith(b"POST") else content
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
            connection.sendall(reply)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
        except OSError:  # the client is gone, or was cut off
            pass


def digest(connection, request):
    import hashlib  # not for who only fetches: starting takes long in an emulated computer

    head, body = request.split(b"\r\n\r\n", 1)
    length = head.lower().split(b"content-length:")[1].split()[0]
    received, left = hashlib.sha256(body), int(length) - len(body)
    while left > 0 and (part := connection.recv(min(left, 65536))):
        received.update(part)
        left -= len(part)
    return received.hexdigest().encode()


def fetch(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as server:
        server.connect((address, port))
        server.settimeout(0.5)
        offset, chunk = 0, b""
        while offset == 0 or len(chunk) == CHUNK:
            chunk = fetch_chunk(server, offset)
            yield chunk
            offset += len(chunk)


def hear(address, port, path):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as server:
        server.connect((address, port))
        server.send(b"stream")
        while os.path.exists(path):
            time.sleep(0.1)


def serve_sctp(path, port):
    with open(path, "rb") as file:
        content = file.read()
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_SCTP) as listener:
        listener.bind(("::", port))
        listener.listen(64)
        while True:
            connection = listener.accept()[0]
            with connection:
                for at in range(0, len(content), CHUNK):
                    connection.send(content[at:at + CHUNK])


def fetch_sctp(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_SCTP) as server:
        server.settimeout(10)
        server.connect((address, port))
        while chunk := server.recv(65536):
            sys.stdout.buffer.write(chunk)


def web(address, port, request):
    with socket.create_connection((address, port), 20) as server:
        server.sendall(request)
        reply = b""
        while part := server.recv(65536):
            reply += part
    return reply.split(b"\r\n\r\n", 1)[1]


def ask(path):
    from hashlib import sha256

    with open(path, "rb") as file:
        content = file.read()
    post = b"POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(content) + content
    for line in sys.stdin:
        what, address, port = line.split()
        try:
            if what == "upload":
                answer = web(address, int(port), post).decode()
            elif what == "download":
                answer = sha256(web(address, int(port), b"GET / HTTP/1.0\r\n\r\n")).hexdigest()
            else:
                answer = sha256(b"".join(fetch(address, int(port)))).hexdigest()
        except (OSError, IndexError, SystemExit):
            answer = "nothing"
        print(answer or "nothing", flush=True)


def fetch_chunk(server, offset):
    for _ in range(20):
        try:
            server.send(struct.pack("!Q", offset))
            while True:
                reply = server.recv(8 + CHUNK)
                if struct.unpack("!Q", reply[:8])[0] == offset:
                    return reply[8:]
        except (TimeoutError, ConnectionRefusedError):
            pass
    sys.exit("peer.py: no answer")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1:2] == ["fetch"]:
        for part in fetch(sys.argv[2], int(sys.argv[3])):
            sys.stdout.buffer.write(part)
    elif sys.argv[1:2] == ["ask"]:
        ask(sys.argv[2])
    elif sys.argv[1:2] == ["hear"]:
        hear(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    elif sys.argv[1:2] == ["serve-sctp"]:
        serve_sctp(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1:2] == ["fetch-sctp"]:
        fetch_sctp(sys.argv[2], int(sys.argv[3]))
    else:
        sys.exit(__doc__)
