#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
coverage.py BUILD-DIR [DIRECTORY...]

Tells which lines of src/ and tools/ were executed, of programs that were built
for gcov in BUILD-DIR: by those that ran there, and by those whose counts are
below the directories (tests/lab/run, coverage). For each file the share, and by
name what was not executed: functions, and the lines of others; "nothing"
where no line was counted, as of a file that is all data. Fails if the share of
all is below the environment's "least", in percent (default: 85).
"""

import json
import os
import pathlib
import subprocess
import sys

TREE = pathlib.Path(__file__).resolve().parents[2]


def counted(object_directory, data):
    """What gcov says of one file of counts: (source, its report)."""
    said = subprocess.run(["gcov", "--json-format", "--stdout", "-o", object_directory, data], cwd=object_directory,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    for document in said.splitlines():
        for file in json.loads(document)["files"]:
            yield file


class Source:
    def __init__(self):
        self.lines, self.functions = {}, {}

    def add(self, file):
        for line in file["lines"]:
            number = line["line_number"]
            self.lines[number] = self.lines.get(number, 0) + line["count"]
        for function in file["functions"]:
            key = function["name"], function["start_line"], function["end_line"]
            self.functions[key] = self.functions.get(key, 0) + function["execution_count"]

    def hit(self):
        return sum(count > 0 for count in self.lines.values())

    def idle(self):
        """Functions that were never called, then the lines of others, as ranges."""
        never = [key for key, count in sorted(self.functions.items(), key=lambda item: item[0][1]) if count == 0]
        inside = {line for _, first, last in never for line in range(first, last + 1)}
        lines = sorted(n for n, count in self.lines.items() if count == 0 and n not in inside)
        ranges = []
        for line in lines:
            if ranges and line - ranges[-1][1] <= 1:
                ranges[-1][1] = line
            else:
                ranges.append([line, line])
        return [name + "()" for name, _, _ in never], [f"{a}-{b}" if a < b else str(a) for a, b in ranges]


def collect(build, directories):
    """Whoever was killed or had its power cut has left files that are damaged: they are passed over, and numbered."""
    sources, damaged = {}, 0
    for root in [build, *directories]:
        for data in sorted(root.rglob("*.gcda")):
            below = str(data.resolve()).split(str(build), 1)[-1] if root != build else str(data.relative_to(build))
            place = build / below.lstrip("/")
            try:
                files = list(link_counted(place, data))
            except subprocess.CalledProcessError:
                damaged += 1
                continue
            for file in files:
                path = pathlib.Path(os.path.normpath(build / file["file"]))
                if path.parent in (TREE / "src", TREE / "tools") and path.suffix == ".c":
                    sources.setdefault(str(path.relative_to(TREE)), Source()).add(file)
    return sources, damaged


def link_counted(place, data):
    """gcov wants the notes of the compiler beside the counts."""
    notes = place.with_suffix(".gcno")
    beside = data.with_suffix(".gcno")
    if not beside.exists():
        beside.symlink_to(notes)
    return counted(data.parent, data.name)


def main():
    build, *directories = [pathlib.Path(argument).resolve() for argument in sys.argv[1:]]
    sources, damaged = collect(build, directories)
    all_sources = {str(path.relative_to(TREE)) for pattern in ("src/*.c", "tools/*.c") for path in TREE.glob(pattern)}
    total = sum(len(source.lines) for source in sources.values())
    hit = sum(source.hit() for source in sources.values())
    for name, source in sorted(sources.items(), key=lambda item: item[1].hit() / max(1, len(item[1].lines))):
        functions, lines = source.idle()
        print(f"{100 * source.hit() / max(1, len(source.lines)):6.1f} % of {len(source.lines):4d}  {name}"
              f"{': ' if functions or lines else ''}{' '.join(functions + lines)}")
    for name in sorted(all_sources - set(sources)):
        print(f"          nothing  {name}")
    share = 100 * hit / total if total else 0
    print(f"{share:6.1f} % of {total} lines of {len(sources)} files; {damaged} damaged files of counts were passed over")
    sys.exit(share < float(os.environ.get("least", "85")) or not total)


main()
