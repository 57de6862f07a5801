"""Memory: at rest, under 50 busy clients, and after an hour's work in a minute."""

import os
import subprocess
import threading
import time

import libvirt

import sides
from sides import DAEMONS, QEMU_URI, load, make_daemon, memory_kib

FLOOR = "none"
NEEDS_DAEMONS = False
CLIENTS = 50
GUESTS = 100
SOAK_SECONDS = int(os.environ.get("BENCH_SOAK", "60"))


def measure(table, _, __):
    sides_of_memory = {side: make_daemon(side) for side in DAEMONS}
    sides_of_memory["static"] = make_daemon("nanovirtd", sides.BUILD + "-static/nanovirtd")
    for daemon in sides_of_memory.values():
        daemon.start()
    note(table, "at rest, no guest defined", sides_of_memory)
    for side, daemon in sides_of_memory.items():
        definition = sides.canonical_definition(daemon)
        daemon.stop()
        sides.populate(daemon, GUESTS, definition)
        daemon.start()
    note(table, "at rest, %d guests defined" % GUESTS, sides_of_memory)
    for daemon in sides_of_memory.values():
        load(daemon, "mix", CLIENTS, 1, 5000, QEMU_URI, ["-d", "guest-1"])
    note(table, "after %d clients with a call each" % CLIENTS, sides_of_memory)
    for daemon in sides_of_memory.values():
        load(daemon, "mix", CLIENTS, 5, 5000, QEMU_URI, ["-d", "guest-1"])
    note(table, "after %d clients with 5 calls each" % CLIENTS, sides_of_memory)
    soak(table, sides_of_memory)
    sides.close_daemons(sides_of_memory)


def note(table, when, daemons):
    """A row for what is resident and one for what is private, of the usual build and the static one."""
    usage = {side: memory_kib(daemon.daemon_pid()) for side, daemon in daemons.items()}
    for i, kind in enumerate(("resident", "private")):
        table.add("%s, %s" % (kind, when), "KiB", {side: [usage[side][i]] for side in DAEMONS})
    table.add("  of the static build, resident, the same", "KiB",
              {"nanovirtd": [usage["static"][0]], "libvirtd": [usage["libvirtd"][0]]})


def come_and_go(daemon, end):
    """Clients that connect and leave, and a definition that comes and goes, while others work."""
    definition = sides.GUEST.replace("guest-0", "passing") % daemon.path("images/disk.img")
    while time.monotonic() < end:
        connection = libvirt.open(daemon.uri())
        domain = connection.defineXML(definition)
        domain.XMLDesc()
        domain.undefine()
        connection.close()


def soak(table, daemons):
    """All of them at the same time: it is memory that is measured, not speed."""
    end = time.monotonic() + SOAK_SECONDS
    before, runs, threads = {}, {}, []
    for side, daemon in daemons.items():
        runs[side] = subprocess.Popen(
            [sides.program("load"), "-d", "guest-1", "-s", str(SOAK_SECONDS), daemon.socket_path(),
             QEMU_URI, "mix", str(CLIENTS), "5", "0"], stdout=subprocess.PIPE, text=True)
        threads.append(threading.Thread(target=come_and_go, args=(daemon, end)))
        threads[-1].start()
    time.sleep(SOAK_SECONDS / 12)
    for side, daemon in daemons.items():
        before[side] = memory_kib(daemon.daemon_pid())[0]
    for thread in threads:
        thread.join()
    calls = {side: sides.read_figures(run.communicate()[0])["calls"] for side, run in runs.items()}
    table.add("calls in a soak of %d s" % SOAK_SECONDS, "calls", {side: [calls[side]] for side in DAEMONS})
    note(table, "after it", daemons)
    growth = {side: memory_kib(daemon.daemon_pid())[0] - before[side] for side, daemon in daemons.items()}
    table.add("resident grew by, from its 12th part on", "KiB", {side: [growth[side]] for side in DAEMONS})
    table.add("  the static build", "KiB", {"nanovirtd": [growth["static"]], "libvirtd": [growth["libvirtd"]]})
