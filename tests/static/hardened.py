#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs have what makes a mistake in them harder to exploit, as readelf sees it."""

import re
import shutil
import subprocess
import sys

from checks import BUILD, PROGRAMS, check, finish


def readelf(*arguments):
    return subprocess.run(["readelf", "-W", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
                          encoding="utf-8", errors="replace").stdout


def flags():
    """What Makefile says of CFLAGS and the like, in one text."""
    values = re.findall(r"^(?:HARDENING_\w+|CPPFLAGS|CFLAGS) = (.*)$", (BUILD / "Makefile").read_text(encoding="utf-8"), re.M)
    return " ".join(values)


def check_program(name):
    head, segments, dynamic = (readelf(option, BUILD / name) for option in ("-h", "-l", "-d"))
    check(re.search(r"Type: +DYN", head) and re.search(r"FLAGS_1.*\bPIE\b", dynamic), "%s: is at a fixed address" % name)
    check("GNU_RELRO" in segments, "%s: what the linker has filled in stays writable" % name)
    check(re.search(r"FLAGS_1.*\bNOW\b", dynamic), "%s: functions are bound when they are called" % name)
    check(re.search(r"GNU_STACK.* RW ", segments), "%s: the stack is executable" % name)
    check(not re.search(r"(LOAD|STACK).* RWE ", segments), "%s: has memory both writable and executable" % name)
    check("(TEXTREL)" not in dynamic, "%s: its code is changed when it is loaded" % name)
    check(not re.search(r"\((RPATH|RUNPATH)\)", dynamic), "%s: looks for libraries elsewhere than the system" % name)


def check_objects(chosen):
    """Of our own code, not of what is linked in."""
    symbols = readelf("-s", BUILD / "libsonm.a")
    files = symbols.count("\nFile: ")
    guarded = len(re.findall(r"UND __stack_chk_fail\b", symbols))
    check(guarded * 2 > files, "libsonm.a: of %d files only %d look whether the stack was overwritten" % (files, guarded))
    if "_FORTIFY_SOURCE" in chosen:
        fortified = set(re.findall(r"UND (__(?:\w*printf|\w*cpy|read)_chk)\b", symbols))
        check(fortified >= {"__snprintf_chk", "__memcpy_chk"}, "libsonm.a: bounds that are known are not checked: %s" % fortified)
    if "-fcf-protection" in chosen:
        check("IBT, SHSTK" in readelf("-n", BUILD / "libsonm.a"), "libsonm.a: jumps and returns are not guarded")


def main():
    chosen = flags()
    if "-z,relro" not in chosen:
        print("configured without hardening")
        sys.exit(77)
    if not shutil.which("readelf"):
        print("readelf is not installed")
        sys.exit(77)
    for name in PROGRAMS:
        check_program(name)
    check_objects(chosen)
    finish()


main()
