# SPDX-License-Identifier: GPL-3.0-or-later
"""
calls.py kill|fail...: walks through the system calls of the commands that change
something, and at each of them kills the command, or has the call fail; has the
calls of those that only read fail, too.

  every=N  (environment) only about one in N of these (default: all)
  only=NAMES  (environment) only these commands (default: all)
  ipvs_answers, ipvs_asks  (environment) the stand-in for the kernel's IPVS; without
           them it is the kernel's own, and ipvsadm the witness

Each time the hub is as it was before: state file and services are put back. What
must be true afterwards is in check(); what is found otherwise is printed, and the
exit status is 1.
"""
import collections
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

STATE = pathlib.Path("/var/lib/sonm/gateway.db")
JOURNAL = pathlib.Path(f"{STATE}-journal")
CONFIG = pathlib.Path("/etc/sonm/gateway.yaml")
HUB = "198.51.100.1"
DOCUMENT = """version: 1
workers:
- {{name: w1, nat: symmetric, kind: private, reported_at: '2026-11-01T10:00:00Z'}}
routes:
- {{container: saved1, port: 80/tcp, endpoint: '{}', real_servers: [{{address: '10.0.0.11:8081'}}]}}
- {{container: saved2, port: 53/udp, endpoint: '{}', worker: w1, real_servers: [{{address: '10.0.0.12:8082'}}]}}
"""

# What a call can fail with, that is not the program's own fault. Those after
# the bar fail from then on, and not only once: a disk stays full.
ERRORS = {
    "openat": "EMFILE ENOMEM EIO ENOSPC | EMFILE EIO",
    "socket": "EMFILE ENOBUFS | EMFILE",
    "read": "EIO EINTR", "pread64": "EIO | EIO", "write": "ENOSPC EIO EINTR",
    "pwrite64": "ENOSPC EIO | ENOSPC EIO", "fdatasync": "EIO ENOSPC | EIO",
    "sendmsg": "ENOBUFS ENOMEM EINTR | ENOBUFS", "sendto": "ENOBUFS ENOMEM EINTR | ENOBUFS",
    "recvmsg": "ENOBUFS ENOMEM EINTR | ENOBUFS", "bind": "ENOMEM",
    "newfstatat": "EIO ENOMEM", "flock": "EINTR ENOLCK", "fcntl": "ENOLCK EIO",
    "close": "EIO EINTR", "getrandom": "EINTR", "mkdir": "ENOSPC", "ioctl": "EIO",
    "clock_nanosleep": "EINTR", "setsockopt": "ENOMEM", "getsockname": "ENOBUFS", "fchown": "EIO",
}
CHANGING = {"pwrite64", "fdatasync", "sendto", "sendmsg", "flock"}
# With these, each malloc(3) is an mmap(2) of its own; if that fails, the C library tries brk(2), and mmap once more.
EACH_MALLOC = "GLIBC_TUNABLES=glibc.malloc.mmap_threshold=1"
NO_BRK = "brk:retval=0:when=1+"

# An error that says this leaves open what is there.
UNDONE = "could not be taken back"
UNDECIDED = f"{UNDONE}|may have been written|cannot write the output|done all the same|draining goes on"
# The state file is sound.
SLANDER = "damaged|malformed"
# What libnl says instead of what the system said, and what follows from it.
VAGUE = "Unspecific failure|Out of memory|has no IPVS"
EXIT_STATUSES = range(0, 9)

# changes: {what known() knows: the real servers or the NAT that it gets, None: it goes}; again: with which exit
# status it ends if it is done already.
Command = collections.namedtuple("Command", "name argv changes again prepare", defaults=[{}, {0}, list])
Reader = collections.namedtuple("Reader", "name argv prepare", defaults=[list])


def run(*argv, **options):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=200, check=False,
                          **options)


def must(*argv):
    done = run(*argv)
    if done.returncode != 0:
        sys.exit(f"calls: {' '.join(argv)}: exit status {done.returncode}: {done.stderr}")
    return done.stdout


# --- The kernel's services, as ipvsadm -Sn says it ---


class Kernel:
    """The kernel's own."""

    environment = []

    def save(self):
        return sorted(must("ipvsadm", "-Sn").splitlines())

    def load(self, lines):
        text = "".join(f"{line}\n" for line in ["-C", *lines])
        subprocess.run(["ipvsadm", "-R"], input=text, text=True, check=True)

    def end(self):
        pass


class StandIn(Kernel):
    """That of ipvs_answers.c."""

    def __init__(self, answers, asks):
        self.path = tempfile.mktemp()
        self.server = subprocess.Popen([answers, self.path])
        while not os.path.exists(self.path):
            time.sleep(0.01)
        os.environ["ipvs_socket"] = self.path
        os.environ["LD_PRELOAD"] = asks

    def ask(self, text):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
            line.connect(self.path)
            line.send(text.encode())
            return line.recv(1 << 20).decode()

    def save(self):
        return sorted(self.ask("save").splitlines())

    def load(self, lines):
        answer = self.ask("load" + "".join(f"{line}\n" for line in lines))
        if answer != "done":
            sys.exit(f"calls: {answer}")

    def end(self):
        self.server.kill()


def rules():
    return must("ip", "rule") + must("ip", "-6", "rule")


# --- The state file ---


@contextlib.contextmanager
def copy_of_state():
    """As whoever comes next would find it, without being the one who comes."""
    with tempfile.TemporaryDirectory() as directory:
        for path in STATE, JOURNAL:
            if path.exists():
                shutil.copy(path, directory)
        with contextlib.closing(sqlite3.connect(f"{directory}/{STATE.name}")) as db:
            yield db


def endpoint(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def known(db):
    """{(container, port, protocol): ((address, port), real servers that do not drain), worker: (None, its NAT)}"""
    routes = {name: (None, nat) for name, nat in db.execute("select name, nat from worker")}
    for number, container, port, protocol, *at in db.execute(
            "select id, container, container_port, protocol, address, port from route where state = 'open'"):
        reals = db.execute("select address, port, weight from real_server where route = ? and drain_boot is null"
                           " order by 1, 2", [number])
        routes[container, port, protocol] = tuple(at), tuple((endpoint(a, p), w) for a, p, w in reals)
    return routes


def service_at(protocol, *at):
    return f"{'-t' if protocol == 6 else '-u'} {endpoint(*at)}"


def services_of(routes):
    lines = []
    for key, (at, reals) in routes.items():
        if at is None:  # a worker
            continue
        service = service_at(key[2], *at)
        lines.append(f"-A {service} -s wrr")
        lines += [f"-a {service} -r {real} -m -w {weight}" for real, weight in reals]
    return sorted(lines)


def bytes_of_accounts(db):
    """By container, what all its routes ever transferred, with the ledger's."""
    return dict(db.execute("""select container, sum(n) from (
        select container, base_inbytes + last_inbytes as n from route union all
        select container, inbytes from ledger) group by container"""))


# --- One hub, again and again ---


class Hub:
    def __init__(self, kernel):
        self.kernel = kernel
        must("sonm-vs", "--set-worker", "w2", "--nat", "symmetric")
        must("sonm-vs", "-A", "stays", "-t", "80=10.0.0.11:80", "-t", "80=10.0.0.12:80", "-u", "53=10.0.0.11:53",
             "--worker", "w2")
        must("sonm-vs", "-A", "leaves", "-t", "80=10.0.0.11:8000", "-u", "53=10.0.0.11:5300")
        must("sonm-vs", "-A", "closes", "-t", "80=10.0.0.12:8001")
        must("sonm-vs", "-D", "closes")
        self.let_time_pass()
        with contextlib.closing(sqlite3.connect(STATE)) as db, db:
            db.execute("update route set base_inbytes = 1000 * id")
        taken = " ".join(kernel.save())
        free = [at for at in (f"{HUB}:{port}" for port in range(32768, 32800)) if at not in taken]
        self.free = free.pop()
        pathlib.Path("/tmp/document.yaml").write_text(DOCUMENT.format(*free), encoding="ascii")
        self.rules = rules()
        self.services = kernel.save()
        self.state = STATE.read_bytes()
        with copy_of_state() as db:
            self.routes, self.accounts = known(db), bytes_of_accounts(db)

    @staticmethod
    def let_time_pass():
        """What is closing is due."""
        with contextlib.closing(sqlite3.connect(STATE)) as db, db:
            db.execute("update route set closing_ms = max(closing_ms - 3000, 0) where state = 'closing'")

    def put_back(self, command):
        STATE.write_bytes(self.state)
        JOURNAL.unlink(missing_ok=True)
        self.kernel.load(command.prepare(self.services))


def servers(*reals):
    """Real servers with the configuration's weight."""
    return tuple((real, 100) for real in reals)


def commands(hub):
    def after_a_boot(services):
        """One service of ours is missing, one has lost a real server, one is nobody's."""
        missing = " ".join(services[0].split()[1:3])
        return [line for line in services if missing not in line][:-1] + [f"-A -u {hub.free} -s wrr"]

    web, dns = ("leaves", 80, 6), ("leaves", 53, 17)
    stays, edit = ("stays", 80, 6), ["sonm-vs", "-E", "stays", "-t", "80=10.0.0.13:80"]
    found = [
        Command("add", ["sonm-vs", "-A", "new", "-t", "80=10.0.0.11:8090", "-u", "53=10.0.0.12:5390"],
                {("new", 80, 6): servers("10.0.0.11:8090"), ("new", 53, 17): servers("10.0.0.12:5390")}),
        Command("delete", ["sonm-vs", "-D", "leaves"], {web: None, dns: None}, {0, 3}),
        Command("restore", ["sonm-vs", "-R", "/tmp/document.yaml"],
                {("saved1", 80, 6): servers("10.0.0.11:8081"), ("saved2", 53, 17): servers("10.0.0.12:8082"),
                 "w1": "symmetric"}),
        Command("edit", [*edit, "-w", "50"],
                {stays: (*servers("10.0.0.11:80", "10.0.0.12:80"), ("10.0.0.13:80", 50))}),
        # Who replaces it once more is told that it is not there.
        Command("replace", [*edit, "--replace", "10.0.0.12:80"],
                {stays: servers("10.0.0.11:80", "10.0.0.13:80")}, {3}),
        Command("server", ["sonm-vs", "-D", "stays", "-t", "80=10.0.0.12:80"], {stays: servers("10.0.0.11:80")}, {3}),
        Command("drain", ["sonm-vs", "-D", "leaves", "-t", "80", "--drain", "60"], {web: None}, {0, 3}),
        Command("clear", ["sonm-vs", "-C", "--yes"],
                {key: None for key, (at, _) in hub.routes.items() if at}),
        Command("worker", ["sonm-vs", "--set-worker", "w2", "--nat", "full"], {"w2": "full"}),
        Command("sync", ["sonm-vs", "--sync"], prepare=after_a_boot),
        Command("checkpoint", ["sonm-gwstat", "--checkpoint"]),
        Reader("list", ["sonm-vs", "-L", "-j"]),
        Reader("save", ["sonm-vs", "-S"]),
        Reader("gwstat", ["sonm-gwstat"]),
        Reader("gwstat-json", ["sonm-gwstat", "-j"]),
    ]
    only = os.environ.get("only", "").split() or [command.name for command in found]
    return [command for command in found if command.name in only]


def trace(hub, command, *injected):
    """[(name, which one of that name, in the program itself?)] of all its calls."""
    hub.put_back(command)
    with tempfile.NamedTemporaryFile() as file:
        must("strace", "-qq", "-o", file.name, *injected, *command.argv)
        lines = file.read().decode(errors="replace").splitlines()
    seen = collections.Counter()
    calls, is_ours = [], False
    for line in lines:
        name = re.match(r"\w+", line)
        if name:
            is_ours = is_ours or str(CONFIG) in line
            seen[name[0]] += 1
            calls.append((name[0], seen[name[0]], is_ours))
    return calls


def faults_of(hub, command, kind, seen):
    """What strace is to inject. Before the program begins, the loader's calls are no concern of its errors."""
    for name, nth, is_ours in trace(hub, command):
        seen.update([name] if is_ours else [])
        if kind == "kill":
            if name not in ("execve", "exit_group"):
                yield f"{name}:signal=KILL:when={nth}"
        elif is_ours:
            once, _, on = ERRORS.get(name, "").partition("|")
            yield from (f"{name}:error={error}:when={nth}" for error in once.split())
            yield from (f"{name}:error={error}:when={nth}+" for error in on.split())
    if kind == "fail":
        for name, nth, is_ours in trace(hub, command, "-E", EACH_MALLOC, "-e", f"inject={NO_BRK}"):
            if name == "mmap" and is_ours:
                yield from (f"{NO_BRK} mmap:error=ENOMEM:when={nth}{until}" for until in (f"..{nth + 1}", "+"))


def thinned(faults, every):
    """
    One in so many, and more of those calls that change something: all else is mostly reading. Of memory that is not
    there, one in five, as there are thousands.
    """
    waited = 0
    for fault in faults:
        waited += 4 if fault.split(":")[0] in CHANGING else 0.2 if fault.startswith(NO_BRK) else 1
        if waited >= every:
            waited = 0
            yield fault


class Wrong(Exception):
    pass


def demand(true, what):
    if not true:
        raise Wrong(what)


def check_error(command, done):
    demand(done.returncode in EXIT_STATUSES, f"exit status {done.returncode}")
    if done.returncode == 0:
        return
    prog = command.argv[0]
    demand(re.fullmatch(rf"({prog}: warning: [^\n]+\n)?{prog}: [^\n]+\n", done.stderr),
           f"the error is not one line: {done.stderr!r}")
    demand(not re.search(VAGUE, done.stderr), "the error does not say what the system said")
    # What sync prints has been done; a document is cut off.
    demand(not done.stdout or command.name in ("sync", "save") or "cannot write the output" in done.stderr,
           f"prints a result in spite of the error: {done.stdout!r}")


def is_done(becomes, has, had):
    """A new route is somewhere, any other where it was."""
    if becomes is None or has is None:
        return has == becomes
    return has[1] == becomes and (had is None or has[0] == had[0])


def done_parts(hub, command, routes):
    """Which of the command's changes are there. What is not, is as it was, and so is all else."""
    done = set()
    for key, becomes in command.changes.items():
        has, had = routes.get(key), hub.routes.get(key)
        if is_done(becomes, has, had):
            done.add(key)
        else:
            demand(has == had, f"{key} is neither as it was nor as it is to be: {has}")
    others = {key: value for key, value in routes.items() if key not in command.changes}
    demand(others == {key: value for key, value in hub.routes.items() if key not in command.changes},
           f"others have changed: {others}")
    return done


def check_whole(hub, command, routes):
    """All of the command's work is there, or nothing, and all else is as it was. Which?"""
    done = done_parts(hub, command, routes)
    demand(done in (set(), set(command.changes)), f"is done by half: {done}")
    return bool(done)


def check_agreement(hub, what):
    with copy_of_state() as db:
        demand(db.execute("pragma integrity_check").fetchall() == [("ok",)], f"{what}: the state file is damaged")
        routes = known(db)
        closing = [f"-A {service_at(*row)} -s wrr" for row in db.execute(
            "select protocol, address, port from route where state = 'closing'")]
    services = [line for line in hub.kernel.save() if line not in closing]
    demand(services == services_of(routes), f"{what}: the kernel has {services}, not {services_of(routes)}")
    return routes


def finish(hub):
    """What closes is closed: the account has everything once, and nothing is left in the kernel."""
    hub.let_time_pass()
    must("sonm-gwstat", "--checkpoint")
    with copy_of_state() as db:
        demand(db.execute("select count(*) from route where state = 'closing'").fetchone() == (0,), "still closing")
        accounts = {name: n for name, n in bytes_of_accounts(db).items() if name in hub.accounts}
        demand(accounts == hub.accounts, f"the account has changed: {accounts}, not {hub.accounts}")
    check_agreement(hub, "at the end")


def check_kernel(hub, command, db):
    """Before anybody has synced: it has what the file says, if nobody was told otherwise."""
    closing = [f"-A {service_at(*row)} -s wrr"
               for row in db.execute("select protocol, address, port from route where state = 'closing'")]
    services = [line for line in hub.kernel.save() if line not in closing]
    if command.name not in ("sync", "checkpoint"):
        demand(services == services_of(known(db)), f"the kernel has {services}, not {services_of(known(db))}")
    demand(rules() == hub.rules, f"rules are left: {rules()}")


def check_truth(hub, command, done, once):
    """Who is told "failed" does not find it done, nor the other way round."""
    if re.search(UNDECIDED, done.stderr):
        demand(not once or UNDONE not in done.stderr, "what failed once is not taken back")
        return
    with copy_of_state() as db:
        parts = done_parts(hub, command, known(db))
        if "warning" not in done.stderr:
            check_kernel(hub, command, db)
    if done.returncode == 0:
        demand(parts == set(command.changes), "success, and it was not done")
    else:
        demand(not parts, f"the error is not the truth: it was done: {parts}")


def check_reader(hub, command, done):
    check_error(command, done)
    demand(STATE.read_bytes() == hub.state, "a reader has changed the state file")
    demand(hub.kernel.save() == hub.services, "a reader has changed the kernel")


def check_changing(hub, command, done, fault):
    if "error" in fault:
        check_error(command, done)
        check_truth(hub, command, done, not fault.endswith("+"))
    synced = run("sonm-vs", "--sync")
    demand(synced.returncode == 0, f"sync fails: {synced.stderr}")
    was_done = check_whole(hub, command, check_agreement(hub, "after sync"))
    demand(done.returncode != 0 or was_done or not command.changes, "success, and nothing was done")
    again = run(*command.argv)
    demand(again.returncode in (command.again if was_done else {0}), f"once more fails: {again.stderr}")
    demand(check_whole(hub, command, check_agreement(hub, "once more")) == bool(command.changes),
           "once more does nothing")
    finish(hub)


def check(hub, command, done, fault):
    if isinstance(command, Reader):
        check_reader(hub, command, done)
    else:
        check_changing(hub, command, done, fault)
    demand(not re.search(SLANDER, done.stderr), "a sound state file is called damaged")


def outcome(kind, done):
    if kind == "fail":
        return f"exit status {done.returncode}"
    return "killed" if done.returncode == -signal.SIGKILL else "not reached"


def walk(hub, command, kind, every, said, seen):
    """What is wrong, and at how many moments it was looked at."""
    outcomes = collections.Counter()
    wrong = []
    for fault in thinned(faults_of(hub, command, kind, seen), every):
        hub.put_back(command)
        injected = [word for part in fault.split() for word in ("-e", f"inject={part}")]
        if fault.startswith(NO_BRK):
            injected += ["-E", EACH_MALLOC]
        done = run("strace", "-qq", "-o", "/dev/null", *injected, *command.argv)
        outcomes[outcome(kind, done)] += 1
        said.update(done.stderr.splitlines())
        try:
            check(hub, command, done, fault)
        except Wrong as what:
            wrong.append(f"{command.name}: {fault}: {what} (exit status {done.returncode}) {done.stderr.strip()}")
    if rules() != hub.rules:
        wrong.append(f"{command.name}: rules are left: {rules()}")
    print(f"  {command.name}: " + ", ".join(f"{n} {what}" for what, n in sorted(outcomes.items())), flush=True)
    return wrong, outcomes.total() - outcomes["not reached"]


def walk_all(hub, kind, every):
    said = collections.Counter()
    seen = set()
    wrong, moments = [], 0
    for command in commands(hub):
        if kind == "kill" and isinstance(command, Reader):
            continue
        found, walked = walk(hub, command, kind, every, said, seen)
        wrong += found
        moments += walked
    if kind == "fail" and "only" not in os.environ:
        wrong += [f"none of the commands calls {name}" for name in sorted(set(ERRORS) - seen)]
    print("".join(f"  {n:4} {line}\n" for line, n in sorted(said.items())), end="")
    print("".join(f"FAILED: {what}\n" for what in wrong), end="")
    print(f"{kind}: {moments} moments, wrong: {len(wrong)}", flush=True)
    return not wrong and moments > 0


def main(kinds):
    every = int(os.environ.get("every") or 1)
    kernel = StandIn(os.environ["ipvs_answers"], os.environ["ipvs_asks"]) if "ipvs_answers" in os.environ else Kernel()
    hub = Hub(kernel)
    passed = all([walk_all(hub, kind, every) for kind in kinds])
    kernel.end()
    sys.exit(not passed)


main(sys.argv[1:])
