#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands and options: what the programs take, their manual pages and the shells' completions are the same.

The tables in the programs decide; --help and --complete-words are made of them.
"""

import re

from checks import (PROGRAMS, TREE, arguments, check, check_same, code, finish, manual, page_of, pages, read, run,
                    sources)

COMMON = {"--json", "--config", "--help", "--version"}  # a synopsis of --help leaves them out


class Program:
    """What --help and --complete-words say."""

    def __init__(self, name):
        self.name = name
        self.help = run(name, "--help")
        self.words = dict(line.split("\t", 1) for line in run(name, "--complete-words").splitlines())
        self.long = {}  # of a letter: "-A": "--add"
        self.arg = {}  # the names of options' arguments: "--config": "FILE"
        self.names = set()
        for letter, option, arg in re.findall(r"^  (-\w)?,? +(--[a-z0-9-]+)(?:\[=|[ ])?([A-Z]*)", self.help, re.M):
            self.names |= {letter, option} - {""}
            self.arg[option] = arg
            if letter:
                self.long[letter] = option

    def spelled_out(self, names):
        return {self.long.get(name, name) for name in names}

    def usage(self):
        """The options of each usage in --help."""
        text = self.help.split("Usage:\n")[1].split("\n\n")[0]
        for usage in re.split(r"^  %s " % self.name, text, flags=re.M)[1:]:
            yield self.spelled_out(flags(usage))


def flags(text):
    """The options in a text for people: -t, --drain."""
    return re.findall(r"(?<![\w-])--?[a-zA-Z0-9][\w-]*", text)


def dashed(words):
    return ["-" + word for word in words]


def manual_flags(page, chosen):
    """The options that Fl marks in the lines of a page that are chosen."""
    return [flag for section, _, line in manual(page) if chosen(section, line) for flag in dashed(arguments(line, "Fl"))]


def check_words(program):
    """--complete-words and --help say the same."""
    options = {word for word in program.words if word.startswith("-")}
    check_same(options, program.arg, "%s: --complete-words and --help" % program.name)
    commands = {"--" + word for word in program.words if not word.startswith("-")}
    check(commands <= options, "%s: commands without an option: %s" % (program.name, commands - options))


def check_described(program):
    """Each option has a paragraph, with its letter, and there is no other paragraph."""
    page = page_of(program.name)
    items = [line for _, _, line in manual(page) if line.startswith(".It Fl ")]
    check_same((flag for line in items for flag in dashed(arguments(line, "Fl"))), program.names,
               "%s describes, %s takes" % (page, program.name))
    for letter, name in program.long.items():
        begin = ".It Fl %s , Fl \\%s" % (letter[1:], name[1:].replace("-", r"\-", 1).lstrip("\\"))
        check(any(line.replace("\\-", "-").startswith(begin.replace("\\-", "-")) for line in items),
              "%s: no paragraph begins with %s and %s" % (page, letter, name))
    # "Fl S , R" would hide an option that is not there: all that is marked is looked at.
    others = set(manual_flags(page, lambda section, line: True)) - program.names
    check(not others, "%s speaks of %s, which %s does not take" % (page, " ".join(sorted(others)), program.name))


def synopses(program):
    """The options of each synopsis in the manual page."""
    found = []
    for section, _, line in manual(page_of(program.name)):
        if section == "SYNOPSIS" and line == ".Nm":
            found.append(set())
        elif section == "SYNOPSIS":
            found[-1] |= program.spelled_out(dashed(arguments(line, "Fl")))
    return [one for one in found if "--help" not in one]


def check_synopses(program):
    """Both synopses have the same options for each command; the manual may need several lines for one."""
    commands = {"--" + word for word in program.words if not word.startswith("-")}
    usages = list(program.usage())
    if not commands and len(usages) > 1:  # --show, --checkpoint
        commands = {next(iter(usage)) for usage in usages if len(usage) == 1} | {"--show"}
    for usage in usages:
        own = usage & commands
        said = set().union(*(one for one in synopses(program) if one & commands == own or
                             ("--show" in own and not one & (commands - own))))
        check_same(said - COMMON, usage - COMMON, "%s and %s --help, synopsis %s" % (
            page_of(program.name), program.name, " ".join(own)))


def mentions(text):
    """Command lines in a text: (program, options)."""
    text = re.sub(r"\\e?\n", " ", text).replace(r"\-", "-")
    for name, rest in re.findall(r"\b(sonm-(?:gw-setup|gwstat|stun|vs))((?:[ \t]+(?!ipvsadm)[^\s'\"`|;&<>()\\]+)+)", text):
        yield name, [word.rstrip(".,:").split("=")[0] for word in rest.split() if re.match(r"--?[a-zA-Z]|-\d$", word)]


def check_mentions(programs):
    """Whatever speaks of "sonm-vs --sync", be it a page, an error or a unit, speaks of what there is."""
    texts = {str(path): code(path) for path in sources("src/*.c") + sources("tools/*.[ch]")}
    for path in [*pages(), "README", "HACKING", *map(str, sources("contrib/systemd/*"))]:
        texts[path] = read(path)
    for path, text in texts.items():
        for name, options in mentions(text):
            known = programs[name].names
            for option in options:
                grouped = re.fullmatch(r"-[a-z]{2,}", option) and all("-" + letter in known for letter in option[1:])
                check(option in known or grouped, "%s: '%s %s', which it does not take" % (path, name, option))


def hard_wired(text):
    """The words for commands and options that a completion has for itself: in patterns and, for fish, complete -l."""
    for line in re.findall(r"^\s*(?:case )?\(?([\w |-]+?)\)(?:[^)]*;;| *$| *echo.*)", text, re.M):
        yield from line.replace("|", " ").split()
    for line in re.findall(r"^\s*case ([\w -]+)$", text, re.M):
        yield from line.split()
    for letter, name in re.findall(r"^\s*complete .*?(?: -s (\w))?(?: -l ([\w-]+))", text, re.M):
        yield from filter(None, [letter and "-" + letter, "--" + name])


def check_completions(programs):
    known = {word for program in programs.values() for word in [*program.words, *program.names]}
    for path in ("completions/bash/sonm-vs", "completions/zsh/_sonm-vs", "completions/fish/sonm-vs.fish"):
        text = read(path)
        wired = [word for word in hard_wired(text) if not re.match("sonm-|[A-Z]+$", word)]
        check(len(wired) > 10, "%s: its own words are not found" % path)
        for word in wired:
            check(word in known, "%s: no program takes %s" % (path, word))
        for asked in ("--complete-words", "--complete-values", "--help"):
            check(asked in text, "%s does not ask for %s" % (path, asked))
        for name in programs:
            check(re.search(r"(complete -F|#compdef|for program in).*\b%s\b" % name, text),
                  "%s does not complete %s" % (path, name))
    for name in programs:
        for path in ("completions/bash/%s" % name, "completions/fish/%s.fish" % name):
            check((TREE / path).exists() and path in read("Makefile.am"), "%s is missing, or not installed" % path)


def main():
    programs = {name: Program(name) for name in PROGRAMS}
    for program in programs.values():
        check(len(program.names) > 5, "%s --help is not understood" % program.name)
        check_words(program)
        check_described(program)
        check_synopses(program)
    check_mentions(programs)
    check_completions(programs)
    finish()


main()
