"""The daemon as a program: its command line, configuration, sockets, and how it leaves."""

import os
import re
import signal
import socket
import stat
import subprocess
import tempfile
import time

import pytest

import peer as peers
import wire
from conftest import Virsh, open_connection
from wire import Wire


@pytest.fixture
def daemon():
    own = peers.make_peer()
    yield own
    own.close()


def run(daemon, *arguments):
    """The daemon run to its end: status and output. One that goes on instead has status None."""
    daemon.write_configuration()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(daemon.command(*arguments), stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=output)
        try:
            status = process.wait(timeout=peers.PATIENCE)
        except subprocess.TimeoutExpired:
            for pid in peers.descendants_of(process.pid) + [process.pid]:
                os.kill(pid, signal.SIGKILL)
            process.wait()
            status = None
        output.seek(0)
        return status, output.read()


def clear_tcp(port):
    """The configuration of a daemon that lets everybody in over TCP."""
    return {"listen_tls": "0", "listen_tcp": "1", "auth_tcp": '"none"', "tcp_port": '"%d"' % port}


def start_with_tcp(daemon, host):
    """Starts it so; the port. A host without that family of addresses can not have the test."""
    try:
        port = peers.free_port(host)
    except OSError:
        pytest.skip("no %s here" % host)
    daemon.configuration.update(clear_tcp(port))
    daemon.start("-l")
    return port


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_is_printed(daemon, option):
    status, text = run(daemon, option)
    assert status == 0
    assert re.search(r"\d+\.\d+\.\d+", text)


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_names_every_option(daemon, option):
    status, text = run(daemon, option)
    assert status == 0
    for name in ("--help", "--verbose", "--daemon", "--listen", "--config", "--timeout",
                 "--version", "--pid-file"):
        assert name in text


@pytest.mark.parametrize("arguments", [("--warp",), ("-t", "soon"), ("-t", "-5"),
                                       ("extra",), ("-f",)])
def test_a_bad_command_line_is_refused(daemon, arguments):
    status, _ = run(daemon, *arguments)
    assert status not in (0, None)


@pytest.mark.parametrize("text,named", [
    ("warp_factor = 9", "warp_factor"), ("max_clients = \"many\"", "max_clients"),
    ("max_clients", "="), ("max_clients = ", "max_clients"), ("listen_tls = [1", "1"),
    ("log_level = 99", "log_level")])
@pytest.mark.nanovirtd_only(reason="libvirtd lets unknown keys go")
def test_a_bad_configuration_is_refused_with_file_and_line(daemon, text, named):
    path = daemon.path("etc/libvirt/bad.conf")
    with open(path, "w") as conf:
        conf.write("# a comment\n\n%s\n" % text)
    status, output = run(daemon, "-f", path)
    assert status != 0
    assert "bad.conf:3" in output


@pytest.mark.nanovirtd_only(reason="libvirtd acts on most of these")
def test_what_has_no_effect_is_warned_of_with_file_and_line(daemon):
    daemon.configuration.update({"max_clients": "40", "max_requests": "20", "ovs_timeout": "0"})
    with open(daemon.path("etc/libvirt/qemu.conf"), "w") as conf:
        conf.write('nvram = [\n "x:y"\n]\nlock_manager = "lockd"\nnamespaces = [ ]\n'
                   'save_image_format = "gzip"\nremember_owner = 1\nuser = "root"\n')
    daemon.start()
    warned = re.findall(r"warning : conf : \S+/(\S+): (\w+) has no effect", daemon.log_text())
    assert warned == [("libvirtd.conf:2", "max_requests"), ("qemu.conf:1", "nvram"),
                      ("qemu.conf:4", "lock_manager"), ("qemu.conf:6", "save_image_format"),
                      ("qemu.conf:7", "remember_owner")]


def test_a_configuration_file_that_is_not_there_is_refused(daemon):
    status, output = run(daemon, "-f", daemon.path("nowhere.conf"))
    assert status != 0
    assert "nowhere.conf" in output


@pytest.mark.nanovirtd_only(reason="the pid is one of libvirtd's own namespace")
def test_without_another_the_pid_file_is_that_of_libvirtd(daemon):
    daemon.start()
    with open(daemon.path("run/libvirtd.pid")) as text:
        assert int(text.read()) == daemon.daemon_pid()
    status, output = run(daemon)
    assert status != 0 and "run/libvirtd.pid'" in output


@pytest.mark.nanovirtd_only(reason="the pid is one of libvirtd's own namespace")
def test_the_pid_file_holds_the_pid_and_is_locked(daemon):
    path = daemon.path("own.pid")
    daemon.start("-p", path)
    with open(path) as text:
        assert int(text.read()) == daemon.daemon_pid()
    second, output = run(daemon, "-p", path)
    assert second != 0


def test_with_a_timeout_an_idle_daemon_leaves(daemon):
    daemon.start("-t", "2")
    assert daemon.process.wait(timeout=60) == 0
    daemon.process = None


def test_a_client_keeps_a_daemon_with_a_timeout(daemon):
    daemon.start("-t", "1")
    first = Wire(daemon.socket_path())  # at once, which a library takes longer for
    connection = open_connection(daemon.uri("test"))
    first.close()
    time.sleep(3)
    assert daemon.process.poll() is None
    assert connection.isAlive()
    connection.close()
    assert daemon.process.wait(timeout=60) == 0
    daemon.process = None


@pytest.mark.nanovirtd_only(reason="libvirt's test driver is not audited")
def test_starts_and_stops_of_guests_are_on_record_with_audit_logging(daemon):
    daemon.configuration.update({"audit_logging": "1", "log_filters": '"2:audit"', "log_outputs": '"2:stderr"'})
    daemon.start()
    connection = open_connection(daemon.uri("test"))
    guest = connection.lookupByName("test")
    guest.destroy()
    guest.create()
    connection.close()
    lines = [line for line in daemon.log_text().splitlines() if ": audit : " in line]
    assert [re.search("op=.*", line).group() for line in lines[-2:]] == [
        'op=stop reason=destroyed vm="test" uuid=' + guest.UUIDString(),
        'op=start reason=booted vm="test" uuid=' + guest.UUIDString()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_ends_the_daemon_with_success(daemon, number):
    daemon.start()
    os.kill(daemon.daemon_pid(), number)
    assert daemon.process.wait(timeout=60) == 0
    daemon.process = None


def test_sighup_is_survived(daemon):
    daemon.start()
    os.kill(daemon.daemon_pid(), signal.SIGHUP)
    time.sleep(0.5)
    assert Virsh(daemon.uri("test"))("list", "--name") == "test"


def test_the_sockets_have_the_modes_of_the_configuration(daemon):
    daemon.configuration["unix_sock_rw_perms"] = '"0750"'
    daemon.configuration["unix_sock_ro_perms"] = '"0755"'
    daemon.start()
    assert stat.S_IMODE(os.stat(daemon.socket_path()).st_mode) == 0o750
    assert stat.S_IMODE(os.stat(daemon.socket_path(readonly=True)).st_mode) == 0o755


def test_a_stale_socket_is_taken_over(daemon):
    daemon.start()
    daemon.kill()
    assert os.path.exists(daemon.socket_path())
    daemon.start()
    assert Virsh(daemon.uri("test"))("list", "--name") == "test"


def test_clients_beyond_max_clients_wait_until_one_leaves(daemon):
    daemon.configuration["max_clients"] = "3"
    daemon.configuration["max_anonymous_clients"] = "3"
    daemon.start()
    clients = [Wire(daemon.socket_path()).open() for _ in range(3)]
    late = Wire(daemon.socket_path(), timeout=2)
    late.send(wire.message(wire.AUTH_LIST))
    with pytest.raises(socket.timeout):
        late.receive()
    assert clients[2].is_alive()
    clients[0].close()
    late.socket.settimeout(peers.PATIENCE)
    assert late.receive().status == wire.OK


def test_a_client_that_answers_no_ping_is_cut(daemon):
    daemon.configuration.update({"keepalive_interval": "1", "keepalive_count": "1"})
    daemon.start()
    silent = Wire(daemon.socket_path()).open()
    assert silent.call(wire.CONNECT_SUPPORTS_FEATURE, wire.uint(10)).status == wire.OK
    ping = silent.receive()
    assert (ping.program, ping.procedure) == (wire.KEEPALIVE, 1)
    assert silent.is_cut()


def test_a_client_that_knows_no_keepalive_may_be_silent(daemon):
    daemon.configuration.update({"keepalive_interval": "1", "keepalive_count": "1"})
    daemon.start()
    silent = Wire(daemon.socket_path()).open()
    time.sleep(4)
    assert silent.is_alive()


@pytest.mark.nanovirtd_only(reason="libvirtd's network is its own")
@pytest.mark.parametrize("host,shown", [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_tcp_is_listened_to_when_asked_for(daemon, host, shown):
    port = start_with_tcp(daemon, host)
    assert Virsh("test+tcp://%s:%d/default" % (shown, port))("list", "--name") == "test"


def test_without_listen_tcp_stays_closed(daemon):
    port = peers.free_port()
    daemon.configuration.update(clear_tcp(port))
    daemon.start()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


@pytest.mark.nanovirtd_only(reason="libvirtd in its namespaces has other parents")
def test_daemon_mode_leaves_a_daemon_that_answers(daemon):
    pid_file = daemon.path("own.pid")
    status, _ = run(daemon, "-d", "-p", pid_file)
    assert status == 0
    with open(pid_file) as text:
        pid = int(text.read())
    assert Virsh(daemon.uri("test"))("list", "--name") == "test"
    os.kill(pid, signal.SIGTERM)
    peers.wait_until(lambda: not peers.is_running(pid), "the end of the daemon")


@pytest.mark.nanovirtd_only(reason="libvirtd's roots are compiled in")
def test_two_daemons_on_two_roots_live_side_by_side(daemon):
    other = peers.make_peer()
    try:
        daemon.start()
        other.start()
        for one in (daemon, other):
            assert Virsh(one.uri("test"))("list", "--name") == "test"
    finally:
        other.close()


def test_the_hosts_uuid_is_the_one_of_the_configuration(daemon):
    daemon.configuration["host_uuid"] = '"4f1c8a52-9d0e-4b1f-8a55-1d0c7f6e2b3a"'
    daemon.start()
    assert "<uuid>4f1c8a52-9d0e-4b1f-8a55-1d0c7f6e2b3a</uuid>" in Virsh(daemon.uri())("capabilities")


@pytest.mark.skipif(not os.path.exists("/etc/machine-id"), reason="no machine-id here")
def test_the_hosts_uuid_can_be_the_machine_id(daemon):
    with open("/etc/machine-id") as file:
        machine = file.read().strip()
    daemon.configuration["host_uuid_source"] = '"machine-id"'
    daemon.start()
    found = re.search(r"<uuid>([0-9a-f-]+)</uuid>", Virsh(daemon.uri())("capabilities"))
    assert found.group(1).replace("-", "") == machine
