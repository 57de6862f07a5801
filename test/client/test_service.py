"""The daemon under a service manager: sockets that it is handed, what it tells, and the files for
systemd, sysvinit and procd."""

import glob
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile

import pytest

import peer as peers
from conftest import Virsh, VirtAdmin
from wire import Wire

pytestmark = pytest.mark.nanovirtd_only(reason="libvirtd in its namespaces is handed nothing")

INIT = os.path.join(peers.TOP, "init")
RW, RO, ADMIN, TCP, TLS = ("libvirtd.socket", "libvirtd-ro.socket", "libvirtd-admin.socket",
                           "libvirtd-tcp.socket", "libvirtd-tls.socket")


class Manager:
    """Stands in for systemd: opens sockets, starts the daemon with them, listens to what it says."""

    def __init__(self):
        self.daemon = peers.Nanovirtd()
        self.sockets = []
        self.names = []
        self.environment = {}
        self.process = None
        self.notices = None

    def unix(self, name, kind=socket.SOCK_STREAM, listen=True):
        path = self.daemon.path(name)
        made = socket.socket(socket.AF_UNIX, kind)
        made.bind(path)
        if listen:
            made.listen(16)
        self.add(made, name)
        return path

    def tcp(self, name, family=socket.AF_INET, host="127.0.0.1"):
        made = socket.socket(family)
        made.bind((host, 0))
        made.listen(16)
        self.add(made, name)
        return made.getsockname()[1]

    def add(self, made, name):
        self.sockets.append(made)
        self.names.append(name)

    def listen_for_notices(self, address):
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notices.bind(address)
        self.notices.settimeout(peers.PATIENCE)
        self.environment["NOTIFY_SOCKET"] = address.replace("\0", "@")

    def start(self, *arguments, **changes):
        self.daemon.write_configuration()
        environment = {"PATH": os.environ["PATH"], "LISTEN_FDS": str(len(self.sockets)),
                       "LISTEN_FDNAMES": ":".join(self.names), **self.environment, **changes}
        environment = {name: value for name, value in environment.items() if value is not None}
        environment.update({name: os.environ[name] for name in ("NANOVIRT_STALL_FACTOR",)
                            if name in os.environ})
        script = "".join("exec %d<&%d; " % (3 + at, made.fileno()) if 3 + at != made.fileno() else ""
                         for at, made in enumerate(self.moved()))
        script += "export LISTEN_PID=${LISTEN_PID:-$$}; exec \"$@\""
        with open(self.daemon.log, "a") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", script, "start", *self.daemon.command(*arguments)], env=environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=[made.fileno() for made in self.sockets])
        self.daemon.process = self.process
        return self

    def moved(self):
        """The sockets, with numbers out of the way of those that the daemon looks at."""
        for at, made in enumerate(self.sockets):
            if made.fileno() < 64:
                number = os.dup2(made.fileno(), 64 + at)
                self.sockets[at] = socket.socket(fileno=number)
                made.detach()
        return self.sockets

    def status(self):
        status = self.process.wait(timeout=peers.PATIENCE)
        self.daemon.process = None
        return status

    def close(self):
        for made in self.sockets:
            made.close()
        if self.notices:
            self.notices.close()
        self.daemon.close()


@pytest.fixture
def manager():
    made = Manager()
    yield made
    made.close()


def call(path, **options):
    connected = Wire(path)
    connected.open(**options)
    assert connected.is_alive()
    connected.close()


# ---- sockets that are handed over

def test_sockets_that_are_handed_over_are_served_as_their_names_say(manager):
    paths = [manager.unix(name) for name in (RW, RO, ADMIN)]
    port = manager.tcp(TCP)
    manager.daemon.configuration.update({"auth_tcp": '"none"'})
    manager.start()
    call(paths[0])
    assert "test" in Virsh("test+unix:///default?socket=" + paths[1], readonly=True)("list")
    assert "read only" in Virsh("test+unix:///default?socket=" + paths[1]).fails("suspend", "test")
    admin = VirtAdmin("libvirtd:///system?socket=" + paths[2])
    assert "admin" in admin("srv-list")
    assert Virsh("test+tcp://127.0.0.1:%d/default" % port)("list", "--name") == "test"
    assert not os.path.exists(manager.daemon.socket_path())


def test_sockets_of_one_name_are_all_served(manager):
    paths = [manager.unix(RW)]
    os.rename(paths[0], paths[0] + ".1")
    paths = [paths[0] + ".1", manager.unix(RW)]
    manager.start()
    for path in paths:
        call(path)


def test_files_of_sockets_that_were_handed_over_stay(manager):
    path = manager.unix(RW)
    manager.start()
    call(path)
    os.kill(manager.process.pid, signal.SIGTERM)
    assert manager.status() == 0
    assert stat.S_ISSOCK(os.stat(path).st_mode)


def test_who_connects_while_no_daemon_runs_is_served_by_the_next(manager):
    path = manager.unix(RW)
    manager.start("-t", "1")
    call(path)
    assert manager.status() == 0
    waiting = Wire(path)
    manager.start("-t", "1")
    waiting.open()
    assert waiting.is_alive()
    waiting.close()
    assert manager.status() == 0


@pytest.mark.parametrize("names,changes,said", [
    ([RW, "warp.socket"], {}, "Some activation file descriptors are unclaimed"),
    ([RW], {"LISTEN_FDNAMES": None}, "Missing LISTEN_FDNAMES"),
    ([RW], {"LISTEN_FDNAMES": "a:b"}, "Expecting 1 FD names but got 2"),
    ([RW], {"LISTEN_FDS": "17"}, "too many sockets were passed"),
    ([RW], {"LISTEN_FDS": "2", "LISTEN_FDNAMES": RW + ":" + RO}, "no listening socket"),
])
def test_what_can_not_be_served_is_refused(manager, names, changes, said):
    for name in names:
        manager.unix(name)
    manager.start(**changes)
    assert manager.status() != 0
    assert said in manager.daemon.log_text()


def test_listen_is_refused_beside_sockets_that_were_handed_over(manager):
    manager.unix(RW)
    manager.start("--listen")
    assert manager.status() != 0
    assert "--listen parameter not permitted" in manager.daemon.log_text()


@pytest.mark.parametrize("kind", ["datagrams", "not listening", "TCP"])
def test_a_socket_of_another_kind_is_refused(manager, kind):
    if kind == "TCP":
        manager.tcp(RW)
    else:
        manager.unix(RW, socket.SOCK_DGRAM if kind == "datagrams" else socket.SOCK_STREAM, False)
    manager.start()
    assert manager.status() != 0
    assert "no listening socket of that kind" in manager.daemon.log_text()


@pytest.mark.parametrize("changes", [{"LISTEN_PID": "1"}, {"LISTEN_PID": "warp"},
                                     {"LISTEN_FDS": "0"}, {"LISTEN_FDS": "-1"}])
def test_sockets_for_another_process_are_not_ours(manager, changes):
    manager.unix(RW)
    manager.start(**changes)
    peers.wait_until(manager.daemon.is_listening, "sockets of its own")
    call(manager.daemon.socket_path())


@pytest.mark.skipif(not shutil.which("systemd-socket-activate"), reason="systemd is not installed")
def test_systemds_own_tool_starts_the_daemon_for_its_first_client(manager):
    paths = [manager.daemon.path(name) for name in (RW, ADMIN)]
    with open(manager.daemon.log, "a") as log:
        started = subprocess.Popen(
            ["systemd-socket-activate", "-l", paths[0], "-l", paths[1], "-E", "NANOVIRT_STALL_FACTOR",
             "--fdname=%s:%s" % (RW, ADMIN), *manager.daemon.command()],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    manager.daemon.process = started
    peers.wait_until(lambda: os.path.exists(paths[1]), "the sockets")
    call(paths[0])
    assert "libvirtd" in VirtAdmin("libvirtd:///system?socket=" + paths[1])("srv-list")


# ---- what it tells

@pytest.mark.parametrize("abstract", [False, True])
def test_readiness_and_the_end_are_told(manager, abstract):
    manager.listen_for_notices("\0nanovirt-%d" % os.getpid() if abstract
                               else manager.daemon.path("notify"))
    manager.start()
    assert manager.notices.recv(4096) == b"READY=1"
    call(manager.daemon.socket_path())
    os.kill(manager.process.pid, signal.SIGTERM)
    assert manager.notices.recv(4096) == b"STOPPING=1"
    assert manager.status() == 0


@pytest.mark.parametrize("address", ["relative", "/nowhere/at/all", "/" + "x" * 200])
def test_a_manager_that_does_not_listen_disturbs_nobody(manager, address):
    manager.environment["NOTIFY_SOCKET"] = address
    manager.start()
    peers.wait_until(manager.daemon.is_listening, "sockets")
    call(manager.daemon.socket_path())


# ---- files

def install(init, where):
    build = os.path.dirname(peers.BINARY)
    for name in os.listdir(os.path.join(INIT, init)):
        shutil.copy(os.path.join(INIT, init, name), where)
        with open(os.path.join(where, name)) as text:
            content = text.read().replace("/usr/sbin/nanovirtd", os.path.join(build, "nanovirtd"))
        with open(os.path.join(where, name), "w") as text:
            text.write(content)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_finds_nothing_wrong_with_the_units():
    with tempfile.TemporaryDirectory() as where:
        install("systemd", where)
        units = glob.glob(where + "/nanovirtd*")
        assert len(units) == 6
        checked = subprocess.run(["systemd-analyze", "verify", "--man=no", *units],
                                 capture_output=True, text=True)
        ours = [line for line in checked.stderr.splitlines() if "nanovirt" in line]
        assert checked.returncode == 0 and not ours, checked.stderr


def test_units_hand_over_sockets_under_the_names_that_are_served():
    names = set()
    for path in glob.glob(os.path.join(INIT, "systemd", "*.socket")):
        with open(path) as text:
            names |= {line.split("=")[1].strip() for line in text
                      if line.startswith("FileDescriptorName=")}
    assert names == {RW, RO, ADMIN, TCP, TLS}


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
@pytest.mark.parametrize("script", ["sysvinit", "procd"])
def test_the_scripts_are_clean(script):
    subprocess.run(["shellcheck", os.path.join(INIT, script, "nanovirtd")], check=True)


@pytest.fixture
def sysvinit():
    """Runs the script on a daemon with a root of its own: status and output of an action."""
    daemon = peers.Nanovirtd()
    daemon.write_configuration()
    binary = os.path.realpath(peers.BINARY)
    defaults = daemon.path("defaults")
    with open(defaults, "w") as text:
        text.write("DAEMON=%s\nPIDFILE=%s\nNANOVIRTD_ARGS='--root %s'\n"
                   % (binary, daemon.path("own.pid"), daemon.root))

    def run(action):
        done = subprocess.run(["sh", os.path.join(INIT, "sysvinit", "nanovirtd"), action],
                              env=dict(os.environ, NANOVIRTD_DEFAULTS=defaults), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=peers.PATIENCE)
        return done.returncode, done.stdout

    run.daemon = daemon
    yield run
    run("stop")
    daemon.close()


def pid_of(run):
    with open(run.daemon.path("own.pid")) as text:
        return int(text.read())


@pytest.mark.skipif(bool(peers.WRAPPER), reason="the wrapper is the process")
def test_the_sysvinit_script_starts_restarts_and_stops(sysvinit):
    assert sysvinit("status")[0] == 3
    assert sysvinit("reload")[0] == 7
    assert sysvinit("try-restart") == (0, "")
    assert sysvinit("start")[0] == 0
    call(sysvinit.daemon.socket_path())
    assert sysvinit("status")[0] == 0
    first = pid_of(sysvinit)
    assert "is running" in sysvinit("start")[1]
    assert sysvinit("reload")[0] == 0
    assert pid_of(sysvinit) == first
    assert sysvinit("restart")[0] == 0
    assert pid_of(sysvinit) != first
    call(sysvinit.daemon.socket_path())
    assert sysvinit("stop")[0] == 0
    assert sysvinit("status")[0] == 3
    assert "not running" in sysvinit("stop")[1]
    assert sysvinit("warp")[0] == 2


@pytest.mark.skipif(bool(peers.WRAPPER), reason="the wrapper is the process")
def test_the_sysvinit_script_knows_a_pid_that_is_somebody_elses(sysvinit):
    with open(sysvinit.daemon.path("own.pid"), "w") as text:
        text.write("%d\n" % os.getpid())
    assert sysvinit("status")[0] == 1
    assert sysvinit("stop")[0] == 0
    assert sysvinit("start")[0] == 0
    call(sysvinit.daemon.socket_path())


def test_the_procd_script_describes_one_instance():
    with tempfile.NamedTemporaryFile("w") as defaults:
        defaults.write("NANOVIRTD_ARGS='--listen --verbose'\n")
        defaults.flush()
        stand_in = ('for f in open_instance set_param close_instance send_signal; do '
                    'eval "procd_$f() { echo $f \\"\\$@\\"; }"; done; . "$0"; '
                    'start_service; reload_service')
        said = subprocess.run(["sh", "-c", stand_in, os.path.join(INIT, "procd", "nanovirtd")],
                              env=dict(os.environ, NANOVIRTD_DEFAULTS=defaults.name), text=True,
                              stdout=subprocess.PIPE, check=True).stdout.splitlines()
    assert said[0] == "open_instance nanovirtd"
    assert "set_param command /usr/sbin/nanovirtd --listen --verbose" in said
    assert said[-1] == "send_signal nanovirtd nanovirtd HUP"
