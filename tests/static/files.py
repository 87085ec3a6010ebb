#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files: the keys of the configuration and of what is saved, and the state file's tables, are as the manual says.

And the version is the same everywhere.
"""

import re
import sqlite3
import subprocess
import tempfile

from checks import BUILD, PROGRAMS, arguments, check, check_same, code, finish, manual, read, run


def keys(path):
    """The tables of keys in a C file: name of the table: names of the keys."""
    return {table: re.findall(r'\{ "(\w+)", \w+ \}', body)
            for table, body in re.findall(r"struct reader_key (\w+)\[\] = \{(.*?)\};", code(path), re.S)}


def items(page, subsection):
    """The keys that a subsection explains: (depth of the list, key)."""
    depth = 0
    for _, here, line in manual(page):
        depth += line.startswith(".Bl") - line.startswith(".El")
        if here == subsection and line.startswith(".It Cm"):
            yield depth, arguments(line, "Cm")[0]


def at(depth, pairs):
    return [key for where, key in pairs if where == depth]


def check_configuration():
    page = "man/sonm-gateway.yaml.5"
    hub, worker = keys("src/config.c"), keys("src/worker_config.c")
    check_same(at(1, items(page, "The hub")), hub["gateway_keys"], "the section gateway in %s and config.c" % page)
    check_same(hub["sections"], ["gateway"], "the hub's sections")
    listed = list(items(page, "The worker"))
    check_same(at(1, listed), worker["sections"], "the worker's keys in %s and worker_config.c" % page)
    inner = [*worker["firewall_keys"], *worker["report_keys"]]
    check_same(at(2, listed), inner, "the keys of the worker's sections in %s and worker_config.c" % page)


def check_saved():
    page, tables = "man/sonm-gateway-save.5", keys("src/document_yaml.c")
    for subsection, table in (("The document", "root_keys"), ("A worker", "worker_keys"), ("A route", "route_keys")):
        check_same(at(1, items(page, subsection)), tables[table], "%s: %s" % (page, subsection))
    check_same(at(2, items(page, "A route")), tables["server_keys"], "%s: a real server" % page)


def fresh_state(directory):
    """A state file that has just been made: this changes no kernel and needs no privileges."""
    with open(directory + "/gateway.yaml", "w", encoding="utf-8") as config:
        config.write("gateway:\n  state: %s/state/gateway.db\n" % directory)
    subprocess.run([BUILD / "sonm-vs", "-c", config.name, "--set-worker", "w1", "--nat", "symmetric"],
                   stdout=subprocess.DEVNULL, check=True)
    return sqlite3.connect(directory + "/state/gateway.db")


def described():
    """The tables in the manual: name: columns."""
    tables = {}
    for _, subsection, line in manual("man/sonm-gateway-state.5"):
        if subsection.startswith("Table ") and line.startswith(".It Va"):
            tables.setdefault(subsection[6:], []).extend(word.strip(",") for word in arguments(line, "Va"))
    return tables


def check_state():
    with tempfile.TemporaryDirectory() as directory:
        db = fresh_state(directory)
        tables = {name: [column[1] for column in db.execute("PRAGMA table_info(%s)" % name)] for name, in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall()}
        numbers = [db.execute("PRAGMA " + name).fetchone()[0] for name in ("user_version", "application_id")]
        db.close()
    said = described()
    check_same(said, tables, "tables in sonm-gateway-state(5) and in the file")
    for name, columns in tables.items():
        check_same(said.get(name, []), columns, "columns of %s in sonm-gateway-state(5) and in the file" % name)
    text = " ".join(line for _, _, line in manual("man/sonm-gateway-state.5"))
    check("is the version of what is described here, %d;" % numbers[0] in text, "user_version is %d" % numbers[0])
    check("is %d." % numbers[1] in text, "application_id is %d" % numbers[1])
    versions = [int(line[4:]) for _, here, line in manual("man/sonm-gateway-state.5")
                if here == "Versions" and line.startswith(".It ")]
    check(versions == list(range(1, numbers[0] + 1)), "versions in sonm-gateway-state(5): %s" % versions)


def check_version():
    version = re.search(r"AC_INIT\(\[sonm-gateway\], \[(.*?)\]", read("configure.ac")).group(1)
    newest = re.search(r"^(\d\S*)", read("ChangeLog"), re.M).group(1)
    check(newest == version, "ChangeLog begins with %s, configure.ac has %s" % (newest, version))
    for name in PROGRAMS:
        check(run(name, "--version") == "%s (sonm-gateway) %s\n" % (name, version),
              "%s --version does not say %s" % (name, version))
    packages = (("contrib/debian/changelog", r"^sonm-gateway \((.*)-"), ("contrib/rpm/sonm-gateway.spec", r"^Version: *(\S+)"))
    for path, pattern in packages:
        packaged = re.search(pattern, read(path), re.M).group(1)
        check(packaged == version, "%s is of version %s, configure.ac of %s" % (path, packaged, version))


def main():
    check_configuration()
    check_saved()
    check_state()
    check_version()
    finish()


main()
