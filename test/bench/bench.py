"""nanovirtd, Debian's libvirtd and a bare echo server side by side, in one run on one machine.

The echo server is the floor: it moves the same bytes and looks at none. Every figure is the median of
several rounds in which the servers take turns, so that a machine that becomes slower becomes so for
all. Prints a table and writes it to bench.csv. Asserts nothing.
"""

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "client"))
import peer as peers  # noqa: E402  (the daemons of the client tests)

ROUNDS = 3
TEST_URI = "test:///default"


def load(build, socket, uri, call, connections, outstanding, calls, reply=None):
    """Runs the load generator; name -> figure."""
    command = [os.path.join(build, "test/bench/load"), socket, uri, call, str(connections),
               str(outstanding), str(calls)] + ([str(reply)] if reply else [])
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {name: float(value) for name, value in (line.split() for line in lines)}


class Echo:
    """The floor, for one size of request and reply."""

    def __init__(self, build, directory, request, reply):
        self.socket = os.path.join(directory, "echo-%d-%d" % (request, reply))
        self.process = subprocess.Popen([os.path.join(build, "test/bench/echo"), self.socket,
                                         str(request), str(reply)])
        peers.wait_until(lambda: os.path.exists(self.socket), "the echo server listens")

    def stop(self):
        self.process.kill()
        self.process.wait()


class Table:
    """Rows of medians: what was measured, and a figure per server."""

    def __init__(self, servers):
        self.servers = servers
        self.rows = []

    def add(self, name, unit, figures):
        medians = {server: statistics.median(values) for server, values in figures.items() if values}
        self.rows.append((name, unit, medians))
        cells = "".join("%14s" % ("%.2f" % medians[s] if s in medians else "-") for s in self.servers)
        ratio = ""
        if "nanovirtd" in medians:
            ratio = "".join("  /%s %.2f" % (s, medians["nanovirtd"] / medians[s])
                            for s in self.servers if s != "nanovirtd" and medians.get(s))
        print("%-34s %-8s%s%s" % (name, unit, cells, ratio), flush=True)

    def save(self, path):
        with open(path, "w", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["what", "unit"] + self.servers)
            for name, unit, medians in self.rows:
                writer.writerow([name, unit] + [medians.get(s, "") for s in self.servers])


def measure_calls(table, build, daemons, directory):
    """One kind of call with few and many outstanding, over one and many connections."""
    echo = Echo(build, directory, 32, 32)
    cases = [("one call at a time", 1, 1, 5000, "p50", "us"),
             ("one call at a time, p99", 1, 1, 5000, "p99", "us"),
             ("one call at a time, p99.9", 1, 1, 5000, "p999", "us"),
             ("4 outstanding", 1, 4, 20000, "rate", "calls/s"),
             ("64 outstanding", 1, 64, 50000, "rate", "calls/s"),
             ("256 outstanding", 1, 256, 50000, "rate", "calls/s"),
             ("50 connections", 50, 1, 50000, "rate", "calls/s"),
             ("200 connections", 200, 1, 50000, "rate", "calls/s")]
    for name, connections, outstanding, calls, what, unit in cases:
        figures = {server: [] for server in table.servers}
        for _ in range(ROUNDS):
            figures["echo"].append(load(build, echo.socket, "-", "feature", connections, outstanding,
                                        calls, reply=32)[what])
            for server, daemon in daemons.items():
                figures[server].append(load(build, daemon.socket_path(), TEST_URI, "feature", connections,
                                            outstanding, calls)[what])
        table.add(name, unit, figures)
    echo.stop()


def start_daemon(server):
    """A daemon whose limits are not what is measured."""
    daemon = {"nanovirtd": peers.Nanovirtd, "libvirtd": peers.Libvirtd}[server]()
    daemon.configuration.update({"max_client_requests": "1000", "max_clients": "1000",
                                 "max_queued_clients": "1000", "max_anonymous_clients": "1000"})
    return daemon.start()


def resident_kib(pid):
    with open("/proc/%d/smaps_rollup" % pid) as rollup:
        for line in rollup:
            if line.startswith("Rss:"):
                return int(line.split()[1])
    return 0


def measure_memory(table, daemons, name):
    table.add(name, "KiB", {server: [resident_kib(daemon.daemon_pid())] for server, daemon in daemons.items()})


def system_calls_per_call(build, daemon):
    """How many system calls the daemon makes for one call, as strace counts them."""
    calls = 2000
    with tempfile.NamedTemporaryFile() as report:
        tracer = subprocess.Popen(["strace", "-c", "-f", "-U", "calls,name", "-o", report.name, "-p",
                                   str(daemon.daemon_pid())], stderr=subprocess.DEVNULL)
        time.sleep(1)
        load(build, daemon.socket_path(), TEST_URI, "feature", 1, 1, calls)
        tracer.send_signal(2)
        tracer.wait()
        total = [line for line in open(report.name).read().splitlines() if line.endswith("total")]
    return float(total[0].split()[0]) / calls if total else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--without-libvirtd", action="store_true")
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    os.environ.setdefault("NANOVIRTD", os.path.join(build, "nanovirtd"))
    servers = ["nanovirtd"] + ([] if arguments.without_libvirtd else ["libvirtd"]) + ["echo"]
    table = Table(servers)
    print("%-34s %-8s%s" % ("", "", "".join("%14s" % s for s in servers)))
    with tempfile.TemporaryDirectory(prefix="nv-bench-") as directory:
        daemons = {server: start_daemon(server) for server in servers if server != "echo"}
        try:
            measure_memory(table, daemons, "resident, just started")
            measure_calls(table, build, daemons, directory)
            measure_memory(table, daemons, "resident, after that")
            table.add("system calls per call", "", {server: [system_calls_per_call(build, daemon)]
                                                    for server, daemon in daemons.items()})
        finally:
            for daemon in daemons.values():
                daemon.close()
    table.save("bench.csv")


main()
