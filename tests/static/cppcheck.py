#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""cppcheck has nothing to say of the sources but what is in cppcheck.known."""

import pathlib

from analysis import chosen, conclude, require, run

JUDGED = "2.10"


def main():
    is_judged = require("cppcheck", JUDGED)
    known = pathlib.Path(__file__).with_name("cppcheck.known").resolve()
    said = run(["cppcheck", "-q", "-j2", "--enable=warning,style,performance,portability", "--std=c11", "-D_GNU_SOURCE",
                "-Isrc", "--suppressions-list=%s" % known, "--template={file}:{line}: {id}: {message}", *chosen()])
    findings = {}
    for line in said.splitlines():
        findings.setdefault(line.split(":")[0], []).append(line)
    for file in findings.keys() - set(chosen()):  # a header
        findings.setdefault(chosen()[0], []).extend(findings[file])
    conclude(is_judged, findings)


main()
