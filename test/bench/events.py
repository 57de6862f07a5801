"""Events: one client acts, and fifty are told."""

from sides import TEST_URI, Echo, run_tool, take_turns

FLOOR = "an echo server that sends the same bytes to everybody"
NEEDS_DAEMONS = True
ROUNDS = 5
LISTENERS = 50
ACTIONS = {"nanovirtd": 1000, "libvirtd": 200, "floor": 1000}


def measure(table, daemons, directory):
    def run(side, daemon, *sizes):
        return run_tool("fanout", daemon.socket_path(), TEST_URI, LISTENERS, ACTIONS[side], *sizes)

    trial = run("nanovirtd", daemons["nanovirtd"])
    sizes = [int(trial[name]) for name in ("request", "reply", "event")]
    echo = Echo(directory, *sizes)
    measures = {side: lambda side=side: run(side, daemons[side])["rate"] for side in daemons}
    measures["floor"] = lambda: run("floor", echo, *sizes)["rate"]
    table.add("suspend and resume, seen by %d clients" % LISTENERS, "events/s",
              take_turns(ROUNDS, measures))
    echo.close()
