#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""clang-tidy has nothing to say of the sources but what .clang-tidy leaves out."""

from analysis import compiler_flags, conclude, of_each_file, require

JUDGED = "14"


def main():
    is_judged = require("clang-tidy", JUDGED)
    flags = compiler_flags()
    said = of_each_file(lambda file: ["clang-tidy", "--quiet", file, "--", *flags])
    findings = {file: [line for line in text.splitlines() if " warning: " in line or " error: " in line]
                for file, text in said.items()}
    conclude(is_judged, findings)


main()
