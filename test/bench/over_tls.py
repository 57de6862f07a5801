"""TLS: handshakes, calls and documents over it, both sides with certificates."""

import libvirt

from sides import DAEMONS, OverTls, cpu_seconds, load, run_tool, take_turns

FLOOR = "none; the client, mbedTLS's, has its part in every figure, and it is the same for both"
NEEDS_DAEMONS = False
ROUNDS = 5
HANDSHAKES = 50
DOCUMENT = ("<domain type='test'><name>long</name><memory>1024</memory><os><type>hvm</type></os>"
            "<description>%s</description></domain>" % ("x" * 60000))


def measure(table, _, __):
    secure = {side: OverTls(side) for side in DAEMONS}
    add(table, secure, shake_hands, {"rate": ("handshakes", "1/s"),
                                     "cpu": ("  CPU time of the daemon for one", "ms")})
    add(table, secure, lambda side: load(side, "feature"), {
        "p50": ("one call at a time, p50", "us"), "p99": ("one call at a time, p99", "us")})
    add(table, secure, lambda side: load(side, "feature", 1, 64, 10000),
        {"rate": ("64 outstanding", "calls/s")})
    add(table, secure, lambda side: load(side, "feature", 20, 1, 10000), {"rate": ("20 clients", "calls/s")})
    keepers = [libvirt.open(side.daemon.uri("test")) for side in secure.values()]
    for keeper in keepers:  # the test driver forgets what was defined when the last connection ends
        keeper.defineXML(DOCUMENT)
    add(table, secure, read_documents, {"rate": ("documents of 60 KB", "MB/s")})
    for keeper in keepers:
        keeper.close()
    for side in secure.values():
        side.close()


def add(table, secure, measurement, rows):
    """A row for each of `rows`, figure -> (name, unit), of a measurement that returns these figures."""
    runs = take_turns(ROUNDS, {name: lambda side=side: measurement(side) for name, side in secure.items()})
    for figure, (what, unit) in rows.items():
        table.add(what, unit, {name: [run[figure] for run in values] for name, values in runs.items()})


def shake_hands(side):
    """Handshakes a second, and milliseconds of the daemon's CPU time for one."""
    used = cpu_seconds(side.daemon_pid())
    rate = run_tool("handshakes", side.socket_path(), HANDSHAKES, enter=side.enter)["rate"]
    return {"rate": rate, "cpu": (cpu_seconds(side.daemon_pid()) - used) * 1000 / HANDSHAKES}


def read_documents(side):
    run = load(side, "xml", 4, 1, 400, options=["-d", "long"])
    return {"rate": run["rate"] * run["reply"] / 1e6}
