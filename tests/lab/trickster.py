#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
trickster.py TRICK A1 A2 [P1 P2]     a STUN server with two addresses that misbehaves

Answers Binding requests at A1 and A2, ports P1 and P2 (3478 and 3479), over
UDP, as RFC 5780 has it, but for its trick. One trick, or several with commas:

  honest                none
  silent                never answers
  slow=MS               answers that much later
  flood=N               sends N datagrams for each request: the answer again and
                        again, with wrong transaction IDs, and garbage
  forge                 answers with wrong transaction IDs and garbage only
  no-other              says nothing of another address
  other=ADDRESS:PORT    says that this is its other address
  ignore-change         answers from where it was asked, whatever was asked
  refuse-change         answers CHANGE-REQUEST with error 420
  need-change           answers only requests that have CHANGE-REQUEST
  half-silent           A2 does not answer what is sent to it
  error=CODE            answers with that error
  lie=ADDRESS:PORT      says that this is the mapped address
  random                says another mapped address each time
  xor-only mapped-only  leaves the other attribute out
  rewritten             MAPPED-ADDRESS is another one than XOR-MAPPED-ADDRESS,
                        as if an ALG had put it there
  stranger              answers from a port of its own that nobody has asked
  short=N               leaves out the last N bytes of what the header promises
  long=N                adds N bytes in attributes that need not be understood
  endless=N             sends whom it has answered its last answer again, N times a
                        second, for ever
  unknown=TYPE          adds an attribute of that type (hexadecimal), which must
                        be comprehended if it is below 8000
"""
import ipaddress
import os
import random
import selectors
import socket
import struct
import sys
import threading
import time

COOKIE = 0x2112A442
REQUEST, RESPONSE, ERROR = 0x0001, 0x0101, 0x0111
MAPPED, CHANGE_REQUEST, ERROR_CODE, UNKNOWN_ATTRIBUTES = 0x0001, 0x0003, 0x0009, 0x000A
XOR_MAPPED, RESPONSE_ORIGIN, OTHER = 0x0020, 0x802B, 0x802C
CHANGE_IP, CHANGE_PORT = 4, 2


def attribute(kind, value):
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def address(kind, host, port, mask=b""):
    """An attribute with an address; mask: what an XOR- attribute is masked with."""
    packed = ipaddress.ip_address(host).packed
    if mask:
        port ^= COOKIE >> 16
        packed = bytes(a ^ b for a, b in zip(packed, mask))
    return attribute(kind, struct.pack("!BBH", 0, 1 if len(packed) == 4 else 2, port) + packed)


def endpoint(text):
    host, port = text.rsplit(":", 1)
    return host.strip("[]"), int(port)


def message(kind, transaction, attributes):
    return struct.pack("!HHI", kind, len(attributes), COOKIE) + transaction + attributes


def change_flags(attributes):
    """The flags of CHANGE-REQUEST, or None if it is absent."""
    while len(attributes) >= 4:
        kind, length = struct.unpack("!HH", attributes[:4])
        if kind == CHANGE_REQUEST and length == 4:
            return struct.unpack("!I", attributes[4:8])[0]
        attributes = attributes[4 + length + -length % 4:]
    return None


class Trickster:
    def __init__(self, tricks, addresses, ports):
        self.tricks = dict(trick.partition("=")[::2] for trick in tricks.split(","))
        self.random = random.Random(1)
        self.selector = selectors.DefaultSelector()
        self.followed = set()
        self.unasked = None
        self.later = []  # (when, socket, peer, datagram)
        self.sockets = {}
        for where in [(a, p) for a in (0, 1) for p in (0, 1)]:
            family = socket.AF_INET6 if ":" in addresses[0] else socket.AF_INET
            listener = socket.socket(family, socket.SOCK_DGRAM)
            listener.bind((addresses[where[0]], ports[where[1]]))
            self.sockets[where] = listener
            self.selector.register(listener, selectors.EVENT_READ, where)

    def run(self):
        while True:
            pause = max(0, self.later[0][0] - time.monotonic()) if self.later else None
            for key, _ in self.selector.select(pause):
                datagram, peer = key.fileobj.recvfrom(2048)
                if len(datagram) >= 20 and struct.unpack("!HHI", datagram[:8])[::2] == (REQUEST, COOKIE):
                    self.answer(key.data, datagram, peer)
            while self.later and self.later[0][0] <= time.monotonic():
                _, sender, peer, datagram = self.later.pop(0)
                sender.sendto(datagram, peer)

    def answer(self, where, request, peer):
        flags = change_flags(request[20:])
        if "silent" in self.tricks or "need-change" in self.tricks and flags is None:
            return
        if "half-silent" in self.tricks and where[0] == 1:
            return
        source = where
        if flags and "ignore-change" not in self.tricks:
            source = (where[0] ^ bool(flags & CHANGE_IP), where[1] ^ bool(flags & CHANGE_PORT))
        reply = self.compose(request, peer, flags, where, source)
        if "short" in self.tricks:
            reply = reply[:-int(self.tricks["short"])]
        self.send(self.stranger() if "stranger" in self.tricks else self.sockets[source], peer, reply)

    def stranger(self):
        """A socket at the first address, at a port that is told nobody."""
        if not self.unasked:
            first = self.sockets[0, 0]
            self.unasked = socket.socket(first.family, socket.SOCK_DGRAM)
            self.unasked.bind((first.getsockname()[0], 0))
        return self.unasked

    def compose(self, request, peer, flags, where, source):
        transaction = request[8:20]
        if "error" in self.tricks:
            return self.error(transaction, int(self.tricks["error"]))
        if flags and "refuse-change" in self.tricks:
            return self.error(transaction, 420, attribute(UNKNOWN_ATTRIBUTES, struct.pack("!H", CHANGE_REQUEST)))
        attributes = self.mapped(peer, transaction)
        attributes += address(RESPONSE_ORIGIN, *self.sockets[source].getsockname()[:2])
        if "other" in self.tricks:
            attributes += address(OTHER, *endpoint(self.tricks["other"]))
        elif "no-other" not in self.tricks:
            attributes += address(OTHER, *self.sockets[where[0] ^ 1, where[1] ^ 1].getsockname()[:2])
        for size in self.sizes():
            attributes += attribute(0xC000, bytes(size))
        if "unknown" in self.tricks:
            attributes += attribute(int(self.tricks["unknown"], 16), b"what")
        return message(RESPONSE, transaction, attributes)

    def sizes(self):
        """Of attributes that make the answer so much longer; each has a header of 4 bytes."""
        left = int(self.tricks.get("long", 0))
        while left > 0:
            yield min(left, 32768) - 4
            left -= 32768

    def error(self, transaction, code, attributes=b""):
        value = struct.pack("!HBB", 0, code // 100, code % 100) + b"No, thanks"
        return message(ERROR, transaction, attribute(ERROR_CODE, value) + attributes)

    def mapped(self, peer, transaction):
        host, port = peer[:2]
        if "lie" in self.tricks:
            host, port = endpoint(self.tricks["lie"])
        if "random" in self.tricks:
            host, port = f"203.0.113.{self.random.randrange(10, 250)}", self.random.randrange(1024, 65536)
        mask = struct.pack("!I", COOKIE) + transaction
        attributes = b""
        if "mapped-only" not in self.tricks:
            attributes += address(XOR_MAPPED, host, port, mask)
        if "rewritten" in self.tricks:
            attributes += address(MAPPED, "10.99.99.99", port)
        elif "xor-only" not in self.tricks:
            attributes += address(MAPPED, host, port)
        return attributes

    def send(self, sender, peer, reply):
        if "slow" in self.tricks:
            self.later.append((time.monotonic() + int(self.tricks["slow"]) / 1000, sender, peer, reply))
            return
        if "flood" in self.tricks:
            for _ in range(int(self.tricks["flood"]) // 4):
                for datagram in [reply, *self.forgeries(reply)]:
                    sender.sendto(datagram, peer)
        elif "forge" in self.tricks:
            for datagram in self.forgeries(reply):
                sender.sendto(datagram, peer)
        else:
            sender.sendto(reply, peer)
            self.repeat(sender, peer, reply)

    def repeat(self, sender, peer, reply):
        """Once for each who is answered, and from then on by itself."""
        if "endless" in self.tricks and peer not in self.followed:
            self.followed.add(peer)
            threading.Thread(target=self.follow, args=(sender, peer, reply), daemon=True).start()

    def follow(self, sender, peer, reply):
        while True:
            time.sleep(1 / int(self.tricks["endless"]))
            sender.sendto(reply, peer)

    def forgeries(self, reply):
        """Another transaction ID; a length that lies; no STUN at all."""
        return [reply[:8] + os.urandom(12) + reply[20:], reply[:-4], os.urandom(self.random.randrange(1200))]


if __name__ == "__main__":
    if len(sys.argv) not in (4, 6):
        sys.exit(__doc__)
    Trickster(sys.argv[1], sys.argv[2:4], [int(port) for port in sys.argv[4:]] or [3478, 3479]).run()
