#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The include fence: every #include goes down, as src/LAYERS and HACKING's map say.

And src/ neither prints nor exits nor reads the environment; pure modules do no I/O.
"""

import re

from checks import bare_code, check, finish, read, sources

PURE = ("no domain", "pure")
# src/ writes to streams that it is given, and returns errors.
NEVER = "printf vprintf puts putchar stdin stdout stderr perror exit _exit abort getenv secure_getenv setenv environ"
NEVER_PURE = "open openat creat fopen popen socket connect bind send sendto sendmsg recv recvfrom recvmsg ioctl " \
    "system fork time clock_gettime gettimeofday getrandom rand sleep usleep nanosleep"


class Layers:
    """src/LAYERS: layer and uses of each module, and who may include what is foreign."""

    def __init__(self):
        self.layer, self.uses, self.alias, self.foreign, self.order = {}, {}, {}, {}, []
        for line in read("src/LAYERS").splitlines():
            words = line.split("#")[0].split()
            if words and line.startswith("["):
                self.order.append(line.strip("[]"))
            elif words and self.order[-1] == "foreign":
                self.foreign.setdefault(words[0], []).extend(words[1:])
            elif words:
                self.add(words[0], words[1:])
        self.order.remove("foreign")

    def add(self, module, words):
        check(module not in self.layer, "src/LAYERS has %s twice" % module)
        self.alias.update({word.strip("()"): module for word in words if word.startswith("(")})
        self.uses[module] = [word for word in words if not word.startswith("(")]
        self.layer[module] = self.order[-1]
        for used in self.uses[module]:
            check(used in self.layer, "src/LAYERS: %s includes %s, which does not stand above it" % (module, used))

    def module(self, stem):
        """Whose file it is: the longest name that fits."""
        while stem not in self.layer and stem not in self.alias and "_" in stem:
            stem = stem.rpartition("_")[0]
        return self.alias.get(stem, stem)

    def may_include(self, module, other):
        above = self.order.index(self.layer[module]) > self.order.index(self.layer[other])
        return other in self.uses[module] or (above and self.layer[other] in PURE)

    def owner(self, header):
        """The name in [foreign] that a header of the system falls under."""
        return next((name for name in self.foreign if header == name or
                     (name.endswith("/") and header.startswith(name))), None)


def check_own(layers, path, module, header, used):
    """An #include "header"."""
    other = layers.module(header[:-2])
    if not check(other in layers.layer, "%s includes %s, which is of no module in src/LAYERS" % (path, header)):
        return
    if other == module:
        return
    used.add((module, other))
    check(layers.may_include(module, other), "%s (%s, %s) must not include %s (%s, %s)" % (
        path, module, layers.layer[module], header, other, layers.layer[other]))
    check(header[:-2] == other or layers.alias.get(header[:-2]) == other,
          "%s includes %s, which is for %s only" % (path, header, other))


def check_foreign(layers, path, module, header):
    """An #include <header>."""
    owner = layers.owner(header)
    if owner:
        check(path.name in layers.foreign[owner], "%s must not include <%s>; only %s may" % (
            path, header, " ".join(layers.foreign[owner])))
    elif layers.layer[module] in PURE:
        check(header in layers.foreign["pure"], "%s (%s) must not include <%s>" % (path, module, header))


def check_calls(path, names, what):
    found = re.search(r"(?<![\w.>])(?:%s)\b(?!\s*\[)" % "|".join(names.split()), bare_code(path))
    check(not found, "%s %s: %s" % (path, what, found and found.group()))


def check_file(layers, path, used):
    module = layers.module(path.stem)
    if not check(module in layers.layer, "%s is of no module in src/LAYERS" % path):
        return
    check((path.parts[0] == "tools") == (layers.layer[module] == "tools"),
          "%s is in the wrong directory for the layer %s" % (path, layers.layer[module]))
    for header in re.findall(r'^\s*#\s*include\s*"(.*)"', bare_code(path), re.M):
        check_own(layers, path, module, header, used)
    for header in re.findall(r"^\s*#\s*include\s*<(.*)>", bare_code(path), re.M):
        check_foreign(layers, path, module, header)
    if path.parts[0] == "src" and path.suffix == ".c":
        check_calls(path, NEVER, "is in src/ and must not use")
    if layers.layer[module] in PURE and path.suffix == ".c":
        check_calls(path, r" ".join(name + r"\s*\(" for name in NEVER_PURE.split()), "is pure and must not call")


def check_map(layers):
    """HACKING explains each module, with a line that begins with its name."""
    explained = set(re.findall(r"^  ([\w.]+) +\S", read("HACKING"), re.M))
    explained = {word.rstrip("._") for word in explained}
    for module in layers.layer:
        prefix = module.split("_")[0] if layers.layer[module] == "tools" else module
        check(prefix in explained, "HACKING's map does not explain %s" % module)


def main():
    layers, used = Layers(), set()
    for path in sources("src/*.[ch]") + sources("tools/*.[ch]"):
        check_file(layers, path, used)
    for module, others in layers.uses.items():
        for other in others:
            check((module, other) in used, "src/LAYERS lets %s include %s, but it does not" % (module, other))
    check_map(layers)
    finish()


main()
