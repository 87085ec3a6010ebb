#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""gcc -fanalyzer follows the paths through each file, and finds nothing but what is in analyzer.known."""

import pathlib
import re

from analysis import chosen, compiler_flags, conclude, of_each_file, require
from checks import check

JUDGED = "12"


def read_known():
    """(file, function, finding), each with a reason above it."""
    lines = pathlib.Path(__file__).with_name("analyzer.known").read_text(encoding="utf-8").splitlines()
    return {tuple(line.split()) for line in lines if line and not line.startswith("#")}


def findings_of(file, said, met, known):
    function = "-"
    for line in said.splitlines():
        inside = re.search(r"In function '(\w+)'", line)
        function = inside.group(1) if inside else function
        found = re.search(r" warning: .*\[-Wanalyzer-([\w-]+)\]$", line)
        if found and (file, function, found.group(1)) in known:
            met.add((file, function, found.group(1)))
        elif found or " error: " in line:
            yield "%s (in %s)" % (line, function)


def main():
    is_judged = require("gcc", JUDGED)
    flags = compiler_flags()
    said = of_each_file(lambda file: ["gcc", *flags, "-O1", "-fanalyzer", "-fno-diagnostics-show-caret",
                                      "-fdiagnostics-path-format=none", "-c", "-o", "/dev/null", file])
    known, met = read_known(), set()
    findings = {file: list(findings_of(file, text, met, known)) for file, text in said.items()}
    unmet = {entry for entry in known - met if entry[0] in chosen()}
    check(not is_judged or not unmet, "analyzer.known has what is not found any more: %s" % sorted(unmet))
    conclude(is_judged, findings)


main()
