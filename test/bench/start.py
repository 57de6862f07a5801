"""Start: from the command to the first answered call, with guests defined."""

import os
import signal
import subprocess

from sides import DAEMONS, QEMU_URI, canonical_definition, make_daemon, peers, populate, program
from sides import read_figures, take_turns

FLOOR = "none"
NEEDS_DAEMONS = False
ROUNDS = {0: 7, 100: 7, 1000: 5}


def first_call(daemon):
    """Starts the daemon and has it answer; milliseconds. The daemon has ended afterwards."""
    for readonly in (False, True):
        if os.path.exists(daemon.socket_path(readonly)):
            os.unlink(daemon.socket_path(readonly))
    with open(daemon.log, "a") as log:
        tool = subprocess.Popen([program("first_call"), daemon.socket_path(), QEMU_URI,
                                 *daemon.command()], stdout=subprocess.PIPE, stderr=log, text=True)
    figures = read_figures(tool.stdout.readline() + tool.stdout.readline())
    daemon.process = tool
    started = peers.children_of(tool.pid)[0]
    inside = peers.children_of(started)  # of nsenter, which puts libvirtd into its namespaces
    os.kill(inside[0] if daemon.NAME == "libvirtd" else started, signal.SIGTERM)
    tool.wait()
    daemon.process = None
    return figures["first"] / 1000


def measure(table, _, __):
    daemons = {side: make_daemon(side) for side in DAEMONS}
    definitions = {}
    for side, daemon in daemons.items():
        daemon.NAME = side
        daemon.write_configuration()
        daemon.start()
        definitions[side] = canonical_definition(daemon)
        daemon.stop()
        os.unlink(daemon.path("etc/libvirt/qemu/guest-0.xml"))
    for count, rounds in ROUNDS.items():
        for side, daemon in daemons.items():
            populate(daemon, count, definitions[side])
        table.add("first answered call, %d guests defined" % count, "ms",
                  take_turns(rounds, {side: lambda daemon=daemon: first_call(daemon)
                                      for side, daemon in daemons.items()}))
    for daemon in daemons.values():
        daemon.close()
