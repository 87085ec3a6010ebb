# SPDX-License-Identifier: GPL-3.0-or-later
"""
load: traffic between the places of lib.sh, from one process: starting others
takes too long here. Knows the network namespaces, but neither hub nor account.

What it sends never ends in a reset or an ICMP error of its own: TCP clients read
to the end, UDP clients stay. All else is cut off by the hub.
"""
import concurrent.futures
import ctypes
import hashlib
import os
import random
import selectors
import socket
import struct
import threading
import time

CLONE_NEWNET = 0x40000000
PART = 65536
PATTERN = random.Random(1).randbytes(PART)  # what is sent, again and again
UDP_ANSWERS = 8  # in a burst; more could overrun a queue on the way


def enter(namespace):
    """What sockets the calling thread opens from now on are there."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{namespace}", encoding="ascii") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")


def threads_in(namespace, number):
    return concurrent.futures.ThreadPoolExecutor(number, initializer=enter, initargs=(namespace,))


def keep_alive(connection):
    """Whoever waits in silence learns within seconds that he was cut off."""
    connection.settimeout(30)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)


class Worker:
    """Serves at any port, TCP and UDP, IPv4 and IPv6, until the process ends."""

    def __init__(self, name):
        self.place = threads_in(name, 1)
        self.answering = concurrent.futures.ThreadPoolExecutor(64)
        self.busy = set()
        self.selector = selectors.DefaultSelector()
        threading.Thread(target=self.serve, daemon=True).start()

    def listen(self, protocol, port):
        self.selector.register(self.place.submit(listener, protocol, port).result(), selectors.EVENT_READ)

    def serve(self):
        while True:
            for key, _ in self.selector.select(0.2):
                if key.fileobj.type == socket.SOCK_DGRAM:
                    answer_udp(key.fileobj)
                else:
                    answering = self.answering.submit(answer_tcp, key.fileobj.accept()[0])
                    self.busy.add(answering)
                    answering.add_done_callback(self.busy.discard)

    def rest(self):
        """Until no connection is left."""
        concurrent.futures.wait(list(self.busy))


def listener(protocol, port):
    if protocol == "tcp":
        return socket.create_server(("::", port), family=socket.AF_INET6, backlog=64, dualstack_ipv6=True)
    datagrams = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    datagrams.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    datagrams.bind(("::", port))
    return datagrams


def sent(size):
    """So many bytes as they are sent, in parts."""
    for at in range(0, size, PART):
        yield PATTERN[:size - at]


def digest_of(parts):
    """Tells apart whatever was lost, doubled, moved or changed."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


def received(connection, size=None):
    """What comes, in parts: so many bytes, or until the end."""
    while size != 0:
        part = connection.recv(PART if size is None else min(size, PART))
        if not part:
            if size is None:
                return
            raise ConnectionResetError
        size = None if size is None else size - len(part)
        yield part


def answer_tcp(connection):
    """A request says how many bytes follow it, and how many are wanted; if those are not what was sent, none come."""
    with connection:
        try:
            keep_alive(connection)
            size, wanted = struct.unpack("!QQ", connection.recv(16, socket.MSG_WAITALL))
            intact = digest_of(received(connection, size)) == digest_of(sent(size))
            for part in sent(wanted if intact else 0):
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
        except (OSError, struct.error):  # cut off
            pass


def answer_udp(datagrams):
    request, peer = datagrams.recvfrom(2048)
    answers, size = struct.unpack("!HH", request[:4])
    for _ in range(answers):
        datagrams.sendto(PATTERN[:size], peer)


class Client:
    """Several transfers at once. Each has a local port of its own, by which witnesses know it."""

    def __init__(self, patience=0.7):
        self.patience = patience  # seconds for an answer over UDP
        self.place = threads_in("client", 24)
        self.open = []  # a client of UDP that has gone would answer what still comes with ICMP errors
        self.transfers = []

    def transfer(self, protocol, endpoint, port, size, wanted, pause=0):
        """Sends and fetches so many bytes, or what it can; with a pause after each part. A future."""
        move = self.transfer_tcp if protocol == "tcp" else self.transfer_udp
        future = self.place.submit(move, endpoint, port, size, wanted, pause)
        self.transfers.append(future)
        return future

    def rest(self):
        """Until all transfers have ended; the number of those that got everything."""
        done = sum(transfer.result() for transfer in self.transfers)
        self.transfers = []
        return done

    def transfer_tcp(self, endpoint, port, size, wanted, pause):
        digest = hashlib.sha256()
        with socket_at(endpoint, socket.SOCK_STREAM, port) as server:
            try:
                keep_alive(server)
                server.connect(endpoint)
                server.sendall(struct.pack("!QQ", size, wanted) + b"".join(sent(size)))
                for part in received(server):
                    digest.update(part)
                    time.sleep(pause)
            except OSError:  # refused or cut off
                pass
        return digest.digest() == digest_of(sent(wanted))

    def transfer_udp(self, endpoint, port, size, wanted, pause):
        answer = PATTERN[:1 + wanted % 1300]
        request = struct.pack("!HH", UDP_ANSWERS, len(answer)) + bytes(size % 1300)
        server = socket_at(endpoint, socket.SOCK_DGRAM, port)
        self.open.append(server)
        server.settimeout(self.patience)
        server.connect(endpoint)
        got = 0
        try:
            while got < wanted:
                server.send(request)
                for _ in range(UDP_ANSWERS):
                    if server.recv(2048) != answer:
                        raise ConnectionError
                    got += len(answer)
                time.sleep(pause)
        except OSError:  # refused, cut off, or not what was sent
            pass
        return got >= wanted


def socket_at(endpoint, kind, port):
    made = socket.socket(socket.AF_INET6 if ":" in endpoint[0] else socket.AF_INET, kind)
    made.bind(("", port))
    return made


def bytes_at(place):
    """Of a place with count_ports (lib.sh): how many IP bytes came to each port, by (protocol, port)."""
    with os.popen(f"ip netns exec {place} ipset save") as save:
        words = [line.split() for line in save if line.startswith("add ")]
    return {(word[1], int(word[2])): int(word[6]) for word in words if word[6] != "0"}
