# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks of the sources and manual pages have in common.

A check is run by "make check", or by hand: builddir=build tests/static/NAME.py.
It reads the tree and asks the programs in builddir; no kernel, no privileges.
"""

import os
import pathlib
import re
import subprocess
import sys

TREE = pathlib.Path(os.environ.get("srcdir") or pathlib.Path(__file__).parents[2]).resolve()
BUILD = pathlib.Path(os.environ.get("builddir") or ".").resolve()
PROGRAMS = {"sonm-gw-setup": 8, "sonm-gwstat": 8, "sonm-stun": 1, "sonm-vs": 8}

_done = []


def check(good, message):
    """One check; message says what is wrong if it is not good."""
    _done.append(None if good else message)
    return good


def check_same(one, other, message):
    """Two sets: names what is in one of them only."""
    one, other = set(one), set(other)
    check(one == other, "%s: only here: %s; only there: %s" % (
        message, " ".join(sorted(map(str, one - other))) or "nothing",
        " ".join(sorted(map(str, other - one))) or "nothing"))


def finish():
    """Prints what is wrong and the summary, and exits. Nothing checked is a failure."""
    failures = [message for message in _done if message]
    for message in failures:
        print("%s: %s" % (pathlib.Path(sys.argv[0]).name, message))
    good = len(_done) - len(failures)
    print("%d%%: Checks: %d, Failures: %d, Errors: %d" % (
        good * 100 // len(_done) if _done else 0, len(_done), len(failures), 0 if _done else 1))
    sys.exit(1 if failures or not _done else 0)


def read(path):
    return (TREE / path).read_text(encoding="utf-8")


def run(program, *arguments):
    """What one of the programs prints."""
    return subprocess.run([BUILD / program, *arguments], stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout


def sources(pattern):
    return sorted(path.relative_to(TREE) for path in TREE.glob(pattern))


def pages():
    return [str(path) for path in sources("man/*.[0-9]")]


def page_of(program):
    return "man/%s.%d" % (program, PROGRAMS[program])


def code(path):
    """A C file without its comments; literals stay."""
    return re.sub(r'("(?:\\.|[^"\\\n])*")|/\*.*?\*/|//[^\n]*', lambda m: m.group(1) or " ", read(path), flags=re.S)


def bare_code(path):
    """The same without what is in literals, but with the names of included files."""
    return re.sub(r'^(\s*#include.*)$|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
                  lambda m: m.group(1) or '""', code(path), flags=re.M)


def program_sources(program):
    """What Makefile.am says of it."""
    variables = {}
    for name, value in re.findall(r"^(\w+) = ((?:.*\\\n)*.*)", read("Makefile.am"), re.M):
        variables[name] = value.replace("\\\n", " ").split()

    def words(name):
        for word in variables[name]:
            inner = re.fullmatch(r"\$\((\w+)\)", word)
            yield from words(inner.group(1)) if inner else [word]

    return [word for word in words(program.replace("-", "_") + "_SOURCES") if word.endswith(".c")]


def manual(page):
    """The lines of a page: (section, subsection, line); comments left out."""
    section = subsection = ""
    for line in read(page).splitlines():
        if line.startswith(".Sh "):
            section, subsection = line[4:], ""
        elif line.startswith(".Ss "):
            subsection = line[4:]
        elif not line.startswith('.\\"'):
            yield section, subsection, line


def arguments(line, macro):
    """The arguments of a macro in a line of mdoc: of ".It Fl A , Fl \\-add Ar container" those of Fl."""
    found, inside = [], False
    for word in line.lstrip(".").split():
        if re.fullmatch(r"[A-Z][a-z]", word):
            inside = word == macro
        elif inside and re.search(r"\w", word):
            found.append(word.replace("\\-", "-").replace("\\&", ""))
    return found
