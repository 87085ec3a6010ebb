# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks have in common that ask a compiler or an analyser about all sources.

With files as arguments, only about those. Each version of such a program has opinions of its own. Of the one that has
been judged every finding is a failure; those of another are printed, for whoever wants to judge them.
"""

import concurrent.futures
import os
import re
import shlex
import shutil
import subprocess
import sys

from checks import BUILD, TREE, check, finish, sources

LIBRARIES = "NL NL_GENL SQLITE YAML CURL READLINE".split()


def chosen():
    return sys.argv[1:] or [str(path) for pattern in ("src/*.c", "tools/*.c") for path in sources(pattern)]


def compiler_flags():
    """What the sources are compiled with, as configure found out; without warnings and optimisation."""
    values = dict(re.findall(r"^(\w+) = (.*)$", (BUILD / "Makefile").read_text(encoding="utf-8"), re.M))
    flags = shlex.split(" ".join(values[name] for name in ["DEFS", *(lib + "_CFLAGS" for lib in LIBRARIES)]))
    return ["-std=gnu17", "-Isrc", *dict.fromkeys(flags)]


def require(program, version):
    """Is it the version that was judged? Skips the check where it is missing."""
    if not shutil.which(program):
        print("%s is not installed" % program)
        sys.exit(77)
    said = subprocess.run([program, "--version"], stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout
    is_judged = re.search(r"\d+(\.\d+)+", said).group().split(".")[:version.count(".") + 1] == version.split(".")
    if not is_judged:
        print("what this version of %s says has not been judged" % program)
    return is_judged


def run(command):
    return subprocess.run(command, cwd=TREE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          env={**os.environ, "LC_ALL": "C"}, encoding="utf-8").stdout


def of_each_file(command):
    """What command(file) prints of each, two at a time: make has no job left for them."""
    files = chosen()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return dict(zip(files, pool.map(lambda file: run(command(file)), files)))


def conclude(is_judged, findings):
    """One check for each file: findings has what was found in those with any."""
    for file in chosen():
        found = findings.get(file, [])
        if not is_judged and found:
            print("\n".join(found))
        check(not is_judged or not found, "\n  ".join(found))
    finish()
