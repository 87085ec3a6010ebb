#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
mirror.py serve PORT      tell whoever connects to PORT, over TCP, UDP or (if the kernel has it) SCTP,
                          IPv4 or IPv6, from which address he comes
mirror.py ask             read lines "SECONDS PROTOCOL ADDRESS PORT [PROTOCOL ADDRESS PORT]...", ask all of a line
                          at once, and print in a line what each says within that time, or "nothing"
"""
import select
import socket
import sys
import time

STREAMS = {"tcp": socket.IPPROTO_TCP, "sctp": socket.IPPROTO_SCTP}


def name(peer):
    return peer[0].removeprefix("::ffff:").encode()


def serve_streams(protocol, port):
    try:
        listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, protocol)
    except OSError:
        return
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("::", port))
    listener.listen(16)
    while True:
        connection, peer = listener.accept()
        with connection:
            connection.send(name(peer))


def serve(port):
    import threading  # not for who only asks: starting takes long in an emulated computer

    for protocol in STREAMS.values():
        threading.Thread(target=serve_streams, args=(protocol, port), daemon=True).start()
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as datagrams:
        datagrams.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        datagrams.bind(("::", port))
        while True:
            peer = datagrams.recvfrom(64)[1]
            datagrams.sendto(name(peer), peer)


# None if it fails at once.
def begin(protocol, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_STREAM if protocol in STREAMS else socket.SOCK_DGRAM
    try:
        peer = socket.socket(family, kind, STREAMS.get(protocol, 0))
        peer.setblocking(False)
        try:
            peer.connect((address, int(port)))
        except BlockingIOError:
            pass
        if kind == socket.SOCK_DGRAM:
            peer.send(b"?")
        return peer
    except OSError:
        return None


def hear(peer):
    try:
        with peer:
            return peer.recv(64).decode() or "nothing"
    except OSError:
        return "nothing"


def ask(questions, seconds):
    deadline = time.monotonic() + seconds
    peers = [begin(*question) for question in questions]
    waiting = {peer for peer in peers if peer}
    heard = {}
    while waiting and (left := deadline - time.monotonic()) > 0:
        for peer in select.select(waiting, [], [], left)[0]:
            waiting.remove(peer)
            heard[peer] = hear(peer)
    for peer in waiting:
        peer.close()
    return [heard.get(peer, "nothing") for peer in peers]


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(int(sys.argv[2]))
    elif sys.argv[1:2] == ["ask"]:
        for line in sys.stdin:
            seconds, *words = line.split()
            print(*ask([words[i:i + 3] for i in range(0, len(words), 3)], float(seconds)), flush=True)
    else:
        sys.exit(__doc__)
