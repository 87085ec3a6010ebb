#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
mirror.py serve PORT      tell whoever connects to PORT, over TCP, UDP or (if the kernel has it) SCTP,
                          IPv4 or IPv6, from which address he comes
mirror.py ask             read lines "PROTOCOL ADDRESS PORT", ask there, and print what it says, or "nothing"
"""
import socket
import sys

SECONDS = 20  # what is lost on a busy machine is sent again
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


def ask(protocol, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_STREAM if protocol in STREAMS else socket.SOCK_DGRAM
    with socket.socket(family, kind, STREAMS.get(protocol, 0)) as peer:
        peer.settimeout(SECONDS)
        try:
            peer.connect((address, int(port)))
            if kind == socket.SOCK_DGRAM:
                peer.send(b"?")
            return peer.recv(64).decode() or "nothing"
        except OSError:
            return "nothing"


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(int(sys.argv[2]))
    elif sys.argv[1:2] == ["ask"]:
        for line in sys.stdin:
            print(ask(*line.split()), flush=True)
    else:
        sys.exit(__doc__)
