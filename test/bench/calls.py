"""Calls: how long one takes, how many go through, with few and many outstanding and clients."""

from sides import DAEMONS, Echo, load, take_turns

FLOOR = "an echo server that moves the same bytes"
NEEDS_DAEMONS = True
ROUNDS = 5


def measure(table, daemons, directory):
    echo = Echo(directory, 32, 32)
    latency(table, daemons, echo)
    for outstanding in (4, 16, 64, 256):
        rate(table, daemons, echo, "%d outstanding" % outstanding, 1, outstanding)
    for clients in (1, 10, 50, 200):
        rate(table, daemons, echo, "%d client%s" % (clients, "s" if clients > 1 else ""), clients, 1)
    echo.close()


def everyone(daemons, echo, connections, outstanding, calls):
    """side -> a run of the load generator; libvirtd, which is slower, makes fewer calls."""
    sides = {side: lambda side=side: load(daemons[side], "feature", connections, outstanding,
                                          calls[side]) for side in DAEMONS}
    sides["floor"] = lambda: load(echo, "feature", connections, outstanding, calls["floor"],
                                  options=["-r", 32])
    return sides


def latency(table, daemons, echo):
    calls = {"nanovirtd": 10000, "libvirtd": 5000, "floor": 10000}
    runs = take_turns(ROUNDS, everyone(daemons, echo, 1, 1, calls))
    for name, quantile in (("p50", "p50"), ("p99", "p99"), ("p99.9", "p999")):
        table.add("one call at a time, " + name, "us",
                  {side: [run[quantile] for run in values] for side, values in runs.items()})


def rate(table, daemons, echo, name, connections, outstanding):
    calls = {"nanovirtd": 100000, "libvirtd": 5000, "floor": 100000}
    if connections * outstanding == 1:
        calls["nanovirtd"] = calls["floor"] = 10000
    runs = take_turns(ROUNDS, everyone(daemons, echo, connections, outstanding, calls))
    table.add(name, "calls/s", {side: [run["rate"] for run in values] for side, values in runs.items()})
