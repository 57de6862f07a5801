"""Siege: 200 TLS clients at work, alone and while 200 more stall, flood and talk rubbish."""

import os
import statistics
import subprocess
import sys

from sides import DAEMONS, OverTls, load, peers

FLOOR = "none; the hostile ones share the machine's processors with everybody"
NEEDS_DAEMONS = False
ROUNDS = 3
CLIENTS, HOSTILE = 100, 100  # half of the test's: connecting during a siege takes long
CALLS = 5000


def measure(table, _, __):
    quiet, beset = {}, {}
    for side in DAEMONS:
        secure = OverTls(side, max_client_requests="5")  # what both have by themselves
        quiet[side] = [work(secure) for _ in range(ROUNDS)]
        hostile = subprocess.Popen(
            [*secure.enter, sys.executable, os.path.join(peers.TOP, "test/client/hostile.py"),
             str(secure.port), secure.pki.client("bench"), str(HOSTILE)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        hostile.stdout.readline()
        beset[side] = [work(secure) for _ in range(ROUNDS)]
        hostile.stdin.close()
        hostile.wait()
        secure.close()
    table.add("p99 of %d clients, alone" % CLIENTS, "ms", quiet)
    table.add("p99 under siege by %d" % HOSTILE, "ms", beset)
    table.add("  so many times the quiet p99", "", {
        side: [statistics.median(beset[side]) / statistics.median(quiet[side])] for side in DAEMONS})


def work(secure):
    return load(secure, "feature", CLIENTS, 1, CALLS)["p99"] / 1000
