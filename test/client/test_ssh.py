"""SSH: virt-ssh-helper as clients start it, over OpenSSH and dropbear, and netcat in its place.

The SSH servers are Debian's, on ports of loopback, in namespaces of their own: there /usr/local is
what `make install` has made, /run/libvirt is the peer's, and /root, /home and the accounts are made
up. Nothing of the machine's own SSH is touched. libvirt's own helper is hidden there.
"""

import hashlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import pytest

import peer as peers
from conftest import ENVIRONMENT, Virsh

pytestmark = [pytest.mark.nanovirtd_only(reason="libvirtd's helper is libvirt's own"),
              pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")]

SSHD = next((path for path in ("/usr/sbin/sshd", peers.TOP + "/build/unpacked/usr/sbin/sshd")
             if os.path.exists(path)), "sshd")

WORLD = r"""
set -e
world=$1
mount --bind "$world/usr/local" /usr/local
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/libvirt /run/sshd
mount --bind "$2" /run/libvirt
for table in passwd group shadow; do
    mount --bind "$world/$table" /etc/$table
done
mount --bind "$world/home" /home
mount --bind "$world/root" /root
[ ! -e /usr/bin/virt-ssh-helper ] || mount --bind "$world/nothing" /usr/bin/virt-ssh-helper
touch "$world/ready"
exec sh -c "$3"
"""


def write(path, text, mode=0o600):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


class Host:
    """A host that is reached by SSH: a server of one of the two kinds in a world of its own."""

    def __init__(self, kind, run_directory, installed=True):
        self.world = tempfile.mkdtemp(prefix="nv-ssh-")
        os.chmod(self.world, 0o755)
        self.port = peers.free_port()
        self.make_install(installed)
        self.make_accounts()
        self.make_keys(kind)
        write(os.path.join(self.world, "nothing"), "", 0o644)
        server = {"openssh": self.openssh, "dropbear": self.dropbear}[kind]()
        self.log = open(os.path.join(self.world, "log"), "w")
        self.process = subprocess.Popen(
            ["unshare", "-m", "-p", "-f", "--mount-proc", "--kill-child", "sh", "-c", WORLD, "world", self.world,
             run_directory, server], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            start_new_session=True)
        peers.wait_until(self.answers, "an SSH server: " + server)

    def make_install(self, installed):
        os.makedirs(os.path.join(self.world, "usr/local/bin"))
        if installed:
            subprocess.run(["make", "-o", "all", "install", "O=" + os.path.dirname(os.path.abspath(peers.BINARY)),
                            "STRIP=", "DESTDIR=" + self.world], cwd=peers.TOP, check=True,
                           stdout=subprocess.DEVNULL)

    def make_accounts(self):
        for table, own in (("passwd", "visitor:x:12345:12345::/home/visitor:/bin/sh\n"
                                      "sshd:x:12346:65534::/run/sshd:/usr/sbin/nologin"),
                           ("group", "visitor:x:12345:"),
                           ("shadow", "root:*:19000::::::\nvisitor:*:19000::::::")):
            with open("/etc/" + table) as lines:
                kept = [line for line in lines if not (table == "shadow" and line.startswith("root:"))]
            write(os.path.join(self.world, table), "".join(kept) + own + "\n", 0o644)

    def make_keys(self, kind):
        for name in ("key", "host"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                            os.path.join(self.world, name)], check=True)
        with open(os.path.join(self.world, "key.pub")) as public:
            key = public.read()
        for home, owner in (("root", 0), ("home/visitor", 12345)):
            directory = os.path.join(self.world, home, ".ssh")
            os.makedirs(directory)
            write(os.path.join(directory, "authorized_keys"), key)
            for path in (os.path.join(self.world, home), directory,
                         os.path.join(directory, "authorized_keys")):
                os.chown(path, owner, owner)
                os.chmod(path, 0o600 if os.path.isfile(path) else 0o700)
        with open(os.path.join(self.world, "host.pub")) as public:
            write(os.path.join(self.world, "known_hosts"),
                  "[127.0.0.1]:%d %s" % (self.port, public.read()))
        self.ssh = os.path.join(self.world, "ssh")
        write(self.ssh, "#!/bin/sh\nexec ssh -F none -o UserKnownHostsFile=%s/known_hosts "
              "-o GlobalKnownHostsFile=none -o IdentitiesOnly=yes -i %s/key \"$@\"\n"
              % (self.world, self.world), 0o755)

    def openssh(self):
        config = os.path.join(self.world, "sshd_config")
        write(config, "Port %d\nListenAddress 127.0.0.1\nHostKey %s/host\nUsePAM no\n"
              "PasswordAuthentication no\nPermitRootLogin yes\nPidFile none\n" % (self.port, self.world))
        program = SSHD
        if program.startswith(peers.TOP):  # which that world may not see
            program = shutil.copy(program, self.world)
        return "exec %s -D -e -f %s" % (shlex.quote(program), shlex.quote(config))

    def dropbear(self):
        key = os.path.join(self.world, "host.dropbear")
        subprocess.run(["dropbearconvert", "openssh", "dropbear", os.path.join(self.world, "host"), key],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return "exec dropbear -F -E -s -p 127.0.0.1:%d -r %s -P /dev/null" % (self.port, shlex.quote(key))

    def answers(self):
        assert self.process.poll() is None, open(self.log.name).read()
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as probe:
                return probe.recv(4) == b"SSH-"
        except OSError:
            return False

    def uri(self, path="system", user="root", driver="qemu", **parameters):
        parameters = {"command": self.ssh, "no_tty": 1, **parameters}
        return "%s+ssh://%s@127.0.0.1:%d/%s?%s" % (
            driver, user, self.port, path, "&".join("%s=%s" % item for item in parameters.items()))

    def close(self):
        first = peers.children_of(self.process.pid)
        for pid in first:
            os.kill(pid, signal.SIGKILL)
        self.process.wait(timeout=peers.PATIENCE)
        self.log.close()
        shutil.rmtree(self.world, ignore_errors=True)


@pytest.fixture(scope="module", params=["openssh", "dropbear"])
def host(request, peer):
    there = Host(request.param, peer.path("run/libvirt"))
    yield there
    there.close()


# ---- over SSH

def test_a_client_over_ssh_works_as_a_local_one(host, peer):
    assert Virsh(host.uri())("capabilities") == Virsh(peer.uri())("capabilities")
    remote, local = (Virsh(uri) for uri in (host.uri("default", driver="test"), peer.uri("test")))
    assert remote("list", "--all") == local("list", "--all")


def test_what_is_defined_over_ssh_is_there(host, peer):
    name = "over-" + os.path.basename(host.world)
    text = "<domain type='qemu'><name>%s</name><memory>8192</memory><os><type>hvm</type></os></domain>" % name
    remote = Virsh(host.uri())
    remote("define", "/dev/stdin", stdin=text)
    assert name in Virsh(peer.uri())("list", "--all", "--name")
    remote("undefine", name)


def test_a_reader_over_ssh_can_not_write(host):
    reader = Virsh(host.uri("default", driver="test"), readonly=True)
    assert "test" in reader("list", "--all", "--name")
    assert "read only" in reader.fails("destroy", "test")


def test_netcat_does_in_its_place(host):
    assert "test" in Virsh(host.uri("default", driver="test", proxy="netcat"))("list", "--name")


@pytest.mark.parametrize("transport", ["libssh", "libssh2"])
def test_the_libraries_of_ssh_come_in_too(host, transport):
    uri = host.uri("default", driver="test", keyfile=host.world + "/key", sshauth="privkey",
                   known_hosts=host.world + "/known", known_hosts_verify="ignore", no_verify=1)
    assert "test" in Virsh(uri.replace("+ssh:", "+%s:" % transport))("list", "--name")


def test_the_helper_alone_does(host):
    assert "test" in Virsh(host.uri("default", driver="test", proxy="native"))("list", "--name")


def daemons_of(uid):
    found = []
    for pid, row in peers.process_table().items():
        try:
            if row[2] == "nanovirtd" and os.stat("/proc/%d" % pid).st_uid == uid:
                found.append(pid)
        except OSError:
            pass
    return found


def test_a_users_own_daemon_is_started_when_it_is_asked_for(host):
    own = Virsh(host.uri("session", user="visitor"))
    assert own("list", "--all", "--name") == ""
    peers.wait_until(lambda: len(daemons_of(12345)) == 1, "one daemon, and nothing of its start")


def test_no_helper_is_left_when_clients_have_gone(host):
    Virsh(host.uri())("version")
    mine = set(peers.descendants_of(host.process.pid))
    peers.wait_until(lambda: not [pid for pid in peers.descendants_of(host.process.pid)
                                  if peers.process_table().get(pid, (0, "", ""))[2] == "virt-ssh-helper"],
                     "the end of the helper among %s" % mine)


def test_a_host_without_the_helper_is_reached_by_netcat(peer):
    bare = Host("openssh", peer.path("run/libvirt"), installed=False)
    try:
        assert "test" in Virsh(bare.uri("default", driver="test"))("list", "--name")
        assert Virsh(bare.uri("default", driver="test", proxy="native")).fails("list")
    finally:
        bare.close()


def test_the_client_is_told_that_no_daemon_runs(tmp_path):
    bare = Host("openssh", str(tmp_path))
    try:
        assert "cannot connect to '/run/libvirt/libvirt-sock'" in Virsh(bare.uri()).fails("list")
    finally:
        bare.close()


# ---- the helper itself

@pytest.fixture(scope="module")
def helper():
    directory = tempfile.mkdtemp(prefix="nv-helper-")
    path = os.path.join(directory, "virt-ssh-helper")
    os.symlink(os.path.abspath(peers.BINARY), path)
    yield path
    shutil.rmtree(directory)


def test_any_command_can_carry_a_connection(peer, helper, tmp_path):
    command = tmp_path / "carry"
    write(command, "#!/bin/sh\nexec %s --root %s test:///default\n" % (helper, peer.root), 0o755)
    assert "test" in Virsh("test+ext:///default?command=%s" % command)("list", "--name")


@pytest.mark.parametrize("arguments, said", [
    ([], "Usage:"), (["a", "b"], "Usage:"), (["--nonsense", "qemu:///system"], "unknown option"),
    (["nonsense"], "cannot parse"), (["qemu+ssh://host/system"], "unexpected URI transport"),
    (["qemu://host/system"], "unexpected URI transport"),
    (["--root", "/nonexistent", "qemu:///system"], "cannot connect to '/nonexistent/run/libvirt/libvirt-sock'"),
])
def test_a_wrong_command_line_is_told(helper, arguments, said):
    completed = subprocess.run([helper, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                               text=True, env=ENVIRONMENT, timeout=peers.PATIENCE)
    assert completed.returncode == 1 and said in completed.stderr and completed.stdout == ""


@pytest.mark.parametrize("option, said", [("--help", "Usage:"), ("--version", "virt-ssh-helper ")])
def test_help_and_version_are_told(helper, option, said):
    completed = subprocess.run([helper, option], capture_output=True, text=True, timeout=peers.PATIENCE)
    assert completed.returncode == 0 and said in completed.stdout


class Echo(threading.Thread):
    """In the daemon's place: sends back what it gets, and closes when there is no more."""

    def __init__(self, root, name="libvirt-sock"):
        super().__init__(daemon=True)
        os.makedirs(os.path.join(root, "run/libvirt"))
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(root, "run/libvirt", name))
        self.listener.listen()
        self.start()

    def run(self):
        connection, _ = self.listener.accept()
        while True:
            data = connection.recv(100000)
            if not data:
                break
            connection.sendall(data)
        connection.close()


def test_bytes_arrive_whole_whatever_the_pace(helper, tmp_path):
    """The reader takes nothing until the writer is stuck; then it takes everything."""
    Echo(tmp_path)
    process = subprocess.Popen([helper, "--root", str(tmp_path), "qemu:///system"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    data = os.urandom(1 << 20) * 16
    stuck = threading.Event()

    def send():
        os.set_blocking(process.stdin.fileno(), False)
        at = 0
        while at < len(data):
            try:
                at += os.write(process.stdin.fileno(), data[at:at + 100000])
            except BlockingIOError:
                stuck.set()
                threading.Event().wait(0.01)

    writer = threading.Thread(target=send, daemon=True)
    writer.start()
    assert stuck.wait(peers.PATIENCE), "16 MB went nowhere"
    back = hashlib.sha256()
    left = len(data)
    while left:
        part = process.stdout.read1(1 << 16)
        assert part, "it ended with %d bytes missing" % left
        back.update(part)
        left -= len(part)
    assert back.digest() == hashlib.sha256(data).digest()
    process.stdin.close()
    assert process.wait(timeout=peers.PATIENCE) == 0
    process.stdout.close()


def test_the_last_words_of_the_daemon_are_delivered(helper, tmp_path):
    os.makedirs(tmp_path / "run/libvirt")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "run/libvirt/libvirt-sock-ro"))
    listener.listen()
    process = subprocess.Popen([helper, "-r", "--root", str(tmp_path), "qemu:///system"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    connection, _ = listener.accept()
    connection.sendall(b"goodbye" * 1000)
    connection.close()
    assert process.stdout.read() == b"goodbye" * 1000
    assert process.wait(timeout=peers.PATIENCE) == 0
    process.stdin.close()
    process.stdout.close()


def test_a_signal_ends_it(helper, tmp_path):
    Echo(tmp_path)
    process = subprocess.Popen([helper, "--root", str(tmp_path), "qemu:///system"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(b"x")
    process.stdin.flush()
    assert process.stdout.read(1) == b"x"
    process.terminate()
    assert process.wait(timeout=peers.PATIENCE) == 0
    process.stdin.close()
    process.stdout.close()
