"""Domains: listing many of them, defining and undefining."""

import os
import tempfile
import time

import libvirt

import sides
from sides import DAEMONS, QEMU_URI, Echo, load, take_turns

FLOOR = "an echo server that moves the same bytes; for definitions, the same file made durable"
NEEDS_DAEMONS = False
LIST_ROUNDS = 7
DEFINE_ROUNDS = 5
DEFINITIONS = 20


def measure(table, _, directory):
    daemons = {side: sides.make_daemon(side) for side in DAEMONS}
    definitions = {}
    for side, daemon in daemons.items():
        daemon.start()
        definitions[side] = sides.canonical_definition(daemon)
    define_and_undefine(table, daemons, definitions, directory)
    for count in (10, 100, 1000):
        for side, daemon in daemons.items():
            daemon.stop()
            sides.populate(daemon, count, definitions[side])
            daemon.start()
        listing(table, daemons, count, directory)
    sides.close_daemons(daemons)


def listing(table, daemons, count, directory):
    """virConnectListAllDomains, one call after the other."""
    calls = max(20, 20000 // count)

    def run(daemon, options=()):
        return load(daemon, "list", calls=calls, uri=QEMU_URI, options=options)

    trial = run(daemons["nanovirtd"])
    echo = Echo(directory, int(trial["request"]), int(trial["reply"]))
    measures = {side: lambda daemon=daemon: run(daemon)["p50"] for side, daemon in daemons.items()}
    measures["floor"] = lambda: run(echo, ["-r", int(trial["reply"])])["p50"]
    table.add("list %d domains (%d bytes)" % (count, trial["reply"]), "us",
              take_turns(LIST_ROUNDS, measures))
    echo.close()


def define_and_undefine(table, daemons, definitions, directory):
    connections = {side: libvirt.open(daemon.uri()) for side, daemon in daemons.items()}
    documents = {side: definitions[side].replace("guest-0", "new-%d") for side in DAEMONS}
    runs = take_turns(DEFINE_ROUNDS, {
        **{side: lambda side=side: define_some(connections[side], documents[side]) for side in DAEMONS},
        "floor": lambda: make_durable(directory, definitions["nanovirtd"])})
    for row, name in enumerate(("define a domain", "undefine it")):
        table.add(name, "us", {side: [run[row] for run in values] for side, values in runs.items()})
    for connection in connections.values():
        connection.close()


def per_piece(began):
    return (time.monotonic() - began) * 1e6 / DEFINITIONS


def define_some(connection, document):
    """Microseconds for each definition and for each end of one, each waited for."""
    without_uuid = "".join(line for line in document.splitlines(True) if "<uuid>" not in line)
    began = time.monotonic()
    domains = [connection.defineXML(without_uuid.replace("new-%d", "new-%d" % i))
               for i in range(DEFINITIONS)]
    defined, began = per_piece(began), time.monotonic()
    for domain in domains:
        domain.undefine()
    return defined, per_piece(began)


def sync_directory(directory):
    fd = os.open(directory, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def make_durable(directory, text):
    """What a definition that survives a power cut needs of the disk, and nothing else."""
    home = tempfile.mkdtemp(dir=directory)
    path = os.path.join(home, "%d")
    began = time.monotonic()
    for i in range(DEFINITIONS):
        with open(path % i + ".new", "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.rename(path % i + ".new", path % i)
        sync_directory(home)
    written, began = per_piece(began), time.monotonic()
    for i in range(DEFINITIONS):
        os.unlink(path % i)
        sync_directory(home)
    return written, per_piece(began)
