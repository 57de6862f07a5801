"""Passwords: SASL as unmodified clients do it, and as no client should."""

import os
import select
import socket
import stat
import subprocess
import threading
import time

import libvirt
import pexpect
import pytest

import peer as peers
import wire as raw
from conftest import ENVIRONMENT, Virsh
from scram import START, STEP, INIT, Login, data_of, login, nullable
from test_tls import TlsDaemon
from wire import ERROR, OK, Wire, string

pytestmark = pytest.mark.nanovirtd_only(reason="libvirtd keeps its users in Cyrus SASL's files")

FAIL_DELAY = 0.4  # seconds, CONFIG_SASL_FAIL_DELAY of configs/checks.config
FAILED = (libvirt.VIR_ERR_AUTH_FAILED, libvirt.VIR_FROM_RPC, "authentication failed: authentication failed")


def passwd(peer, *arguments, password=None):
    return subprocess.run([peers.BINARY, "passwd", "--root", peer.root, *arguments],
                          input=password and password + "\n", capture_output=True, text=True,
                          env=ENVIRONMENT, timeout=peers.PATIENCE)


def set_password(peer, user, password, *options):
    completed = passwd(peer, *options, user, password=password)
    assert completed.returncode == 0, completed.stderr


def users_file(peer):
    return peer.path("etc/libvirt/passwd.scram")


class Passwords:
    """A daemon whose socket for everything asks for a password, and the one for looking does not."""

    def __init__(self, **configuration):
        self.peer = peers.make_peer()
        self.peer.configuration.update({"auth_unix_rw": '"sasl"', "log_filters": '"1:auth"',
                                        "log_outputs": '"1:stderr"', **configuration})
        set_password(self.peer, "alice", "secret")
        set_password(self.peer, "bob", "b\u00fcrste, =")
        self.peer.start()
        self.path = self.peer.socket_path()

    def auth_file(self, user, password):
        path = self.peer.path("auth.conf")
        with open(path, "w") as file:
            file.write("[credentials-x]\nauthname=%s\npassword=%s\n[auth-libvirt-localhost]\ncredentials=x\n"
                       % (user, password))
        return path

    def virsh(self, user, password):
        return Virsh("%s&authfile=%s" % (self.peer.uri("test"), self.auth_file(user, password)))


@pytest.fixture(scope="module")
def daemon():
    made = Passwords()
    yield made
    made.peer.close()


def fails(reply):
    assert reply.status == ERROR and reply.error() == FAILED, reply.error()


# ---- unmodified clients

def open_as(daemon, user, password):
    asked = []

    def answer(credentials, _):
        for credential in credentials:
            asked.append(credential[0])
            credential[4] = {libvirt.VIR_CRED_AUTHNAME: user, libvirt.VIR_CRED_PASSPHRASE: password}[credential[0]]
        return 0
    libvirt.registerErrorHandler(lambda context, error: None, None)
    wanted = [libvirt.VIR_CRED_AUTHNAME, libvirt.VIR_CRED_PASSPHRASE]
    return libvirt.openAuth(daemon.peer.uri("test"), [wanted, answer, None], 0), asked


@pytest.mark.parametrize("user, password", [("alice", "secret"), ("bob", "b\u00fcrste, =")])
def test_a_binding_logs_in_with_what_its_callback_says(daemon, user, password):
    connection, asked = open_as(daemon, user, password)
    assert set(asked) == {libvirt.VIR_CRED_AUTHNAME, libvirt.VIR_CRED_PASSPHRASE}
    assert connection.listAllDomains()[0].name() == "test"
    connection.close()


def test_virsh_logs_in_with_its_auth_file(daemon):
    assert daemon.virsh("alice", "secret")("list", "--name") == "test"


def test_virsh_asks_whoever_sits_before_it(daemon):
    child = pexpect.spawn("virsh", ["-c", daemon.peer.uri("test"), "list", "--name"], encoding="utf-8",
                          timeout=peers.PATIENCE, env=ENVIRONMENT)
    for question, answer in (("authentication name: ", "alice"), ("password: ", "secret")):
        child.expect_exact(question)
        child.sendline(answer)
    child.expect_exact("test")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_a_client_can_insist_on_a_mechanism(daemon):
    uri = "%s&authfile=%s&auth=sasl." % (daemon.peer.uri("test"), daemon.auth_file("alice", "secret"))
    assert Virsh(uri + "SCRAM-SHA-256")("list", "--name") == "test"
    assert "SASL mechanism GSSAPI not supported by server" in Virsh(uri + "GSSAPI").fails("list")


@pytest.mark.parametrize("user, password", [("alice", "Secret"), ("alice", "x"), ("nobody", "secret")])
def test_whatever_is_wrong_is_told_in_the_same_words(daemon, user, password):
    with pytest.raises(libvirt.libvirtError) as caught:
        open_as(daemon, user, password)
    error = caught.value
    assert (error.get_error_code(), error.get_error_domain(), str(error)) == FAILED


def test_virsh_is_told_too(daemon):
    assert FAILED[2] in daemon.virsh("alice", "wrong").fails("list")


def test_a_socket_that_asks_for_nothing_is_open(daemon):
    assert Virsh(daemon.peer.uri("test", readonly=True), readonly=True)("list", "--name") == "test"


def test_the_log_tells_who_came_in_and_why_others_did_not(daemon):
    login(daemon.path, "alice", "secret").close()
    fails(Login(Wire(daemon.path), "alice", "wrong").run())
    fails(Login(Wire(daemon.path), "mallory", "x").run())
    log = daemon.peer.log_text()
    assert "user 'alice' logged in with SCRAM-SHA-256" in log
    assert "login of 'alice' failed: wrong password" in log
    assert "login of 'mallory' failed: no such user" in log


def test_virt_admin_shows_the_user(daemon):
    client = login(daemon.path, "alice", "secret")
    uri = "libvirtd+unix:///system?socket=" + daemon.peer.path("run/libvirt/libvirt-admin-sock")

    def admin(*arguments):
        completed = subprocess.run(["virt-admin", "-c", uri, *arguments], capture_output=True, text=True,
                                   env=ENVIRONMENT, timeout=peers.PATIENCE)
        assert completed.returncode == 0, completed.stderr
        return completed.stdout
    numbers = [line.split()[0] for line in admin("client-list", "libvirtd").splitlines()[2:] if line.strip()]
    assert any("sasl_user_name : alice" in " ".join(line.split()) for number in numbers
               for line in admin("client-info", "libvirtd", number).splitlines())
    client.close()


# ---- the protocol

def test_before_the_login_nothing_but_the_login_can_be_called(daemon):
    client = Wire(daemon.path)
    reader = client.call(raw.AUTH_LIST).reader()
    assert (reader.uint(), reader.uint()) == (1, 1)
    for procedure in (raw.CONNECT_OPEN, raw.CONNECT_GET_HOSTNAME, raw.CONNECT_LIST_ALL_DOMAINS):
        assert "authentication required" in client.call(procedure, raw.optional(None) + raw.uint(0)).error()[2]
    reply = client.call(INIT)
    assert reply.reader().string() == "SCRAM-SHA-256"
    client.close()
    with pytest.raises(AssertionError):
        Wire(daemon.path).open()


def test_who_is_logged_in_stays_so(daemon):
    client = login(daemon.path, "alice", "secret")
    fails(client.call(INIT))
    fails(client.call(STEP, nullable(b"")))
    assert client.open().is_alive()
    client.close()


def test_the_server_proves_itself_and_may_be_tried_again(daemon):
    client = Wire(daemon.path)
    fails(Login(client, "alice", "wrong").run())
    assert Login(client, "alice", "secret").run().status == OK
    assert client.open().is_alive()
    client.close()


def test_the_third_failure_ends_the_connection(daemon):
    client = Wire(daemon.path)
    for _ in range(3):
        fails(Login(client, "alice", "wrong").run())
    assert client.is_cut()


def test_a_client_may_wait_to_be_asked(daemon):
    client = Wire(daemon.path)
    first = Login(client, "alice", "secret")
    first.init()
    for nothing in (None, b""):
        reply = client.call(START, string(first.mechanism) + nullable(nothing))
        assert data_of(reply, complete=0) is None
    reply = client.call(STEP, nullable((first.header + first.bare).encode()))
    first.challenge = data_of(reply, complete=0).decode()
    assert data_of(first.step(), complete=1) == first.expected
    client.close()


def test_a_start_begins_anew(daemon):
    client = Wire(daemon.path)
    first = Login(client, "alice", "secret")
    first.init()
    first.start()
    stale = first.final()
    first.start()
    fails(client.call(STEP, nullable(stale)))
    client.close()


@pytest.mark.parametrize("procedure, arguments", [
    (START, string("SCRAM-SHA-256") + nullable(b"n,,n=alice,r=abc")),
    (STEP, nullable(b"c=biws,r=abc,p=AAAA")),
])
def test_what_was_not_begun_can_not_go_on(daemon, procedure, arguments):
    client = Wire(daemon.path)
    fails(client.call(procedure, arguments))
    client.close()


def test_a_step_needs_a_start(daemon):
    """libvirtd 9 with Cyrus SASL ends here, whoever sends it."""
    client = Wire(daemon.path)
    client.call(INIT)
    fails(client.call(STEP, nullable(b"c=biws,r=abc,p=AAAA")))
    client.close()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS", "", "scram-sha-256"])
def test_only_what_was_offered_can_be_chosen(daemon, mechanism):
    client = Wire(daemon.path)
    client.call(INIT)
    fails(client.call(START, string(mechanism) + nullable(b"n,,n=alice,r=abc")))
    client.close()


@pytest.mark.parametrize("first", [b"", b"x", b"p=tls-unique,,n=alice,r=abc", b"n,,m=1,n=alice,r=abc",
                                   b"n,a=bob,n=alice,r=abc", b"n,,n=\xff,r=abc", b"n" * 60000],
                         ids=range(7))
def test_a_malformed_message_is_a_failed_login(daemon, first):
    client = Wire(daemon.path)
    client.call(INIT)
    client.call(START, string("SCRAM-SHA-256") + nullable(None))
    fails(client.call(STEP, nullable(first)))
    client.close()


def challenge_for(daemon, user):
    client = Wire(daemon.path)
    attempt = Login(client, user, "x")
    attempt.init()
    assert attempt.start().status == OK
    client.close()
    parts = dict(part.split("=", 1) for part in attempt.challenge.split(","))
    return parts["s"], parts["i"]


def test_a_user_that_does_not_exist_looks_like_one(daemon):
    """The same salt each time, also after a restart, another for each name, as many iterations."""
    alice, mallory = challenge_for(daemon, "alice"), challenge_for(daemon, "mallory")
    assert len(alice[0]) == len(mallory[0]) and alice[1] == mallory[1]
    assert challenge_for(daemon, "mallory") == mallory
    assert challenge_for(daemon, "trudy") != mallory
    daemon.peer.restart()
    assert challenge_for(daemon, "mallory") == mallory
    assert challenge_for(daemon, "alice") == alice
    assert challenge_for(daemon, "*")[0] not in open(users_file(daemon.peer)).read()


# ---- a storm

def has_heard(wire):
    return bool(select.select([wire.socket], [], [], 0)[0])


def test_a_storm_of_failing_logins_holds_up_nobody(daemon):
    """While the verdict over each of many attackers is still out, others are served, and log in."""
    attackers = [Login(Wire(daemon.path), "alice", "guess%d" % number) for number in range(10)]
    for attacker in attackers:
        attacker.init()
        attacker.start()
    reader = Wire(daemon.peer.socket_path(readonly=True)).open()
    begin = time.monotonic()
    for attacker in attackers:
        attacker.wire.send(raw.message(STEP, nullable(attacker.final()), serial=99))
    assert all(reader.is_alive() for _ in range(20))
    friend = login(daemon.path, "alice", "secret")
    assert friend.open().is_alive()
    heard = [attacker for attacker in attackers if has_heard(attacker.wire)]
    if time.monotonic() - begin < FAIL_DELAY:  # else the machine was too slow to tell
        assert not heard
        # Whoever waits for a verdict gets nowhere in the meantime.
        fails(attackers[0].wire.call(INIT))
    for attacker in attackers:
        fails(attacker.wire.receive())
        attacker.wire.close()
    friend.close()
    reader.close()


def test_strangers_who_do_nothing_keep_nobody_out(daemon):
    """max_anonymous_clients is 20: who has not logged in and stands still gives way."""
    strangers = [Wire(daemon.path) for _ in range(20)]

    def comes_in():
        client = Wire(daemon.path)
        reply = None
        try:
            reply = Login(client, "alice", "secret").run()
        except OSError:
            pass
        client.close()
        return reply is not None and reply.status == OK
    peers.wait_until(comes_in, "a login beside strangers")
    assert strangers[0].is_cut()
    for stranger in strangers:
        stranger.close()


def test_an_attacker_who_leaves_leaves_nothing(daemon):
    for _ in range(3):
        attacker = Login(Wire(daemon.path), "alice", "guess")
        attacker.init()
        attacker.start()
        attacker.wire.send(raw.message(STEP, nullable(attacker.final())))
        attacker.wire.close()
        friend = login(daemon.path, "alice", "secret")
        assert friend.open().is_alive()
        friend.close()


# ---- who is allowed

def test_the_list_of_users_has_wildcards():
    daemon = Passwords(sasl_allowed_username_list='[ "a*e", "?im" ]')
    try:
        set_password(daemon.peer, "tim", "t")
        login(daemon.path, "alice", "secret").close()
        login(daemon.path, "tim", "t").close()
        fails(Login(Wire(daemon.path), "bob", "b\u00fcrste, =").run())
        assert "login of 'bob' failed: the name is not on sasl_allowed_username_list" in daemon.peer.log_text()
    finally:
        daemon.peer.close()


def test_a_new_password_counts_at_once_and_a_deleted_user_is_gone(daemon):
    set_password(daemon.peer, "carol", "one")
    login(daemon.path, "carol", "one").close()
    set_password(daemon.peer, "carol", "two")
    fails(Login(Wire(daemon.path), "carol", "one").run())
    login(daemon.path, "carol", "two").close()
    assert passwd(daemon.peer, "-d", "carol").returncode == 0
    fails(Login(Wire(daemon.path), "carol", "two").run())


def test_sha_1_is_there_for_those_who_were_given_it(daemon):
    set_password(daemon.peer, "old", "timer", "--sha-1")
    try:
        client = Wire(daemon.path)
        assert client.call(INIT).reader().string() == "SCRAM-SHA-256,SCRAM-SHA-1"
        client.close()
        login(daemon.path, "old", "timer", mechanism="SCRAM-SHA-1").close()
        fails(Login(Wire(daemon.path), "old", "timer").run())
        fails(Login(Wire(daemon.path), "alice", "secret", "SCRAM-SHA-1").run())
        assert daemon.virsh("alice", "secret")("list", "--name") == "test"
    finally:
        assert passwd(daemon.peer, "-d", "old").returncode == 0


def test_access_rules_know_the_user_who_logged_in():
    daemon = Passwords()
    try:
        with open(daemon.peer.path("etc/libvirt/access.conf"), "w") as rules:
            rules.write("allow sasl=al* : all\nallow sasl=bob : view\n")
        daemon.peer.restart()
        daemon.virsh("alice", "secret")("suspend", "test")
        bob = daemon.virsh("bob", "b\u00fcrste, =")
        assert bob("list", "--name") == "test"
        assert "access denied" in bob.fails("suspend", "test")
    finally:
        daemon.peer.close()


# ---- networks

def test_a_password_over_tls(tmp_path):
    daemon = TlsDaemon()
    try:
        daemon.pki.make("localhost", clients=("ann",))
        set_password(daemon.peer, "alice", "secret")
        daemon.start(auth_tls='"sasl"')
        auth = tmp_path / "auth.conf"
        auth.write_text("[credentials-x]\nauthname=alice\npassword=secret\n[auth-libvirt-localhost]\ncredentials=x\n")
        assert daemon.virsh(more="&authfile=%s" % auth)("list", "--name") == "test"
        auth.write_text(auth.read_text().replace("secret", "wrong"))
        assert FAILED[2] in daemon.virsh(more="&authfile=%s" % auth).fails("list")
    finally:
        daemon.close()


def test_clear_tcp_takes_passwords_only_where_the_administrator_says_so(tmp_path):
    peer = peers.make_peer()
    port = peers.free_port()
    set_password(peer, "alice", "secret")
    peer.configuration.update({"listen_tcp": 1, "listen_tls": 0, "tcp_port": '"%d"' % port, "listen_addr": '"127.0.0.1"'})
    with pytest.raises(AssertionError, match="no mechanism of this daemon encrypts"):
        peer.start("--listen")
    peer.process = None
    peer.configuration["tcp_min_ssf"] = 0
    peer.start("--listen")
    try:
        client = Wire.__new__(Wire)
        client.socket, client.serial = socket.create_connection(("127.0.0.1", port), peers.PATIENCE), 0
        assert Login(client, "alice", "secret").run().status == OK
        assert client.open().is_alive()
        client.close()
        auth = tmp_path / "auth.conf"
        auth.write_text("[credentials-x]\nauthname=alice\npassword=secret\n[auth-libvirt-localhost]\ncredentials=x\n")
        assert "SASL" in Virsh("test+tcp://localhost:%d/default?authfile=%s" % (port, auth)).fails("list")
    finally:
        peer.close()


# ---- nanovirtd passwd

@pytest.fixture
def shelf():
    """A root directory without a daemon."""
    made = peers.make_peer()
    yield made
    made.close()


def test_the_file_is_its_owners_alone_and_is_replaced_whole(shelf):
    set_password(shelf, "alice", "secret")
    before = os.stat(users_file(shelf))
    assert stat.S_IMODE(before.st_mode) == 0o600
    with open(users_file(shelf)) as old:
        set_password(shelf, "bob", "other")
        assert "bob" not in old.read()
    after = os.stat(users_file(shelf))
    assert after.st_ino != before.st_ino and stat.S_IMODE(after.st_mode) == 0o600
    assert os.listdir(shelf.path("etc/libvirt")).count("passwd.scram.new") == 0
    assert [line.split() for line in passwd(shelf, "-l").stdout.splitlines()] == [
        ["alice", "SCRAM-SHA-256", "65536"], ["bob", "SCRAM-SHA-256", "65536"]]


def test_the_password_is_not_in_it(shelf):
    set_password(shelf, "alice", "secret")
    set_password(shelf, "bob", "secret")
    with open(users_file(shelf)) as file:
        lines = [line.split(":", 1) for line in file if not line.startswith("#")]
    assert sorted(name for name, _ in lines) == ["*", "alice", "bob"]
    assert len({keys for _, keys in lines}) == 3, "two passwords have the same salt"
    assert "secret" not in str(lines)


def test_comments_and_other_lines_stay(shelf):
    with open(users_file(shelf), "w") as file:
        file.write("# mine\n\nnot understood")
    os.chmod(users_file(shelf), 0o600)
    set_password(shelf, "alice", "secret")
    with open(users_file(shelf)) as file:
        assert file.read().startswith("# mine\n\nnot understood\n*:SCRAM-SHA-256$")
    listed = passwd(shelf, "-l")
    assert listed.returncode == 1 and "passwd.scram:3: " in listed.stderr
    assert listed.stdout.startswith("alice ")


def test_iterations_can_be_chosen_and_others_look_the_same(shelf):
    set_password(shelf, "alice", "secret", "-i", "10000")
    with open(users_file(shelf)) as file:
        assert file.read().count("SCRAM-SHA-256$10000:") == 2
    refused = passwd(shelf, "-i", "4095", "alice", password="x")
    assert refused.returncode == 1 and "not a number from 4096 on: 4095" in refused.stderr


@pytest.mark.parametrize("arguments, password, said", [
    ([], "x", "the name of one user is expected"),
    (["a", "b"], "x", "the name of one user is expected"),
    (["-l", "a"], None, "a list is of all users"),
    (["-z"], None, "unknown option: -z"),
    (["a:b"], "x", "it would not fit into the file of users"),
    (["*"], "x", "it would not fit into the file of users"),
    (["#a"], "x", "it would not fit into the file of users"),
    (["a" * 256], "x", "it is too long"),
    (["a\u00aab"], "x", "SASLprep"),
    (["a\nb"], "x", "it has a control character"),
    (["alice"], "", "the password can not be used: it is empty"),
    (["alice"], "a\u2168", "SASLprep"),
    (["alice"], None, "there is no password"),
    (["-d", "alice"], None, "there is no user 'alice'"),
])
def test_what_can_not_be_is_refused_with_a_reason(shelf, arguments, password, said):
    completed = subprocess.run([peers.BINARY, "passwd", "--root", shelf.root, *arguments],
                               input="" if password is None else password + "\n", capture_output=True,
                               text=True, env=ENVIRONMENT, timeout=peers.PATIENCE)
    assert completed.returncode == 1 and said in completed.stderr, completed.stderr
    assert not os.path.exists(users_file(shelf))


def test_a_file_that_others_can_read_is_not_used(shelf):
    set_password(shelf, "alice", "secret")
    os.chmod(users_file(shelf), 0o640)
    assert "chmod 600" in passwd(shelf, "-l").stderr


def test_two_at_once_do_not_lose_a_user(shelf):
    users = ["user%d" % number for number in range(8)]
    refused = []

    def add(user):
        while True:
            completed = passwd(shelf, "-i", "4096", user, password="x")
            if completed.returncode == 0:
                return
            assert "somebody else is changing" in completed.stderr, completed.stderr
            refused.append(user)
    threads = [threading.Thread(target=add, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(line.split()[0] for line in passwd(shelf, "-l").stdout.splitlines()) == users


def on_terminal(shelf, *answers):
    child = pexpect.spawn(peers.BINARY, ["passwd", "--root", shelf.root, "alice"], encoding="utf-8",
                          timeout=peers.PATIENCE, env=ENVIRONMENT)
    for question, answer in zip(("New password: ", "Retype new password: "), answers):
        child.expect_exact(question)
        child.waitnoecho()
        if answer is None:
            child.sendintr()
        else:
            child.sendline(answer)
    child.expect(pexpect.EOF)
    shown = child.before
    child.close()
    return child.exitstatus, shown


def test_a_terminal_is_asked_twice_and_shows_nothing(shelf):
    status, shown = on_terminal(shelf, "secret", "secret")
    assert status == 0 and "secret" not in shown
    assert passwd(shelf, "-l").stdout.startswith("alice ")


@pytest.mark.parametrize("answers, said", [(("secret", "Secret"), "the passwords do not match"),
                                           (("secret", None), "there is no password")])
def test_what_is_typed_wrong_changes_nothing(shelf, answers, said):
    status, shown = on_terminal(shelf, *answers)
    assert status == 1 and said in shown
    assert not os.path.exists(users_file(shelf))


def test_a_daemon_without_users_starts_and_says_so(shelf):
    shelf.configuration.update({"auth_unix_rw": '"sasl"', "log_outputs": '"1:stderr"'})
    shelf.start()
    assert "nobody can log in with a password" in shelf.log_text()
    client = Wire(shelf.socket_path())
    attempt = Login(client, "alice", "x")
    attempt.init()
    fails(attempt.start())
    client.close()
