"""Counts, which do not jitter: system calls a call (strace) and instructions a call (callgrind)."""

import os
import re
import subprocess
import tempfile
import time

from sides import DAEMONS, Echo, load, make_daemon

FLOOR = "an echo server that moves the same bytes"
NEEDS_DAEMONS = True
KINDS = ("feature", "lookup", "xml", "list")
FEW, MANY = 200, 700  # connecting costs the same for both, so the difference is of calls alone


def measure(table, daemons, directory):
    echo = Echo(directory, 32, 32)
    everyone = {**daemons, "floor": echo}
    for name, outstanding in (("one at a time", 1), ("64 outstanding", 64)):
        table.add("system calls a call, " + name, "", {
            side: [system_calls(daemon, outstanding, ["-r", 32] if daemon is echo else [])]
            for side, daemon in everyone.items()})
    echo.close()
    counted = {side: instructions(make_daemon(side)) for side in DAEMONS}
    for kind in KINDS:
        table.add("instructions a call, " + kind, "", {side: [counted[side][kind]] for side in DAEMONS})


def system_calls(daemon, outstanding, options):
    """What strace counts in all threads."""
    totals = []
    for calls in (FEW, MANY):
        with tempfile.NamedTemporaryFile() as report:
            tracer = subprocess.Popen(["strace", "-c", "-f", "-U", "calls,name", "-o", report.name, "-p",
                                       str(daemon.daemon_pid())], stderr=subprocess.PIPE, text=True)
            tracer.stderr.readline()  # "Process N attached"
            time.sleep(0.5)           # and its other threads
            load(daemon, "feature", 1, outstanding, calls, options=options)
            tracer.send_signal(2)
            tracer.communicate()
            totals.append(int(re.search(rb"^\s*(\d+) total$", report.read(), re.M).group(1)))
    return (totals[1] - totals[0]) / (MANY - FEW)


def instructions(daemon):
    """kind -> what callgrind counts in all threads; a reply of the test driver each."""
    plain = daemon.command
    valgrind = ["valgrind", "-q", "--tool=callgrind", "--callgrind-out-file=%s/counted.%%p" % daemon.root]
    if daemon.IS_UNDER_TEST:
        control = lambda: ["callgrind_control", "-d", str(daemon.daemon_pid())]  # noqa: E731
        daemon.command = lambda *arguments: valgrind + plain(*arguments)
    else:
        control = lambda: daemon.inside("callgrind_control", "-d")  # noqa: E731
        daemon.command = lambda *arguments: daemon.inside(*valgrind, "libvirtd", *arguments)
    daemon.start()
    counted = {}
    for kind in KINDS:
        totals = []
        for calls in (FEW, FEW, MANY):  # the first time is of whatever is done once
            load(daemon, kind, calls=calls)
            totals.append(take_dump(daemon, control()))
        counted[kind] = (totals[2] - totals[1]) / (MANY - FEW)
    daemon.close()
    return counted


def take_dump(daemon, control):
    """The instructions since the last dump."""
    def dumps():
        return [name for name in os.listdir(daemon.root) if re.fullmatch(r"counted\.\d+\.\d+", name)]

    subprocess.run(control, check=True, capture_output=True)
    with open(daemon.path(dumps()[0])) as file:
        total = int(re.search(r"^(?:totals|summary): (\d+)", file.read(), re.M).group(1))
    for name in dumps():
        os.unlink(daemon.path(name))
    return total
