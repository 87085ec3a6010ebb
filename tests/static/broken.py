#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other checks fail if something is wrong: each mistake here is made in a copy of the tree, and must be named."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from checks import BUILD, PROGRAMS, TREE, check, finish

COPIED = ".clang-tidy ChangeLog HACKING Makefile.am README configure.ac completions contrib man src tools".split()

# Check: [(file, what is there, what is put in its place, what must be said)]. "" is there at the beginning.
MISTAKES = {
    "fence": [
        ("src/plan.c", '#include "plan.h"', '#include "plan.h"\n#include "store.h"', "must not include store.h"),
        ("src/store.c", "", '#include "ipvs.h"\n', "must not include ipvs.h"),
        ("src/err.c", "", '#include "route.h"\n', "must not include route.h"),
        ("src/hostnet.c", "", '#include "gateway.h"\n', "must not include gateway.h"),
        ("src/gateway.c", "", '#include "store_sql.h"\n', "which is for store only"),
        ("src/gateway_add.c", "", "#include <sqlite3.h>\n", "must not include <sqlite3.h>"),
        ("src/document_write.c", "", "# include <yaml.h>\n", "must not include <yaml.h>"),
        ("src/route.c", "", "#include <fcntl.h>\n", "must not include <fcntl.h>"),
        ("tools/vs_add.c", "", '#include "ipvs.h"\n', "must not include ipvs.h"),
        ("tools/tool.c", "", '#include "view.h"\n', "must not include view.h"),
        ("src/sysctl.c", "", 'void f(void) { printf("x"); }\n', "must not use: printf"),
        ("src/http.c", "", 'void f(void) { if (!getenv("x")) exit(1); }\n', "must not use: getenv"),
        ("src/pool.c", "", "long f(void) { return time(NULL); }\n", "must not call: time("),
        ("src/strange.c", None, "", "is of no module"),
        ("src/LAYERS", "plan            route", "plan            route worker", "but it does not"),
        ("HACKING", "  plan       ", "  plans      ", "does not explain plan"),
    ],
    "options": [
        ("man/sonm-vs.8", r".It Fl \-adopt", r".It Fl \-adapt", "only here: --adapt; only there: --adopt"),
        ("man/sonm-vs.8", r".It Fl p , Fl \-persistent", r".It Fl \-persistent", "begins with -p and --persistent"),
        ("man/sonm-vs.8", ".Op Fl \\-wait\n", "", "synopsis --delete: only here: nothing; only there: --wait"),
        ("man/sonm-gwstat.8", "Without\n.Fl \\-until ,", "Without\n.Fl \\-till ,", "speaks of --till"),
        ("man/sonm-vs.8", ".Ql sonm-vs --sync", ".Ql sonm-vs --sink", "'sonm-vs --sink'"),
        ("README", "sonm-gwstat --checkpoint", "sonm-gwstat --chekpoint", "'sonm-gwstat --chekpoint'"),
        ("tools/vs.c", "", 'const char *advice = "run \'sonm-gw-setup --aply\'";\n', "'sonm-gw-setup --aply'"),
        ("completions/bash/sonm-vs", "set-worker |", "set-wroker |", "no program takes set-wroker"),
        ("completions/zsh/_sonm-vs", "--cacert", "--ca-cert", "no program takes --ca-cert"),
        ("completions/fish/sonm-vs.fish", "-l token-file", "-l tokenfile", "no program takes --tokenfile"),
        ("completions/bash/sonm-vs", "complete -F _sonm_gateway sonm-vs sonm-gwstat", "complete -F _sonm_gateway sonm-vs",
         "does not complete sonm-gwstat"),
    ],
    "interfaces": [
        ("tools/tool.h", "EXIT_NO_KERNEL = 8", "EXIT_NO_KERNEL = 9", "exit statuses in tools/tool.h"),
        ("man/sonm-stun.1", ".It 7\n", ".It 9\n", "exit statuses in tools/tool.h and man/sonm-stun.1"),
        ("man/sonm-gateway.yaml.5", "exit status 2", "exit status 12", "there is no exit status 12"),
        ("README", "5 no port is free", "9 no port is free", "exit statuses in README"),
        ("man/sonm-vs.8", ".It Va persistence", ".It Va persistance", "persistance, which is in no JSON"),
        ("tools/vs_save.c", '"kept"', '"same"', "same is not explained"),
        ("tools/stun_view.c", '"rtt_us"', '"rtt"', "rtt is not explained"),
        ("tools/gwstat_csv.c", '"since"', '"begin"', "not all columns are explained"),
        ("tools/gwstat_metrics.c", "sonm_gateway_counting", "sonm_gateway_counts", "metrics in the code"),
        ("src/nat_text.c", '"port_restricted"', '"port_limited"', "NAT types in the code"),
        ("man/sonm-stun.1", ".It Cm loss", ".It Cm lost", "reasons in the code"),
    ],
    "files": [
        ("man/sonm-gateway.yaml.5", ".It Cm quarantine", ".It Cm quarantaine", "only here: quarantaine"),
        ("src/worker_config.c", '"ca_file"', '"cafile"', "only there: cafile"),
        ("man/sonm-gateway-save.5", ".It Cm persistence", ".It Cm persistent", "A route: only here: persistent"),
        ("man/sonm-gateway-state.5", ".It Va closed_at", ".It Va ended_at", "columns of ledger"),
        ("man/sonm-gateway-state.5", ".Ss Table uncertain", ".Ss Table unsure", "only here: unsure"),
        ("configure.ac", "AC_INIT([sonm-gateway], [", "AC_INIT([sonm-gateway], [9", "ChangeLog begins with"),
        ("contrib/debian/changelog", "sonm-gateway (0", "sonm-gateway (9", "contrib/debian/changelog is of version"),
        ("contrib/rpm/sonm-gateway.spec", "Version:        0", "Version:        9", "sonm-gateway.spec is of version"),
    ],
    "lint": [
        ("man/sonm-vs.8", ".Xr sonm-stun 1", ".Xr sonm-stunt 1", "there is no sonm-stunt(1)"),
        ("man/sonm-gw-setup.8", ".Xr sonm-gateway 7 ,\n", "", "does not lead to sonm-gateway(7)"),
        ("man/sonm-vs.8", ".Sh DESCRIPTION", ".Sh DESCRIPTION\n.Bogus", "man/sonm-vs.8"),
        ("Makefile.am", "man/sonm-vs.8", "man/sonm-vs.9", "is not installed"),
        ("README", "Licence: GPL", "Licence, of which there is more to say than fits into a line of a terminal: GPL",
         "more than 80 columns"),
        ("README", "sonm-gateway-save(5)", "sonm-gateway-saved(5)", "there is no sonm-gateway-saved(5)"),
    ],
}

# Likewise of those that take long, and are asked about this one file only.
DEFECTS = {
    "tidy": [
        ("src/pool.c", "", "int f(int n) {\n\tif (n > 2);\n\t\tn = 2;\n\treturn n;\n}\n", "bugprone-suspicious-semicolon"),
        ("src/pool.c", "", "#define TWICE(a) (a * 2)\n", "bugprone-macro-parentheses"),
    ],
    "cppcheck": [
        ("src/pool.c", "", "int f(void) { int a[2] = { 0, 1 }; return a[2]; }\n", "arrayIndexOutOfBounds"),
        ("src/pool.c", "", "int f(int n) { return n == 1 || n == 1; }\n", "knownConditionTrueFalse"),
    ],
    "analyzer": [
        ("src/pool.c", "", "#include <stdlib.h>\nvoid f(void *p) { free(p); free(p); }\n", "analyzer-double-free"),
        ("src/pool.c", "", "#include <stdlib.h>\nchar f(char *p) { free(p); return *p; }\n", "analyzer-use-after-free"),
        ("src/ruleset_judge.c", "item = list->n > 0 ? yamlfile_first(list) : NULL;", "item = right;",
         "is not found any more"),
    ],
}

# What hardened.py must say of a program that was linked so.
SOFT = {
    "-no-pie": "is at a fixed address",
    "-Wl,-z,norelro": "what the linker has filled in stays writable",
    "-Wl,-z,lazy": "functions are bound when they are called",
    "-Wl,-z,execstack": "the stack is executable",
    "-Wl,-rpath,/tmp": "looks for libraries elsewhere",
}


def copy_tree(to):
    for name in COPIED:
        copy = shutil.copytree if (TREE / name).is_dir() else shutil.copy
        copy(TREE / name, to / name)


def run_check(name, tree, *files, build=BUILD):
    done = subprocess.run([sys.executable, pathlib.Path(__file__).with_name(name + ".py"), *files], check=False,
                          env={**os.environ, "srcdir": str(tree), "builddir": str(build)},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    return done.returncode, done.stdout


def make(path, old, new):
    """Makes the mistake; returns what undoes it."""
    if old is None:
        path.write_text(new, encoding="utf-8")
        return path.unlink
    right = path.read_text(encoding="utf-8")
    if not check(old in right, "%s has no '%s' any more: choose another mistake to make" % (path.name, old)):
        return lambda: None
    path.write_text(right.replace(old, new, 1) if old else new + right, encoding="utf-8")
    return lambda: path.write_text(right, encoding="utf-8")


def check_mistake(name, tree, mistake, *files):
    file, old, new, expected = mistake
    undo = make(tree / file, old, new)
    status, said = run_check(name, tree, *files)
    undo()
    check(status == 1 and expected in said, "%s, '%s' for '%s' in %s: exit status %d, and no word of '%s':\n%s" % (
        name, new, old, file, status, expected, said))


def check_mistakes(name, tree):
    status, _ = run_check(name, tree)
    if status == 77:
        return
    if not check(status == 0, "%s fails as it is" % name):
        return
    for mistake in MISTAKES[name]:
        check_mistake(name, tree, mistake)


def check_defects(name, tree):
    for defect in DEFECTS[name]:
        status, said = run_check(name, tree, defect[0])
        if status == 77 or "has not been judged" in said:
            continue
        check_mistake(name, tree, defect, defect[0])


def link(program, flag):
    source = program.with_suffix(".c")
    source.write_text("int main(void) { return 0; }\n", encoding="utf-8")
    subprocess.run(["gcc", "-fPIE", "-pie", "-Wl,-z,relro,-z,now", flag, "-o", program, source], check=True)


def check_soft(build):
    for name in ["Makefile", "libsonm.a", *PROGRAMS]:
        shutil.copy(BUILD / name, build)
    status, _ = run_check("hardened", TREE, build=build)
    if status == 77 or not shutil.which("gcc"):
        return
    for flag, expected in SOFT.items():
        link(build / "sonm-stun", flag)
        status, said = run_check("hardened", TREE, build=build)
        check(status == 1 and "sonm-stun: " + expected in said, "hardened, with %s: exit status %d, and no word of '%s':\n%s" % (
            flag, status, expected, said))


def main():
    with tempfile.TemporaryDirectory() as directory:
        tree = pathlib.Path(directory)
        copy_tree(tree)
        for name in MISTAKES:
            check_mistakes(name, tree)
        for name in DEFECTS:
            check_defects(name, tree)
    with tempfile.TemporaryDirectory() as directory:
        check_soft(pathlib.Path(directory))
    finish()


main()
