# SPDX-License-Identifier: GPL-3.0-or-later
"""
calls.py kill|fail...: walks through the system calls of the commands that change
something, and at each of them kills the command, or has the call fail.

  every=N  (environment) only about one in N of these (default: all)
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
    "openat": "EMFILE ENOMEM EIO | EMFILE EIO",
    "socket": "EMFILE ENOBUFS | EMFILE",
    "read": "EIO EINTR", "pread64": "EIO | EIO", "write": "ENOSPC EIO EINTR",
    "pwrite64": "ENOSPC EIO | ENOSPC EIO", "ftruncate": "EIO",
    "fsync": "EIO ENOSPC | EIO", "fdatasync": "EIO ENOSPC | EIO",
    "mmap": "ENOMEM | ENOMEM",
    "sendmsg": "ENOBUFS ENOMEM EINTR | ENOBUFS", "sendto": "ENOBUFS ENOMEM EINTR | ENOBUFS",
    "recvmsg": "ENOBUFS ENOMEM EINTR | ENOBUFS", "bind": "ENOMEM",
    "newfstatat": "EIO ENOMEM", "fstat": "EIO", "flock": "EINTR ENOLCK", "fcntl": "ENOLCK EIO",
    "close": "EIO EINTR", "getrandom": "EINTR", "mkdir": "ENOSPC", "ioctl": "EIO",
    "clock_nanosleep": "EINTR", "nanosleep": "EINTR", "setsockopt": "ENOMEM", "getsockname": "ENOBUFS",
    "fchown": "EIO", "unlink": "EIO", "munmap": "ENOMEM", "mremap": "ENOMEM",
}
CHANGING = {"pwrite64", "fsync", "fdatasync", "ftruncate", "sendto", "sendmsg", "flock"}

# An error that says this leaves open what is there.
UNDECIDED = "could not be taken back|may have been written|cannot write the output"
# What libnl says instead of what the system said, and what follows from it.
VAGUE = "Unspecific failure|Out of memory|has no IPVS"
EXIT_STATUSES = range(0, 9)

Command = collections.namedtuple("Command", "name argv prepare adds removes")


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


def open_routes(db):
    """{(container, port, protocol): ((address, port), real servers)}"""
    routes = {}
    for number, container, port, protocol, *at in db.execute(
            "select id, container, container_port, protocol, address, port from route where state = 'open'"):
        servers = db.execute("select address, port, weight from real_server where route = ? order by 1, 2", [number])
        routes[container, port, protocol] = tuple(at), tuple((endpoint(a, p), w) for a, p, w in servers)
    return routes


def service_at(protocol, *at):
    return f"{'-t' if protocol == 6 else '-u'} {endpoint(*at)}"


def services_of(routes):
    lines = []
    for (_, _, protocol), (at, servers) in routes.items():
        service = service_at(protocol, *at)
        lines.append(f"-A {service} -s wrr")
        lines += [f"-a {service} -r {real} -m -w {weight}" for real, weight in servers]
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
        must("sonm-vs", "-A", "stays", "-t", "80=10.0.0.11:80", "-t", "80=10.0.0.12:80", "-u", "53=10.0.0.11:53")
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
            self.routes, self.accounts = open_routes(db), bytes_of_accounts(db)

    @staticmethod
    def let_time_pass():
        """What is closing is due."""
        with contextlib.closing(sqlite3.connect(STATE)) as db, db:
            db.execute("update route set closing_ms = closing_ms - 3000 where state = 'closing'")

    def put_back(self, command):
        STATE.write_bytes(self.state)
        JOURNAL.unlink(missing_ok=True)
        self.kernel.load(command.prepare(self.services))


def commands(hub):
    def as_it_is(services):
        return services

    def after_a_boot(services):
        """One service of ours is missing, one has lost a real server, one is nobody's."""
        missing = " ".join(services[0].split()[1:3])
        return [line for line in services if missing not in line][:-1] + [f"-A -u {hub.free} -s wrr"]

    return [
        Command("add", ["sonm-vs", "-A", "new", "-t", "80=10.0.0.11:8090", "-u", "53=10.0.0.12:5390"], as_it_is,
                {("new", 80, 6), ("new", 53, 17)}, set()),
        Command("delete", ["sonm-vs", "-D", "leaves"], as_it_is, set(), {("leaves", 80, 6), ("leaves", 53, 17)}),
        Command("restore", ["sonm-vs", "-R", "/tmp/document.yaml"], as_it_is,
                {("saved1", 80, 6), ("saved2", 53, 17)}, set()),
        Command("sync", ["sonm-vs", "--sync"], after_a_boot, set(), set()),
        Command("checkpoint", ["sonm-gwstat", "--checkpoint"], as_it_is, set(), set()),
    ]


def trace(hub, command):
    """[(name, which one of that name, in the program itself?)] of all its calls."""
    hub.put_back(command)
    with tempfile.NamedTemporaryFile() as file:
        must("strace", "-qq", "-o", file.name, *command.argv)
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


def faults_of(calls, kind):
    """What strace is to inject. Before the program begins, the loader's calls are no concern of its errors."""
    for name, nth, is_ours in calls:
        if kind == "kill":
            if name not in ("execve", "exit_group"):
                yield f"{name}:signal=KILL:when={nth}"
        elif is_ours:
            once, _, on = ERRORS.get(name, "").partition("|")
            yield from (f"{name}:error={error}:when={nth}" for error in once.split())
            yield from (f"{name}:error={error}:when={nth}+" for error in on.split())


def thinned(faults, every):
    """One in so many, and more of those calls that change something: all else is mostly reading."""
    waited = 0
    for fault in faults:
        waited += 4 if fault.split(":")[0] in CHANGING else 1
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
    demand(re.fullmatch(rf"{command.argv[0]}: [^\n]+\n", done.stderr), f"the error is not one line: {done.stderr!r}")
    demand(not re.search(VAGUE, done.stderr), "the error does not say what the system said")
    # What sync prints has been done.
    demand(not done.stdout or command.name == "sync", f"prints a result in spite of the error: {done.stdout!r}")


def check_whole(hub, command, routes):
    """All of the command's work is there, or nothing, and all else is as it was. Which?"""
    others = {key: value for key, value in routes.items() if key not in command.adds}
    left = {key: value for key, value in hub.routes.items() if key not in command.removes}
    added = command.adds & set(routes)
    removed = command.removes - set(routes)
    demand(added in (set(), command.adds) and removed in (set(), command.removes), "is done by half")
    demand(others == (left if removed else hub.routes), f"other routes have changed: {others}")
    return bool(added or removed)


def check_agreement(hub, what):
    with copy_of_state() as db:
        demand(db.execute("pragma integrity_check").fetchall() == [("ok",)], f"{what}: the state file is damaged")
        routes = open_routes(db)
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


def check(hub, command, done, kind):
    if kind == "fail":
        check_error(command, done)
        if done.returncode != 0 and command.adds and not re.search(UNDECIDED, done.stderr):
            with copy_of_state() as db:
                demand(not command.adds & set(open_routes(db)), "the error is not the truth: it was done")
    synced = run("sonm-vs", "--sync")
    demand(synced.returncode == 0, f"sync fails: {synced.stderr}")
    was_done = check_whole(hub, command, check_agreement(hub, "after sync"))
    demand(done.returncode != 0 or was_done or not (command.adds or command.removes), "success, and nothing was done")
    again = run(*command.argv)
    demand(again.returncode == 0 or (command.removes and again.returncode == 3), f"once more fails: {again.stderr}")
    demand(check_whole(hub, command, check_agreement(hub, "once more")) == bool(command.adds or command.removes),
           "once more does nothing")
    finish(hub)


def outcome(kind, done):
    if kind == "fail":
        return f"exit status {done.returncode}"
    return "killed" if done.returncode == -signal.SIGKILL else "not reached"


def walk(hub, command, kind, every, said):
    """What is wrong, and at how many moments it was looked at."""
    outcomes = collections.Counter()
    wrong = []
    for fault in thinned(faults_of(trace(hub, command), kind), every):
        hub.put_back(command)
        done = run("strace", "-qq", "-o", "/dev/null", "-e", f"inject={fault}", *command.argv)
        outcomes[outcome(kind, done)] += 1
        said.update(done.stderr.splitlines())
        try:
            check(hub, command, done, kind)
        except Wrong as what:
            wrong.append(f"{command.name}: {fault}: {what} (exit status {done.returncode}) {done.stderr.strip()}")
    if rules() != hub.rules:
        wrong.append(f"{command.name}: rules are left: {rules()}")
    print(f"  {command.name}: " + ", ".join(f"{n} {what}" for what, n in sorted(outcomes.items())), flush=True)
    return wrong, outcomes.total() - outcomes["not reached"]


def walk_all(hub, kind, every):
    said = collections.Counter()
    wrong, moments = [], 0
    for command in commands(hub):
        found, walked = walk(hub, command, kind, every, said)
        wrong += found
        moments += walked
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
