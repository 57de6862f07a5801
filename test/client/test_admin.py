"""The admin server: virt-admin's view of the daemon, and who may have it."""

import os
import pwd
import socket
import stat
import subprocess
import time

import libvirt
import pytest

import peer as peers
import wire
from conftest import ENVIRONMENT, VirtAdmin, open_connection
from guest import domain_xml
from scram import login
from test_daemon import start_with_tcp
from test_sasl import Passwords
from test_tls import TlsDaemon
from wire import Wire

OPEN, CLOSE, LIST_SERVERS, LOOKUP_SERVER, SET_THREADPOOL, LIST_CLIENTS = 1, 2, 4, 5, 7, 8
GET_INFO, SET_LIMITS, UPDATE_TLS, SHUTDOWN = 10, 13, 18, 20
INT, UINT = 1, 2
INVALID_ARG, ARGUMENT_UNSUPPORTED, NO_SERVER, NO_CLIENT = 8, 74, 95, 96


@pytest.fixture
def admin(peer):
    return VirtAdmin(peer.admin_uri())


@pytest.fixture
def daemon():
    own = peers.make_peer()
    yield own
    own.close()


@pytest.fixture
def raw(peer):
    connected = Wire(peer.admin_path())
    yield connected
    connected.close()


def call(connected, procedure, payload=b""):
    return connected.call(procedure, payload, program=wire.ADMIN)


def parameter(name, kind, value):
    return wire.string(name) + wire.uint(kind) + wire.uint(value)


def only_client(admin):
    """The number of the one client of the server libvirtd, once those of other tests have gone."""
    return list(peers.wait_until(
        lambda: (lambda clients: clients if len(clients) == 1 else None)(admin.clients()),
        "one client"))[0]


# ---- servers

def test_there_are_two_servers(admin):
    names = [line.split()[1] for line in admin("srv-list").splitlines()[2:] if line.strip()]
    assert sorted(names) == ["admin", "libvirtd"]


def test_the_version_of_the_daemon_is_told(admin):
    assert "Running against daemon: 9.0.0" in admin("version")


def test_an_unknown_server_is_not_found(admin):
    assert "No server named 'nobody'" in admin.fails("srv-clients-list", "nobody")


def test_workers_are_those_of_the_configuration(admin):
    workers = admin.values("srv-threadpool-info", "libvirtd")
    assert (workers["minWorkers"], workers["maxWorkers"], workers["prioWorkers"]) == ("5", "20", "5")


def test_limits_of_workers_are_kept(admin):
    admin("srv-threadpool-set", "admin", "--max-workers", "30")
    admin("srv-threadpool-set", "admin", "--min-workers", "6", "--priority-workers", "3")
    workers = admin.values("srv-threadpool-info", "admin")
    assert (workers["minWorkers"], workers["maxWorkers"], workers["prioWorkers"]) == ("6", "30", "3")


@pytest.mark.parametrize("options", [("--min-workers", "500"), ("--max-workers", "0"),
                                     ("--max-workers", "1")])
def test_impossible_limits_of_workers_are_refused_and_change_nothing(admin, options):
    before = admin.values("srv-threadpool-info", "libvirtd")
    assert "minWorkers cannot be larger" in admin.fails("srv-threadpool-set", "libvirtd", *options)
    assert admin.values("srv-threadpool-info", "libvirtd") == before


# ---- clients

def test_a_client_is_shown_with_its_identity(peer, admin):
    connection = open_connection(peer.uri("test"))
    info = admin.values("client-info", "libvirtd", only_client(admin))
    connection.close()
    assert info["transport"] == "unix" and info["readonly"] == "no"
    assert info["unix_user_id"] == str(os.getuid())
    assert info["unix_user_name"] == pwd.getpwuid(os.getuid()).pw_name
    assert info["unix_group_id"] == str(os.getgid())
    assert "sock_addr" not in info and "sasl_user_name" not in info
    if not peers.IS_LIBVIRTD:  # which sees another process namespace
        assert info["unix_process_id"] == str(os.getpid())


def test_a_client_of_the_read_only_socket_is_shown_as_one(peer, admin):
    connection = open_connection(peer.uri("test", readonly=True), readonly=True)
    assert admin.values("client-info", "libvirtd", only_client(admin))["readonly"] == "yes"
    connection.close()


@pytest.mark.nanovirtd_only(reason="libvirtd's network is its own")
@pytest.mark.parametrize("host,shown", [("127.0.0.1", "127.0.0.1:"), ("::1", "[::1]:")])
def test_a_client_of_tcp_is_shown_with_its_address(daemon, host, shown):
    port = start_with_tcp(daemon, host)
    admin = VirtAdmin(daemon.admin_uri())
    with socket.create_connection((host, port)) as connected:
        number = only_client(admin)
        assert admin.clients() == {number: "tcp"}
        info = admin.values("client-info", "libvirtd", number)
        assert info["sock_addr"] == shown + str(connected.getsockname()[1])
        assert "unix_user_id" not in info


@pytest.mark.nanovirtd_only(reason="libvirtd keeps its users in Cyrus SASL's files")
def test_a_client_with_a_password_is_counted_before_and_shown_after_its_login():
    protected = Passwords()
    try:
        admin = VirtAdmin(protected.peer.admin_uri())
        stranger = Wire(protected.path)
        peers.wait_until(lambda: admin.values("srv-clients-info", "libvirtd")["nclients_unauth"]
                         == "1", "a client that has not logged in")
        assert "sasl_user_name" not in admin.values("client-info", "libvirtd", only_client(admin))
        stranger.close()
        friend = login(protected.path, "alice", "secret")
        info = admin.values("client-info", "libvirtd", only_client(admin))
        assert info["sasl_user_name"] == "alice" and info["unix_user_id"] == str(os.getuid())
        assert admin.values("srv-clients-info", "libvirtd")["nclients_unauth"] == "0"
        friend.close()
    finally:
        protected.peer.close()


@pytest.fixture
def tls():
    daemon = TlsDaemon()
    daemon.pki.make("localhost")
    daemon.start()
    yield daemon
    daemon.close()


@pytest.mark.nanovirtd_only(reason="libvirtd's network is its own")
def test_a_client_of_tls_is_shown_with_its_certificates_name(tls):
    admin = VirtAdmin(tls.peer.admin_uri())
    connection = open_connection(tls.uri())
    number = only_client(admin)
    assert admin.clients() == {number: "tls"}
    info = admin.values("client-info", "libvirtd", number)
    assert "CN=ann" in info["tls_x509_dname"]
    assert info["sock_addr"].rpartition(":")[0] in ("127.0.0.1", "[::1]")
    connection.close()


@pytest.mark.nanovirtd_only(reason="libvirtd's network is its own")
def test_files_of_tls_are_read_again_and_bad_ones_refused(tls):
    admin = VirtAdmin(tls.peer.admin_uri())
    connection = open_connection(tls.uri())
    assert "succeed" in admin("server-update-tls", "libvirtd")
    certificate = tls.pki.path("libvirt/servercert.pem")
    os.rename(certificate, certificate + ".good")
    assert "servercert.pem" in admin.fails("server-update-tls", "libvirtd")
    assert "no tls service found" in admin.fails("server-update-tls", "admin")
    assert connection.isAlive() and connection.getHostname()
    connection.close()
    open_connection(tls.uri()).close()


def test_numbers_of_clients_are_not_used_again(peer, admin):
    numbers = []
    for _ in range(3):
        connection = open_connection(peer.uri("test"))
        numbers.append(only_client(admin))
        connection.close()
        peers.wait_until(lambda: not admin.clients(), "no client")
    assert numbers == sorted(set(numbers))


def test_clients_are_listed_in_the_order_of_their_arrival(peer, admin):
    kept = [Wire(peer.socket_path()).open() for _ in range(4)]
    kept.pop(1).close()
    kept.append(Wire(peer.socket_path()).open())
    numbers = peers.wait_until(lambda: [*admin.clients()] if len(admin.clients()) == 4 else None,
                               "four clients")
    assert numbers == sorted(numbers)
    for connected in kept:
        connected.close()


def test_a_client_that_is_disconnected_is_gone_and_others_are_not(peer, admin):
    peers.wait_until(lambda: not admin.clients(), "no client")
    first, second = Wire(peer.socket_path()).open(), Wire(peer.socket_path()).open()
    number = sorted(admin.clients())[0]
    assert "disconnected" in admin("client-disconnect", "libvirtd", number)
    assert first.is_cut()
    assert second.is_alive()
    assert number not in admin.clients()
    second.close()


def test_a_client_library_hears_that_it_was_disconnected(peer, admin):
    connection = open_connection(peer.uri("test"))
    admin("client-disconnect", "libvirtd", only_client(admin))
    with pytest.raises(libvirt.libvirtError):
        connection.getHostname()
        connection.getHostname()


def test_virt_admin_can_disconnect_itself(peer, admin):
    connected = Wire(peer.admin_path())
    assert call(connected, OPEN, wire.uint(0)).status == wire.OK
    number = max(admin.clients("admin"), key=lambda n: -n)
    client = wire.string("admin") + wire.uhyper(number) + wire.uhyper(0) + wire.uint(0)
    reply = call(connected, 11, client + wire.uint(0))
    assert reply is None or reply.status in (wire.OK, wire.ERROR)
    assert admin("srv-list")
    connected.close()


@pytest.mark.parametrize("command", ["client-info", "client-disconnect"])
def test_a_client_that_is_not_there_is_not_found(admin, command):
    assert "No client with matching ID '4711'" in admin.fails(command, "libvirtd", "4711")


# ---- limits of clients

def test_a_raised_limit_lets_those_in_who_wait(daemon):
    daemon.configuration.update({"max_clients": "1", "max_anonymous_clients": "0"})
    daemon.start()
    admin = VirtAdmin(daemon.admin_uri())
    peers.wait_until(lambda: not admin.clients(), "no client")
    first = Wire(daemon.socket_path()).open()
    late = Wire(daemon.socket_path(), timeout=2)
    late.send(wire.message(wire.AUTH_LIST))
    with pytest.raises(socket.timeout):
        late.receive()
    admin("srv-clients-set", "libvirtd", "--max-clients", "2")
    late.socket.settimeout(peers.PATIENCE)
    assert late.receive().status == wire.OK
    assert first.is_alive()


def test_a_lowered_limit_puts_nobody_out(daemon):
    daemon.start()
    admin = VirtAdmin(daemon.admin_uri())
    peers.wait_until(lambda: not admin.clients(), "no client")
    clients = [Wire(daemon.socket_path()).open() for _ in range(3)]
    admin("srv-clients-set", "libvirtd", "--max-clients", "2", "--max-unauth-clients", "1")
    assert all(client.is_alive() for client in clients)
    limits = admin.values("srv-clients-info", "libvirtd")
    assert limits == {"nclients_max": "2", "nclients": "3", "nclients_unauth_max": "1",
                      "nclients_unauth": "0"}
    clients.pop().close()
    late = Wire(daemon.socket_path(), timeout=2)
    late.send(wire.message(wire.AUTH_LIST))
    with pytest.raises(socket.timeout):
        late.receive()


def test_fewer_clients_than_may_wait_for_authentication_are_refused(admin):
    assert "must not be less" in admin.fails("srv-clients-set", "libvirtd", "--max-clients", "3")


@pytest.mark.nanovirtd_only(reason="libvirtd has no tables")
def test_more_clients_than_there_is_room_for_are_refused_with_the_limit(admin):
    said = admin.fails("srv-clients-set", "libvirtd", "--max-clients", "1000000")
    assert "CONFIG_MAX_CLIENTS" in said


# ---- the log

def test_filters_and_outputs_take_effect_at_once(daemon):
    daemon.start()
    admin = VirtAdmin(daemon.admin_uri())
    log = daemon.path("var/log/libvirt/chosen.log")
    admin("daemon-log-outputs", "1:file:" + log)
    admin("daemon-log-filters", "1:rpc")
    assert admin.values("daemon-log-outputs")["Logging outputs"] == "1:file:" + log
    assert admin.values("daemon-log-filters")["Logging filters"] == "1:*rpc*"
    Wire(daemon.socket_path()).open().close()
    assert os.path.getsize(log) > 0
    admin("daemon-log-filters", "")
    assert admin.values("daemon-log-filters")["Logging filters"] == ""


@pytest.mark.parametrize("command,text,said", [
    ("daemon-log-filters", "bad", "Malformed format for filter 'bad'"),
    ("daemon-log-filters", "9:x", "Invalid priority '9' for filter '9:x'"),
    ("daemon-log-outputs", "3:warp", "Invalid log destination 'warp'"),
    ("daemon-log-outputs", "3:file:/nowhere/at/all", "failed to open /nowhere/at/all")])
def test_bad_settings_of_the_log_are_refused_and_change_nothing(admin, command, text, said):
    before = admin(command)
    assert said in admin.fails(command, text)
    assert admin(command) == before


# ---- the time-out, the end, TLS

def test_a_timeout_set_later_ends_an_idle_daemon(daemon):
    daemon.start()
    VirtAdmin(daemon.admin_uri())("daemon-timeout", "--timeout", "1")
    assert daemon.process.wait(timeout=peers.PATIENCE) == 0
    daemon.process = None


def test_a_timeout_of_0_lets_the_daemon_stay(daemon):
    daemon.start("-t", "2")
    first = Wire(daemon.admin_path())  # at once, which a program takes longer for
    VirtAdmin(daemon.admin_uri())("daemon-timeout", "--timeout", "0")
    first.close()
    time.sleep(5)
    assert daemon.process.poll() is None


def test_an_admin_client_keeps_a_daemon_with_a_timeout(daemon):
    daemon.start("-t", "1")
    connected = Wire(daemon.admin_path())
    time.sleep(3)
    assert daemon.process.poll() is None
    assert call(connected, OPEN, wire.uint(0)).status == wire.OK


@pytest.mark.nanovirtd_only(reason="libvirtd 9 does not have it")
def test_shutdown_ends_the_daemon_after_its_reply(daemon):
    daemon.start()
    assert call(Wire(daemon.admin_path()), SHUTDOWN, wire.uint(0)).status == wire.OK
    assert daemon.process.wait(timeout=peers.PATIENCE) == 0
    daemon.process = None


def test_without_tls_there_are_no_files_of_it_to_update(admin):
    assert "no tls service found" in admin.fails("server-update-tls", "libvirtd")


# ---- who may

def test_the_socket_has_the_mode_of_the_configuration(daemon):
    daemon.configuration["unix_sock_admin_perms"] = '"0710"'
    daemon.start()
    assert stat.S_IMODE(os.stat(daemon.admin_path()).st_mode) == 0o710


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_is_refused_even_when_the_socket_is_open_to_all(daemon):
    daemon.configuration["unix_sock_admin_perms"] = '"0777"'
    daemon.start()
    admin = VirtAdmin(daemon.admin_uri())
    nobody = pwd.getpwnam("nobody")
    tried = subprocess.run(admin.command("srv-list"), capture_output=True, text=True,
                           env=dict(ENVIRONMENT), user=nobody.pw_uid, group=nobody.pw_gid,
                           extra_groups=[])
    assert tried.returncode != 0 and "libvirtd" not in tried.stdout
    assert admin("srv-list")
    assert "isallowing client" in daemon.log_text()


def test_the_admin_socket_serves_no_other_program(raw):
    reply = raw.call(wire.AUTH_LIST)
    assert "Cannot find program" in reply.error()[2]
    assert call(raw, LIST_SERVERS, wire.uint(1) + wire.uint(0)).status == wire.OK


def test_the_other_sockets_do_not_serve_the_admin_program(peer):
    for readonly in (False, True):
        connected = Wire(peer.socket_path(readonly)).open(flags=int(readonly))
        assert "Cannot find program" in call(connected, OPEN, wire.uint(0)).error()[2]
        connected.close()


# ---- what no client library sends

def server(name="libvirtd"):
    return wire.string(name)


@pytest.mark.parametrize("procedure,payload,code,said", [
    (OPEN, wire.uint(1), INVALID_ARG, "unsupported flags (0x1)"),
    (LIST_SERVERS, wire.uint(1) + wire.uint(2), INVALID_ARG, "unsupported flags (0x2)"),
    (LIST_CLIENTS, server() + wire.uint(1) + wire.uint(4), INVALID_ARG, "unsupported flags (0x4)"),
    (UPDATE_TLS, server() + wire.uint(1), INVALID_ARG, "unsupported flags (0x1)"),
    (SET_LIMITS, server() + wire.uint(1) + parameter("warp", UINT, 9) + wire.uint(0),
     ARGUMENT_UNSUPPORTED, "parameter 'warp' not supported"),
    (SET_LIMITS, server() + wire.uint(1) + parameter("nclients_max", INT, 9) + wire.uint(0),
     INVALID_ARG, "invalid type 'int' for parameter 'nclients_max', expected 'uint'"),
    (SET_LIMITS, server() + wire.uint(2) + 2 * parameter("nclients_max", UINT, 99) + wire.uint(0),
     INVALID_ARG, "parameter 'nclients_max' occurs multiple times"),
    (SET_THREADPOOL, server("warp") + wire.uint(0) + wire.uint(0), NO_SERVER,
     "no server with matching name 'warp' found"),
    (GET_INFO, server() + wire.uhyper(2**64 - 1) + wire.uhyper(0) + wire.uint(0) + wire.uint(0),
     NO_CLIENT, "no client with matching id '18446744073709551615' found"),
])
def test_bad_arguments_are_refused_and_the_connection_lives(raw, procedure, payload, code, said):
    number, _, text = call(raw, procedure, payload).error()
    assert number == code
    assert said in text
    assert call(raw, LIST_SERVERS, wire.uint(1) + wire.uint(0)).status == wire.OK


@pytest.mark.parametrize("payload", [b"", wire.uint(1 << 31), server() + wire.uint(33),
                                     server() + wire.uint(1) + wire.string("x") + wire.uint(99)])
def test_arguments_that_do_not_decode_are_refused_and_the_connection_lives(raw, payload):
    assert call(raw, SET_LIMITS, payload).status == wire.ERROR
    assert call(raw, LIST_SERVERS, wire.uint(1) + wire.uint(0)).status == wire.OK


def test_without_results_the_numbers_alone_are_told(raw):
    reader = call(raw, LIST_SERVERS, wire.uint(0) + wire.uint(0)).reader()
    assert (reader.uint(), reader.uint()) == (0, 2)
    reader = call(raw, LIST_CLIENTS, server("admin") + wire.uint(0) + wire.uint(0)).reader()
    assert (reader.uint(), reader.uint() > 0) == (0, True)


def test_close_ends_the_connection_after_its_reply(raw):
    assert call(raw, CLOSE).status == wire.OK
    assert raw.is_cut()


@pytest.mark.nanovirtd_only(reason="libvirtd's autodestroy goes by the connection itself")
def test_a_guest_that_ends_with_its_client_outlives_an_admin_of_the_same_number(daemon):
    daemon.start()
    owner = open_connection(daemon.uri())
    guest = owner.createXML(domain_xml("bound", agent=False), libvirt.VIR_DOMAIN_START_AUTODESTROY)
    admin = VirtAdmin(daemon.admin_uri())
    for _ in range(int(only_client(admin)) + 1):
        admin("srv-list")
    assert guest.isActive()
    owner.close()
