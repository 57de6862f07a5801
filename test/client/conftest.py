"""The fixtures: a daemon for all tests of a file, connections to it, a virsh."""

import gc
import subprocess
import sys

import pytest

import peer as peers

# Collected at a time of its own choosing, an object of the binding clears the error that a call has
# just left: the exception then has none.
gc.disable()


def pytest_configure(config):
    config.addinivalue_line("markers", "libvirtd_only(reason): not a claim about nanovirtd")
    config.addinivalue_line("markers", "nanovirtd_only(reason): not a claim about libvirtd")


def pytest_collection_modifyitems(items):
    for item in items:
        for name in ("nanovirtd", "libvirtd"):
            mark = item.get_closest_marker(name + "_only")
            if mark and peers.NAME != name:
                item.add_marker(pytest.mark.skip(reason=mark.kwargs.get("reason", name + " only")))


class Result:
    """What a virsh command said."""

    def __init__(self, completed):
        self.status = completed.returncode
        self.out = completed.stdout
        self.err = completed.stderr

    def __str__(self):
        return "status %d\n%s%s" % (self.status, self.out, self.err)


class Virsh:
    """Runs the machine's own virsh, one command a call; a failure that was not asked for is one."""

    PROGRAM = "virsh"

    def __init__(self, uri, readonly=False):
        self.uri = uri
        self.options = ["-r"] if readonly else []

    def command(self, *arguments):
        return [self.PROGRAM, "-c", self.uri, *self.options, *(str(part) for part in arguments)]

    def run(self, *arguments, stdin=None):
        completed = subprocess.run(self.command(*arguments), input=stdin, capture_output=True,
                                   text=True, errors="replace", timeout=peers.PATIENCE * 2,
                                   env=dict(ENVIRONMENT))
        return Result(completed)

    def __call__(self, *arguments, stdin=None):
        result = self.run(*arguments, stdin=stdin)
        assert result.status == 0, "%s: %s" % (" ".join(map(str, arguments)), result)
        return result.out.strip()

    def fails(self, *arguments, stdin=None):
        """The command's error text; a success is the failure here."""
        result = self.run(*arguments, stdin=stdin)
        assert result.status != 0, "%s succeeded: %s" % (" ".join(map(str, arguments)), result)
        return result.err.strip()


class VirtAdmin(Virsh):
    """virt-admin, likewise."""

    PROGRAM = "virt-admin"

    def values(self, *arguments):
        """The `name : value` lines of a command as a dictionary."""
        lines = [line.split(":", 1) for line in self(*arguments).splitlines() if ":" in line]
        return {name.strip(): value.strip() for name, value in lines}

    def clients(self, server="libvirtd"):
        """number -> transport of the clients of a server."""
        rows = [line.split() for line in self("srv-clients-list", server).splitlines()[2:]]
        return {int(row[0]): row[1] for row in rows if row}


ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent",
               "TERM": "dumb"}


@pytest.fixture(scope="module")
def peer():
    daemon = peers.make_peer()
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.close()


@pytest.fixture(scope="module")
def idle_peer():
    """A daemon that the test starts itself."""
    daemon = peers.make_peer()
    try:
        yield daemon
    finally:
        daemon.close()


@pytest.fixture
def virsh(peer):
    return Virsh(peer.uri())


@pytest.fixture
def test_virsh(peer):
    """virsh on the test driver."""
    return Virsh(peer.uri("test"))


def open_connection(uri, readonly=False):
    import libvirt
    libvirt.registerErrorHandler(lambda context, error: None, None)
    return libvirt.openReadOnly(uri) if readonly else libvirt.open(uri)


def refused(code, call, *arguments):
    """The text of the error that the call must raise."""
    import libvirt
    with pytest.raises(libvirt.libvirtError) as caught:
        call(*arguments)
    assert caught.value.get_error_code() == code, str(caught.value)
    return str(caught.value)


def names(domains):
    return sorted(domain.name() for domain in domains)


@pytest.fixture
def connection(peer):
    opened = open_connection(peer.uri())
    yield opened
    opened.close()


@pytest.fixture
def test_connection(peer):
    opened = open_connection(peer.uri("test"))
    yield opened
    opened.close()
    gc.collect()  # a domain that an exception still holds would hold the connection open


sys.path.insert(0, peers.TOP + "/test/client")


# ---- for modules with a fixture `guest`, the name of a guest that is up


@pytest.fixture
def domain(connection, guest):
    return connection.lookupByName(guest)


@pytest.fixture
def console(virsh, guest):
    from guest import Console
    opened = Console(virsh, guest, "--force").connected().log_in()
    yield opened
    opened.drop()
