#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
crowd.py CONTAINERS CALLERS SECONDS STATE-FILE [SEED]

So many callers at once, each with its share of the containers, publish them all
with four ports each, transfer through them, and remove them; again and again for
so many seconds. No command may fail, every transfer must arrive as it was sent,
and in the end every byte is accounted for, as the witnesses of exact.py saw it.
"""
import os
import random
import resource
import sys
import time

import exact
import load

PORTS = [("tcp", 80), ("tcp", 443), ("udp", 53), ("udp", 443)]
PAUSE = 5  # seconds between two checkpoints
exact.CLIENT_PORTS_EACH = 10


class Caller:
    def __init__(self, story, names):
        self.story, self.hub, self.names = story, story.hub, names
        self.chance = random.Random(f"{story.seed} {names[0]}")

    def publish(self, name):
        routes = self.story.containers[name]
        command = ["sonm-vs", "-A", name]
        for route in routes:
            command += route.option(f"worker{1 + route.index % 2}")
        made = {(row["container_port"], row["protocol"]): row for row in self.hub.read(*command)["routes"]}
        exact.check(len(made) == len(routes), f"{name}: {len(made)} routes are published")
        for route in routes:
            row = made[route.number, route.protocol]
            route.endpoint = row["address"], row["port"]

    def use(self, name):
        """One of each protocol. They have ended when this returns."""
        routes = self.chance.sample(self.story.containers[name], 2)
        moves = [self.story.transfer(route, *self.sizes(route)) for route in routes]
        for move in moves:
            if move:
                move.result()

    def sizes(self, route):
        largest = 100000 if route.protocol == "tcp" else 10000
        return (int(largest ** self.chance.random()) for _ in range(2))

    def go_round(self):
        for name in self.names:
            self.publish(name)
            self.use(name)
        self.story.show_most()
        for name in self.names:
            self.use(name)
            self.hub.run("sonm-vs", "-D", name)

    def live(self):
        while True:
            self.go_round()
            if time.monotonic() > self.story.end:
                return


class Story(exact.Story):
    def __init__(self, containers, seconds, path, seed):
        super().__init__(path, seed)
        self.client = load.Client(patience=30)
        self.end = time.monotonic() + seconds
        self.most = 0
        for i in range(containers):
            for number, (protocol, port) in enumerate(PORTS):
                route = exact.Route(f"c{i}", protocol, len(PORTS) * i + number, i % 2 == 1)
                route.number = port
                self.add_route(route)

    def show_most(self):
        with open("/proc/net/ip_vs", encoding="ascii") as table:
            self.most = max(self.most, sum(line.startswith(("TCP", "UDP")) for line in table))

    def keep_account(self):
        while time.monotonic() < self.end:
            self.hub.run("sonm-gwstat", "--checkpoint")
            time.sleep(PAUSE)


def finish(story):
    story.rest()
    story.hub.run("sonm-gwstat", "--checkpoint")
    exact.check_exact(story)
    lost = story.figures["transfers"] - story.figures["complete"]
    exact.check(lost == 0, f"{lost} transfers did not arrive as they were sent")
    print(f"  at most {story.most} services at once; each transfer arrived as it was sent", flush=True)


def main():
    containers, callers, seconds = map(int, sys.argv[1:4])
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    exact.OPERATORS = callers + 1
    story = Story(containers, seconds, sys.argv[4], sys.argv[5] if len(sys.argv) > 5 else "")
    names = list(story.containers)
    exact.at_once([story.keep_account] + [Caller(story, names[i::callers]).live for i in range(callers)])
    finish(story)
    sys.stdout.flush()
    os._exit(0)  # its threads serve for ever


if __name__ == "__main__":
    main()
