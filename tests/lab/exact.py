#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
exact.py STORY STATE-FILE [SEED]

Plays a part of a story with containers that are published, used, edited and
removed at random, and holds what sonm-gwstat says of each route against what
the witnesses counted (count_ports in lib.sh): bytes in as they came to the
workers, bytes out as they came to the client. The parts of a story follow one
another in boots of their own; STATE-FILE keeps what they must know. The seed
is printed; with the same one, the same containers do the same.

Stories, each of two parts:
  quiet   nothing is transferred while the table is flushed, zeroed and lost:
          not a byte may be missing
  busy    traffic flows through all that: what is missing must be uncertain
"""
import concurrent.futures
import json
import os
import random
import resource
import subprocess
import sys
import time

import load

CONTAINERS = int(os.environ.get("containers") or 100)
BUSY_CONTAINERS = 12
OPERATORS = 3  # who publish and remove at the same time
CLIENT_PORTS, CLIENT_PORTS_EACH = 20000, 64
WORKER_PORTS = 10000
SNAPSHOT = 3  # seconds that the kernel's counters take to settle
NUMBER = {"tcp": 80, "udp": 53}
WORKERS = {"worker1": ("10.0.0.11", "fd00::11"), "worker2": ("10.0.0.12", "fd00::12")}


class Route:
    """A published port. It has ports of its own at the client and at the workers, in all its lives."""

    def __init__(self, container, protocol, index, is_ipv6, endpoint=None):
        self.container, self.protocol, self.index, self.is_ipv6 = container, protocol, index, is_ipv6
        self.number = NUMBER[protocol]
        self.endpoint = endpoint and tuple(endpoint)  # JSON knows lists only
        self.worker_port = WORKER_PORTS + index
        self.client_port = self.first_port = CLIENT_PORTS + index * CLIENT_PORTS_EACH
        self.second = False

    @property
    def key(self):
        return self.container, self.number, self.protocol

    def saved(self):
        return [self.container, self.protocol, self.index, self.is_ipv6, self.endpoint]

    def real(self, worker="worker1"):
        address = WORKERS[worker][self.is_ipv6]
        return f"[{address}]:{self.worker_port}" if self.is_ipv6 else f"{address}:{self.worker_port}"

    def option(self, worker=None):
        """As sonm-vs wants it: the whole route, or one real server of it."""
        return [f"--{self.protocol}", f"{self.number}" + (f"={self.real(worker)}" if worker else "")]

    def next_port(self):
        self.client_port += 1
        return self.client_port - 1 if self.client_port <= self.first_port + CLIENT_PORTS_EACH else None


class Hub:
    """Runs the programs, and kills them."""

    def __init__(self, figures):
        self.figures = figures

    def run(self, *command, statuses=(0,)):
        self.figures["commands"] += 1
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode not in statuses:
            raise RuntimeError(f"exit status {done.returncode}: {' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def kill(self, after, *command):
        """Kills it so many milliseconds after its start, if it has not ended by then."""
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(after / 1000)
            process.kill()
        self.figures["kills"] += process.returncode == -9

    def read(self, *command):
        return json.loads(self.run(*command, "-j"))


class Operator:
    """Lets one container live. Chance is the container's own, so that it does the same whoever is faster."""

    def __init__(self, story, routes):
        self.story, self.hub, self.routes = story, story.hub, routes
        self.name = routes[0].container
        self.chance = random.Random(f"{story.seed} {self.name} {story.part}")

    def try_first(self, probability, *command):
        """The same command before, killed, with this probability."""
        if self.chance.random() < probability:
            self.hub.kill(self.chance.uniform(0, 120), *command)
            return True
        return False

    def publish(self):
        command = ["sonm-vs", "-A", self.name]
        for route in self.routes:
            command += route.option("worker1")
        self.try_first(0.15, *command)
        for made in self.hub.read(*command)["routes"]:
            route = next(r for r in self.routes if r.protocol == made["protocol"])
            route.endpoint = made["address"], made["port"]
            route.second = False

    def use(self):
        route = self.chance.choice(self.routes)
        largest = 400000 if route.protocol == "tcp" else 40000
        size, wanted = (int(largest ** self.chance.random()) for _ in range(2))
        self.story.transfer(route, size, wanted)

    def edit(self):
        """Weight, a second real server, one in the place of another, or one that leaves at once."""
        route = self.chance.choice(self.routes)
        what = self.chance.choice(["weight", "second", "replace", "leave"])
        command = ["sonm-vs", "-E", self.name]
        absent = 0
        if what == "weight":
            command += route.option() + ["-w", str(self.chance.randint(1, 100))]
        elif not route.second:
            command += route.option("worker2")
            command += ["--replace", route.real()] if what == "replace" else []
            route.second = True
        elif what == "leave":  # it may have been replaced
            command, absent = ["sonm-vs", "-D", self.name] + route.option("worker1"), 3
        else:
            return
        # Killed amid an edit, a route is as it was, or as it should be, or nearly so.
        if self.try_first(0.3, *command):
            self.hub.run("sonm-vs", "--sync")
            absent = 3  # if it is done already
        self.hub.run(*command, statuses=(0, absent))

    def look(self):
        command = self.chance.choice([["sonm-gwstat", "--checkpoint"], ["sonm-gwstat"], ["sonm-gwstat", self.name],
                                      ["sonm-vs", "--sync"], ["sonm-vs", "-L"]])
        if not self.try_first(0.5, *command):
            self.hub.run(*command)

    def remove(self):
        command = ["sonm-vs", "-D", self.name]
        if self.chance.random() < 0.5:  # amid a transfer
            route = self.routes[0]
            self.story.transfer(route, 0, 30000000 if route.protocol == "tcp" else 500000, 0.01)
            time.sleep(self.chance.uniform(0, 0.4))
        elif self.chance.random() < 0.2:
            command += ["--drain", "1"]
        absent = 3 if self.try_first(0.25, *command) else 0
        self.hub.run(*command, statuses=(0, absent))

    def live(self):
        """From its publication on to its removal; some stay, and some come back at once."""
        self.publish()
        for _ in range(self.chance.randint(1, 3)):
            self.chance.choice([self.use, self.use, self.use, self.edit, self.look])()
        if self.chance.random() < 0.25:
            return
        self.remove()
        if self.chance.random() < 0.1:
            self.publish()
            self.use()
            self.remove()

    def live_on(self):
        """What has stayed is used, and perhaps removed."""
        self.use()
        if self.chance.random() < 0.3:
            self.remove()


class Story:
    """What the parts share: containers, traffic, and what the witnesses saw in former boots."""

    def __init__(self, path, seed):
        self.path = path
        kept = json.load(open(path)) if os.path.exists(path) else {}
        self.part = kept.get("part", 0) + 1
        self.seed = kept.get("seed") or seed or str(random.SystemRandom().randrange(1000000))
        self.figures = kept.get("figures") or dict.fromkeys(["commands", "kills", "transfers", "complete"], 0)
        self.saved_at = kept.get("saved_at")
        self.seen = by_route(kept.get("seen", []))  # in former boots
        self.lacked = by_route(kept.get("lacked", []))  # by the account, at the last check
        self.containers = {}
        self.hub = Hub(self.figures)
        self.client = load.Client()
        self.workers = {name: load.Worker(name) for name in WORKERS}
        for saved in kept.get("routes", []):
            self.add_route(Route(*saved))
        print(f"  seed={self.seed}")

    def add_route(self, route):
        self.containers.setdefault(route.container, []).append(route)
        for worker in self.workers.values():
            worker.listen(route.protocol, route.worker_port)

    def routes(self):
        return [route for routes in self.containers.values() for route in routes]

    def make_containers(self, first, end):
        """Each with one route or two, IPv4 or IPv6."""
        chance = random.Random(f"{self.seed} {first}")
        for i in range(first, end):
            for number, protocol in enumerate(chance.choice([["tcp"], ["udp"], ["tcp", "udp"]])):
                self.add_route(Route(f"c{i}", protocol, 2 * i + number, chance.random() < 0.5))

    def operators(self, names):
        return [Operator(self, self.containers[name]) for name in names]

    def transfer(self, route, size, wanted, pause=0.0):
        port = route.next_port()
        if port is None:
            return None
        self.figures["transfers"] += 1
        return self.client.transfer(route.protocol, route.endpoint, port, size, wanted, pause)

    def rest(self):
        """Until nothing moves and the kernel has counted all that moved."""
        self.figures["complete"] += self.client.rest()
        for worker in self.workers.values():
            worker.rest()
        time.sleep(SNAPSHOT)

    def witnessed(self):
        """Bytes in and out of each route, in all boots."""
        at_client = load.bytes_at("client")
        at_workers = [load.bytes_at(worker) for worker in WORKERS]
        sums = dict(self.seen)
        for route in self.routes():
            came_in = sum(at.get((route.protocol, route.worker_port), 0) for at in at_workers)
            came_out = sum(at_client.get((route.protocol, port), 0)
                           for port in range(route.first_port, route.first_port + CLIENT_PORTS_EACH))
            before = sums.get(route.key, (0, 0))
            sums[route.key] = before[0] + came_in, before[1] + came_out
        return sums

    def save(self):
        """For the next part; the power may be cut at once."""
        kept = {"part": self.part, "seed": self.seed, "figures": self.figures, "saved_at": time.time(),
                "seen": list(self.witnessed().items()), "lacked": list(self.lacked.items()),
                "routes": [route.saved() for route in self.routes()]}
        with open(self.path + ".new", "w", encoding="ascii") as file:
            json.dump(kept, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self.path + ".new", self.path)

    def accounted(self):
        """What the account says of each route, open or closed."""
        used = self.hub.read("sonm-gwstat")
        rows = [row for container in used["containers"] for row in container["routes"]]
        rows += self.hub.read("sonm-gwstat", "--closed")["closed"]
        sums = {}
        for row in rows:
            key = key_of(row)
            before = sums.get(key, (0, 0))
            sums[key] = before[0] + row["inbytes"], before[1] + row["outbytes"]
        total = self.hub.read("sonm-gwstat", "--total")["total"]
        check(total["inbytes"] + total["outbytes"] == sum_of(sums), "the total is not the sum of its routes")
        return sums

    def show(self):
        print(f"  {len(self.containers)} containers, {len(self.routes())} routes, {self.figures['commands']} commands,"
              f" {self.figures['kills']} killed; {self.figures['transfers']} transfers,"
              f" {self.figures['complete']} of them complete, {sum_of(self.witnessed())} bytes", flush=True)


def by_route(items):
    """What JSON has made lists of."""
    return {tuple(key): tuple(pair) for key, pair in items}


def key_of(row):
    return row["container"], row["container_port"], row["protocol"]


def sum_of(sums):
    return sum(came_in + came_out for came_in, came_out in sums.values())


def missing(seen, told):
    """What the account does not have, in and out, of the routes where that is not 0."""
    pairs = {key: (seen.get(key, (0, 0)), told.get(key, (0, 0))) for key in seen.keys() | told.keys()}
    return {key: (s[0] - t[0], s[1] - t[1]) for key, (s, t) in pairs.items() if s != t}


def check(is_so, what):
    if not is_so:
        sys.exit(f"FAILED: {what}")


def at_once(calls):
    """A few at a time; a failure is one of all."""
    with concurrent.futures.ThreadPoolExecutor(OPERATORS) as pool:
        for call in [pool.submit(call) for call in calls]:
            call.result()


# --- nothing moves while others interfere ----------------------------------------


def check_exact(story):
    story.show()
    seen = story.witnessed()
    lacks = missing(seen, story.accounted())
    for key, lack in sorted(lacks.items()):
        print(f"  {key}: of {seen.get(key)} bytes in and out, the account lacks {lack}")
    check(not lacks, f"{len(lacks)} routes of {len(seen)} are not exact")


def let_live(story, first, end):
    """So many new containers, among those that have stayed."""
    lives = [operator.live_on for operator in story.operators(published(story))]
    story.make_containers(first, end)
    lives += [operator.live for operator in story.operators(f"c{i}" for i in range(first, end))]
    random.Random(f"{story.seed} {first} order").shuffle(lives)
    at_once(lives)
    story.rest()
    story.hub.run("sonm-gwstat", "--checkpoint")
    check_exact(story)


def published(story):
    return sorted({row["container"] for row in story.hub.read("sonm-vs", "-L")["routes"] if row["state"] != "closing"})


def quiet_until_the_cut(story):
    say("Containers come and go, and commands are killed; then the table is flushed")
    let_live(story, 0, CONTAINERS * 3 // 10)
    story.hub.run("ipvsadm", "-C")
    story.hub.run("sonm-vs", "--sync")
    say("More of them; then the counters are zeroed")
    let_live(story, CONTAINERS * 3 // 10, CONTAINERS * 11 // 20)
    story.hub.run("ipvsadm", "-Z")
    story.hub.run("sonm-vs", "--sync")
    say("More of them; then the power is cut")
    let_live(story, CONTAINERS * 11 // 20, CONTAINERS * 3 // 4)
    story.save()


def quiet_after_the_cut(story):
    say("It is back, and so are those that stayed")
    story.hub.run("sonm-vs", "--sync")
    let_live(story, CONTAINERS * 3 // 4, CONTAINERS)
    say("All are removed")
    story.hub.run("sonm-vs", "-C", "--yes", "--wait")
    check_exact(story)


# --- traffic flows on while others interfere --------------------------------------


def check_bounded(story, why, moment):
    """
    Of what came since the last check, only what the account calls uncertain may be missing from it: for this
    reason, in a time that contains this moment.
    """
    story.hub.run("sonm-gwstat", "--checkpoint")
    story.show()
    lacks = missing(story.witnessed(), story.accounted())
    uncertain = {key_of(row) for row in story.hub.read("sonm-gwstat")["uncertain"]
                 if row["why"] == why and row["since"] <= moment <= row["until"]}
    for key, lack in lacks.items():
        check(min(lack) >= 0, f"{key}: the account has more than was seen: {lack}")
        check(lack == story.lacked.get(key) or key in uncertain, f"{key}: {lack} bytes are missing and not uncertain")
    more = sum_of(lacks) - sum_of(story.lacked)
    print(f"  {more} bytes more are missing, all of them uncertain")
    story.lacked = lacks
    return more


def use_all(story, wanted, pause=0.0):
    """UDP less: here it costs more."""
    for route in story.routes():
        wanted_here = wanted if route.protocol == "tcp" else wanted // 10
        story.transfer(route, wanted_here // 10, wanted_here, pause)


def interfere(story, why, *command):
    """What was transferred since the checkpoint may be lost; it is less than what was before, so one can see it."""
    use_all(story, 3000000)
    story.rest()
    story.hub.run("sonm-gwstat", "--checkpoint")
    for _ in range(3):
        use_all(story, 300000, 0.1)
        time.sleep(1)
    moment = int(time.time())
    story.hub.run(*command)
    use_all(story, 300000, 0.1)
    story.hub.run("sonm-vs", "--sync")
    use_all(story, 300000, 0.1)
    story.rest()
    check(check_bounded(story, why, moment) > 0, "nothing is missing: no traffic flowed")


def busy_until_the_cut(story):
    story.make_containers(0, BUSY_CONTAINERS)
    at_once([operator.publish for operator in story.operators(story.containers)])
    say("Traffic flows while the table is flushed")
    interfere(story, "removed", "ipvsadm", "-C")
    say("Traffic flows while the counters are zeroed")
    interfere(story, "reset", "ipvsadm", "-Z")
    say("Traffic flows while the power is cut")
    use_all(story, 3000000, 0.1)
    time.sleep(SNAPSHOT)
    story.hub.run("sonm-gwstat", "--checkpoint")
    time.sleep(1)
    story.save()


def busy_after_the_cut(story):
    say("It is back")
    story.hub.run("sonm-vs", "--sync")
    use_all(story, 300000)
    story.rest()
    check(check_bounded(story, "reboot", int(story.saved_at)) > 0, "nothing is missing: no traffic flowed")
    say("All are removed while traffic flows")
    use_all(story, 3000000, 0.1)
    time.sleep(1)
    story.hub.run("sonm-vs", "-C", "--yes", "--wait")
    story.rest()
    check(check_bounded(story, "never", 0) == 0, "more is missing")


def say(what):
    print(f"* {what}", flush=True)


STORIES = {"quiet": [quiet_until_the_cut, quiet_after_the_cut],
           "busy": [busy_until_the_cut, busy_after_the_cut]}


def main():
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    story = Story(sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "")
    STORIES[sys.argv[1]][story.part - 1](story)
    sys.stdout.flush()
    os._exit(0)  # its threads serve for ever


if __name__ == "__main__":
    main()
