#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual pages: mandoc has nothing to say of them, and they lead to one another."""

import re
import shutil
import subprocess
import sys
import tempfile

from checks import TREE, check, finish, manual, pages, read


def name_and_section(page):
    return tuple(page[len("man/"):].rsplit(".", 1))


def lint(page, nowhere):
    """What mandoc says; which pages of others are installed here is nobody's mistake."""
    said = subprocess.run(["mandoc", "-T", "lint", "-M", nowhere, TREE / page], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, encoding="utf-8", check=False).stdout
    return [line for line in said.splitlines() if "referenced manual not found" not in line]


def check_references(page, names):
    """Ours that it names must be there, and sonm-gateway(7) is where to begin."""
    for reference in re.findall(r"^\..*\bXr (sonm-\S+) (\d)", read(page), re.M):
        check(reference in names, "%s: there is no %s(%s)" % (page, *reference))
    also = [line for section, _, line in manual(page) if section == "SEE ALSO"]
    check(page == "man/sonm-gateway.7" or any("sonm-gateway 7" in line for line in also),
          "%s: SEE ALSO does not lead to sonm-gateway(7)" % page)
    itself = ".Dt %s %s" % tuple(part.upper() for part in name_and_section(page))
    check(itself in read(page).splitlines(), "%s: its title is not '%s'" % (page, itself))


def main():
    names = {name_and_section(page) for page in pages()}
    for page in pages():
        check_references(page, names)
        check(page in read("Makefile.am").split(), "%s is not installed" % page)
    wide = [n for n, line in enumerate(read("README").splitlines(), 1) if len(line) > 80]
    check(not wide, "README: lines of more than 80 columns: %s" % wide)
    for name, section in re.findall(r"\b(sonm-[\w.-]+)\((\d)\)", read("README") + read("HACKING")):
        check((name, section) in names, "README or HACKING: there is no %s(%s)" % (name, section))
    if not shutil.which("mandoc"):
        print("mandoc is not installed: the pages' language is not checked")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as nowhere:
        for page in pages():
            said = lint(page, nowhere)
            check(not said, "\n  ".join(said))
    finish()


main()
