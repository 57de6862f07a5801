"""Unix sockets: who owns them, who may connect, where they are; and a daemon of an ordinary user."""

import grp
import os
import shutil
import pwd
import stat
import subprocess
import tempfile

import pytest

import peer as peers
from conftest import ENVIRONMENT, Virsh

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

GROUP = "games"
NOBODY = pwd.getpwnam("nobody")
TEST = "test+unix:///default?socket="


@pytest.fixture
def daemon():
    own = peers.make_peer()
    yield own
    own.close()


def as_nobody(command, groups=(), **environment):
    """A command run by the user nobody, in these groups besides his own: the completed process."""
    return subprocess.run(command, user=NOBODY.pw_uid, group=NOBODY.pw_gid, text=True,
                          extra_groups=[grp.getgrnam(name).gr_gid for name in groups],
                          env=dict(ENVIRONMENT, **environment), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=peers.PATIENCE)


def may_list(path, groups=(), readonly=False):
    tried = as_nobody(Virsh(TEST + path, readonly).command("list", "--name"), groups)
    return tried.returncode == 0 and "test" in tried.stdout


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.mark.nanovirtd_only(reason="with polkit libvirtd asks that one, and not the mode")
def test_by_default_only_root_may_write_and_everybody_may_look(daemon):
    for key in ("unix_sock_ro_perms", "unix_sock_rw_perms"):
        daemon.configuration.pop(key, None)
    daemon.start()
    assert mode_of(daemon.socket_path()) == 0o700
    assert mode_of(daemon.socket_path(readonly=True)) == 0o777
    assert mode_of(daemon.admin_path()) == 0o700
    assert not may_list(daemon.socket_path())
    assert may_list(daemon.socket_path(readonly=True), readonly=True)


def test_the_group_of_the_configuration_may_write(daemon):
    daemon.configuration.update({"unix_sock_group": '"%s"' % GROUP, "unix_sock_rw_perms": '"0770"',
                                 "unix_sock_ro_perms": '"0770"'})
    daemon.start()
    for path in (daemon.socket_path(), daemon.socket_path(readonly=True), daemon.admin_path()):
        assert os.stat(path).st_gid == grp.getgrnam(GROUP).gr_gid
        assert os.stat(path).st_uid == 0
    assert may_list(daemon.socket_path(), [GROUP])
    assert not may_list(daemon.socket_path())
    assert not may_list(daemon.socket_path(readonly=True), readonly=True)


@pytest.mark.nanovirtd_only(reason="libvirtd's message is another")
def test_a_group_that_is_not_there_is_refused_and_named(daemon):
    daemon.configuration["unix_sock_group"] = '"warp"'
    with pytest.raises(AssertionError, match="there is no group 'warp'"):
        daemon.start()
    daemon.process = None


def test_sockets_lie_in_the_directory_of_the_configuration(daemon):
    os.mkdir(daemon.path("images/sockets"))
    daemon.configuration["unix_sock_dir"] = '"%s"' % daemon.path("images/sockets")
    daemon.socket_path = lambda readonly=False: daemon.path(
        "images/sockets", "libvirt-sock-ro" if readonly else "libvirt-sock")
    daemon.admin_path = lambda: daemon.path("images/sockets/libvirt-admin-sock")
    daemon.start()
    assert Virsh(TEST + daemon.socket_path())("list", "--name") == "test"
    assert os.listdir(daemon.path("run/libvirt")).count("libvirt-sock") == 0


@pytest.mark.nanovirtd_only(reason="libvirtd leaves its files")
def test_sockets_are_gone_when_the_daemon_is(daemon):
    daemon.start()
    daemon.stop()
    for path in (daemon.socket_path(), daemon.socket_path(readonly=True), daemon.admin_path()):
        assert not os.path.exists(path)


@pytest.mark.parametrize("what", ["a file", "a directory", "a socket of a living daemon"])
@pytest.mark.nanovirtd_only(reason="libvirtd takes the path from a living one")
def test_what_lies_where_a_socket_should_be_is_not_taken_away(daemon, what):
    path = daemon.path("run/libvirt/libvirt-sock")
    if what == "a file":
        open(path, "w").close()
    elif what == "a directory":
        os.mkdir(path)
    else:
        daemon.start()
    daemon.write_configuration()
    second = subprocess.run(daemon.command("-p", daemon.path("second.pid")), text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            stdin=subprocess.DEVNULL, timeout=peers.PATIENCE)
    assert second.returncode != 0
    assert "Failed to bind socket to '%s'" % path in second.stdout
    assert os.path.exists(path)


# ---- a user's own daemon

class Session:
    """nanovirtd as the user nobody runs it, with that user's directories."""

    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="nv-home-")
        self.run = os.path.join(self.home, "run")
        os.mkdir(self.run, 0o700)
        for path in (self.home, self.run):
            os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
        self.environment = dict(ENVIRONMENT, HOME=self.home, XDG_RUNTIME_DIR=self.run)
        # Copied to where that user can read it.
        binary = shutil.copy(peers.BINARY, self.home)
        self.log = open(os.path.join(self.home, "log"), "w+")
        self.process = subprocess.Popen([binary], user=NOBODY.pw_uid, group=NOBODY.pw_gid,
                                        extra_groups=[], env=self.environment,
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        peers.wait_until(lambda: self.is_ready() or self.process.poll() is not None, "the sockets")

    def is_ready(self):
        """The sockets of virt-admin's server are the last."""
        return as_nobody(["virt-admin", "-c", "libvirtd:///session", "uri"], **self.environment).returncode == 0

    def socket(self, name="libvirt-sock"):
        return os.path.join(self.run, "libvirt", name)

    def close(self):
        self.process.terminate()
        assert self.process.wait(timeout=peers.PATIENCE) == 0
        self.log.close()


@pytest.fixture
def session():
    own = Session()
    yield own
    own.close()


@pytest.mark.nanovirtd_only(reason="libvirtd runs as root here")
def test_a_users_daemon_has_sockets_of_its_own_and_no_read_only_one(session):
    assert session.process.poll() is None
    assert sorted(name for name in os.listdir(os.path.dirname(session.socket()))
                  if name.endswith("sock")) == ["libvirt-admin-sock", "libvirt-sock"]
    for name in ("libvirt-sock", "libvirt-admin-sock"):
        assert os.stat(session.socket(name)).st_uid == NOBODY.pw_uid
        assert mode_of(session.socket(name)) == 0o700


@pytest.mark.nanovirtd_only(reason="libvirtd runs as root here")
def test_a_users_daemon_is_found_by_the_users_clients(session):
    environment = {"HOME": session.home, "XDG_RUNTIME_DIR": session.run}
    listed = as_nobody(["virsh", "-c", "qemu:///session", "uri"], **environment)
    assert listed.stdout.strip() == "qemu:///session", listed.stdout
    admin = ["virt-admin", "-c", "libvirtd:///session"]
    listed = as_nobody([*admin, "client-list", "admin"], **environment)
    itself = int(listed.stdout.splitlines()[-2].split()[0])
    listed = as_nobody([*admin, "client-info", "admin", str(itself + 1)], **environment)
    assert "unix_user_name : nobody" in " ".join(listed.stdout.split()), listed


@pytest.mark.nanovirtd_only(reason="libvirtd runs as root here")
def test_a_users_daemon_keeps_its_files_in_the_users_directories(session):
    for path in (".config/libvirt", ".cache/libvirt", "run/libvirt/libvirtd.pid"):
        assert os.stat(os.path.join(session.home, path)).st_uid == NOBODY.pw_uid
