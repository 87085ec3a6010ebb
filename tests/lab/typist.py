#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays somebody at a terminal.

typist.py COMMAND [ARGUMENT...] <SCRIPT

The command runs at a pseudo-terminal of 24 lines and 80 columns. A line of the
script is one of

  type KEYS      types them; \\t, \\r, \\x03 and the like are understood
  see TEXT       waits until it appears, behind what was seen before
  unseen TEXT    it has not appeared since the last thing that was seen
  run COMMAND    runs a command of the shell meanwhile, which has to succeed
  end STATUS     waits for the end, and for this exit status

What appears is printed, with control characters written out, but TAB and newline.
"""

import os
import pty
import select
import struct
import subprocess
import sys
import time
import fcntl
import termios

PATIENCE = 60  # seconds


class Terminal:
    def __init__(self, command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvp(command[0], command)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.ahead = ""  # has appeared, is not looked at

    def read(self, seconds):
        """Takes in what appears; False: nothing, or nothing any more."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        text = data.decode(errors="replace")
        sys.stdout.write("".join(c if c >= " " or c in "\t\n" else "" if c == "\r" else "^" + chr(ord(c) + 64)
                                 for c in text))
        sys.stdout.flush()
        self.ahead += text
        return bool(data)

    def see(self, text):
        deadline = time.monotonic() + PATIENCE
        while text not in self.ahead:
            if not self.read(max(0, deadline - time.monotonic())):
                raise SystemExit(f"\ntypist: {text!r} does not appear")
        self.ahead = self.ahead.split(text, 1)[1]

    def unseen(self, text):
        if text in self.ahead:
            raise SystemExit(f"\ntypist: {text!r} has appeared")

    def run(self, command):
        subprocess.run(command, shell=True, check=True)

    def end(self, status):
        deadline = time.monotonic() + PATIENCE
        while self.read(max(0, deadline - time.monotonic())):
            pass
        if time.monotonic() >= deadline:
            raise SystemExit("\ntypist: it does not end")
        found = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if found != int(status):
            raise SystemExit(f"\ntypist: exit status {found}, not {status}")


def main():
    terminal = Terminal(sys.argv[1:])
    for line in sys.stdin.read().splitlines():
        verb, _, rest = line.strip().partition(" ")
        rest = rest.encode().decode("unicode_escape")
        if verb == "type":
            os.write(terminal.fd, rest.encode())
        elif verb in ("see", "unseen", "run", "end"):
            getattr(terminal, verb)(rest)
        elif verb:
            raise SystemExit(f"typist: what is {verb!r}?")


main()
