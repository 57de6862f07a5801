"""Siege: 200 TLS clients at work, alone and while 200 more stall, flood and talk rubbish."""

import os
import statistics
import subprocess
import sys
import time

from sides import DAEMONS, OverTls, cpu_seconds, load, peers

FLOOR = "none; the hostile ones share the machine's processors with everybody, as does what is as busy as they are"
NEEDS_DAEMONS = False
ROUNDS = 3
CLIENTS, HOSTILE = 200, 200
CALLS = 50000

# Argument: the share of one processor to use. Until standard input ends.
BUSY = """
import select, sys, time
share, pause = float(sys.argv[1]), 0.02
while not select.select([sys.stdin], [], [], pause * (1 - share))[0]:
    end = time.process_time() + pause * share
    while time.process_time() < end:
        pass
"""


class Beside:
    """A process at work beside the clients, until it is left."""

    def __init__(self, *command, says_when=False):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if says_when:
            self.process.stdout.readline()
        self.began, self.used = time.monotonic(), cpu_seconds(self.process.pid)

    def share(self):
        """Of one processor, what it has used since it was ready."""
        return (cpu_seconds(self.process.pid) - self.used) / (time.monotonic() - self.began)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def measure(table, _, __):
    kinds = ("p99", "sent_p99")
    alone, busy, beset = ({kind: {side: [] for side in DAEMONS} for kind in kinds} for _ in range(3))
    for side in DAEMONS:
        secure = OverTls(side, max_client_requests="5")  # what both have by themselves
        for _ in range(ROUNDS):
            note(alone, side, work(secure))
            with Beside(*secure.enter, sys.executable, os.path.join(peers.TOP, "test/client/hostile.py"),
                        str(secure.port), secure.pki.client("bench"), str(HOSTILE), says_when=True) as hostile:
                note(beset, side, work(secure))
                share = hostile.share()
            with Beside(sys.executable, "-c", BUSY, str(min(share, 0.95))):
                note(busy, side, work(secure))
        secure.close()
    for kind, when in (("p99", ""), ("sent_p99", ", until the reply was sent")):
        table.add("p99 of %d clients, alone%s" % (CLIENTS, when), "ms", alone[kind])
        table.add("  beside a process as busy as the hostile", "ms", busy[kind])
        table.add("  under siege by %d" % HOSTILE, "ms", beset[kind])
        table.add("  so many times that alone", "", times(beset[kind], alone[kind]))
        table.add("  so many times that beside a busy process", "", times(beset[kind], busy[kind]))


def note(figures, side, ran):
    for kind in figures:
        figures[kind][side].append(ran[kind] / 1000)


def times(some, others):
    return {side: [statistics.median(some[side]) / statistics.median(others[side])] for side in DAEMONS}


def work(secure):
    return load(secure, "feature", CLIENTS, 1, CALLS)
