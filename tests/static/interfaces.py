#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What other programs rely on: exit statuses, the names in the JSON, CSV and metrics, and the words for types.

The manual pages have what the code has, and the other way round. That the
right object has a name, 09-manual.sh looks in a kernel.
"""

import re

from checks import PROGRAMS, arguments, check, check_same, code, finish, manual, page_of, pages, program_sources, read


def check_exits():
    """sonm-vs(8) and README have them all, the others no other; nor does any text speak of another."""
    statuses = {int(number) for number in re.findall(r"\bEXIT_\w+ = (\d+)", code("tools/tool.h"))}
    check(len(statuses) > 5, "tools/tool.h: the exit statuses are not found")
    for page in map(page_of, PROGRAMS):
        listed = [int(line[4:]) for section, _, line in manual(page)
                  if section == "EXIT STATUS" and re.match(r"\.It \d+$", line)]
        check(listed == sorted(set(listed)) and listed[:1] == [0], "%s: exit statuses out of order" % page)
        check_same(set(listed) & statuses if page != page_of("sonm-vs") else statuses, listed,
                   "exit statuses in tools/tool.h and %s" % page)
    table = re.search(r"Exit statuses.*?\n((?:    .*\n)+)", read("README")).group(1)
    check_same(map(int, re.findall(r"\s(\d) [a-z]", table)), statuses, "exit statuses in README")
    for path in [*pages(), "README", "HACKING"]:
        for number in re.findall(r"exit(?:s with| status|s)?[\s:]+(\d+)\b|^\.\\\" status (\d+)", read(path), re.M | re.I):
            check(int("".join(number)) in statuses, "%s: there is no exit status %s" % (path, "".join(number)))


def json_names(path):
    """The names that a file gives to members: json_uint(j, "port", ...), view_json_x(j, "total"), and columns' keys."""
    text = code(path)
    calls = re.findall(r'\b(?:\w*json_\w+|put_counters)\(\s*[\w>.&-]+,\s*"(\w+)"(?:,\s*"(\w+)")?', text)
    return {name for call in calls for name in call if name}


def marked(page, chosen):
    """The words that Va marks in the sections of a page that are chosen."""
    return {word.strip(",") for section, subsection, line in manual(page) if chosen(section, subsection)
            for word in arguments(line, "Va")}


def check_json():
    """A name of one program is in its page; one of several programs', in a page of one of them."""
    said = {program: marked(page_of(program), lambda section, _: section == "JSON") for program in PROGRAMS}
    elsewhere = {program: marked(page_of(program), lambda section, _: section != "JSON") for program in PROGRAMS}
    files = {program: program_sources(program) for program in PROGRAMS}
    for program, paths in files.items():
        names = {path: json_names(path) for path in paths}
        check(names and any(names.values()), "%s: no names of JSON are found" % program)
        for path, found in names.items():
            owners = [other for other in PROGRAMS if path in files[other]]
            for name in found:
                check(any(name in said[owner] | elsewhere[owner] for owner in owners),
                      "%s: %s is not explained in %s" % (path, name, " or ".join(map(page_of, owners))))
        unknown = said[program] - set().union(*names.values())
        check(not unknown, "%s explains %s, which is in no JSON of %s" % (
            page_of(program), " ".join(sorted(unknown)), program))


def check_csv():
    """Columns are named as in the JSON."""
    names = {name for text in re.findall(r"#define \w+_COLUMNS (.*)|\b(?:names|header)\[\] = \{(.*?)\}",
                                         code("tools/gwstat_csv.c"))
             for name in re.findall(r'"(\w+)"', "".join(text))}
    check(len(names) > 10, "tools/gwstat_csv.c: the columns are not found")
    check(names <= marked("man/sonm-gwstat.8", lambda *_: True), "sonm-gwstat --format csv: not all columns are explained")


def check_metrics():
    text = code("tools/gwstat_metrics.c")
    counted = re.findall(r'COUNTED\("(\w+)"', text)
    names = {"sonm_gateway_%s%s_total" % (of, name) for name in counted for of in ("", "container_")}
    names |= {name for name in re.findall(r'"(sonm_gateway_\w+)"', text) if not name.endswith("_")}
    said = {word for word in marked("man/sonm-gwstat.8", lambda _, subsection: subsection == "Metrics")
            if word.startswith("sonm_")}
    check(len(counted) > 3, "tools/gwstat_metrics.c: the counters are not found")
    check_same(names, said, "metrics in the code and in sonm-gwstat(8)")
    for name in re.findall(r"sonm_gateway_\w+", read("contrib/grafana/sonm-gateway.json")):
        check(name in names, "contrib/grafana: there is no metric %s" % name)


def words_of(path, table):
    """The first text of each entry of a table in a C file."""
    body = re.search(r"\b%s\[[^\n]*?\] = \{(.*?)\n\t*\};" % table, code(path), re.S).group(1)
    return re.findall(r'\{\s*"(\w+)",', body)


def commands(page, chosen):
    """The words that Cm marks in the subsections that are chosen."""
    return [word.strip(",") for section, subsection, line in manual(page) if chosen(section, subsection)
            for word in arguments(line, "Cm")]


def check_words():
    """The words for types and reasons, in sonm-stun(1) and wherever a type is given."""
    types = words_of("src/nat_text.c", "types")
    check_same(types, items("man/sonm-stun.1", "Types"), "NAT types in the code and in sonm-stun(1)")
    check_same(words_of("src/nat_text.c", "reasons"), items("man/sonm-stun.1", "Notes"),
               "reasons in the code and in sonm-stun(1)")
    check_same(types, set(commands("man/sonm-gateway-save.5", lambda _, sub: sub == "A worker")) - {"name", "nat",
               "kind", "addresses", "reported_at", "private", "public"}, "NAT types in the code and in sonm-gateway-save(5)")


def items(page, subsection):
    """What Cm marks at the heads of the paragraphs of a subsection."""
    return [word.strip(",") for _, here, line in manual(page) if here == subsection and line.startswith(".It Cm")
            for word in arguments(line, "Cm")]


def main():
    check_exits()
    check_json()
    check_csv()
    check_metrics()
    check_words()
    finish()


main()
