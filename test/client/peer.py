"""The daemon under test, on a root directory of its own.

The same tests run against nanovirtd and against Debian's libvirtd 9, which is the model they state:
NANOVIRT_TEST_PEER chooses (nanovirtd is the default). NANOVIRTD names the binary, and
NANOVIRT_TEST_WRAPPER a command to put before it, such as valgrind. NANOVIRT_TEST_ADMIN=no says that
it was built without virt-admin's server.
"""

import ctypes
import errno
import os
import random
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
NAME = os.environ.get("NANOVIRT_TEST_PEER", "nanovirtd")
BINARY = os.environ.get("NANOVIRTD", os.path.join(TOP, "build", "nanovirtd"))
WRAPPER = shlex.split(os.environ.get("NANOVIRT_TEST_WRAPPER", ""))
IS_LIBVIRTD = NAME == "libvirtd"
HAS_ADMIN = os.environ.get("NANOVIRT_TEST_ADMIN", "yes") == "yes"
PATIENCE = float(os.environ.get("NANOVIRT_TEST_PATIENCE", "60"))
PR_SET_CHILD_SUBREAPER = 36
REPORTS_OF_TROUBLE = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "Assertion",
                      "a turn used", "may block and was called", "Invalid read", "Invalid write",
                      "uninitialised")


def wait_until(claim, what, patience=PATIENCE):
    """Polls until claim() is true and returns its value; a claim that never holds fails the test."""
    end = time.monotonic() + patience
    while True:
        value = claim()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("never happened: " + what)
        time.sleep(0.05)


def free_port(host="127.0.0.1"):
    """A TCP port that nobody has: below those that the kernel gives to clients, so that none of these takes it
    before a daemon does."""
    while True:
        port = random.randrange(20000, 30000)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            try:
                probe.bind((host, port))
                return port
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise


def become_reaper():
    """Orphans (a QEMU whose daemon died) become this process's children: found and ended at the end."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def process_table():
    """pid -> (parent, state, command) of every process seen from here."""
    table = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open("/proc/%s/stat" % entry) as stat:
                    text = stat.read()
            except OSError:
                continue
            rest = text[text.rindex(")") + 2:].split()
            table[int(entry)] = (int(rest[1]), rest[0], text[text.index("(") + 1:text.rindex(")")])
    return table


def children_of(pid):
    return [child for child, row in process_table().items() if row[0] == pid]


def descendants_of(pid):
    table = process_table()
    found = [pid]
    for known in found:
        found += [child for child, row in table.items() if row[0] == known]
    return found[1:]


def is_running(pid):
    row = process_table().get(pid)
    return row is not None and row[1] != "Z"


class Peer:
    """What both daemons have in common: a root directory, sockets, files, a process."""

    IS_UNDER_TEST = True

    def __init__(self):
        become_reaper()
        self.root = tempfile.mkdtemp(prefix="nv-")
        os.chmod(self.root, 0o755)
        for directory in ("etc/libvirt/qemu/autostart", "run/libvirt", "var/lib/libvirt",
                          "var/log/libvirt", "var/cache/libvirt", "images"):
            os.makedirs(os.path.join(self.root, directory))
        self.process = None
        self.log = os.path.join(self.root, "daemon.log")
        self.configuration = {}

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def socket_path(self, readonly=False):
        return self.path("run/libvirt", "libvirt-sock-ro" if readonly else "libvirt-sock")

    def admin_path(self):
        return self.path("run/libvirt", "libvirt-admin-sock")

    def admin_uri(self):
        return "libvirtd:///system?socket=" + self.admin_path()

    def uri(self, driver="qemu", readonly=False):
        name = {"qemu": "qemu+unix:///system", "test": "test+unix:///default"}[driver]
        return "%s?socket=%s" % (name, self.socket_path(readonly))

    def sockets(self):
        return [self.socket_path(), self.socket_path(True)] + [self.admin_path()] * HAS_ADMIN

    def is_listening(self):
        for path in self.sockets():
            probe = socket.socket(socket.AF_UNIX)
            try:
                probe.connect(path)
            except OSError:
                return False
            finally:
                probe.close()
        return True

    def write_configuration(self):
        with open(self.path("etc/libvirt/libvirtd.conf"), "w") as conf:
            for key, value in self.configuration.items():
                conf.write("%s = %s\n" % (key, value))

    def write_qemu_conf(self):
        """Guests run as root: Debian's user for them comes with a package that starts services."""
        with open(self.path("etc/libvirt/qemu.conf"), "w") as conf:
            conf.write('user = "root"\ngroup = "root"\nsecurity_driver = "none"\n'
                       'remember_owner = 0\nnamespaces = []\ncgroup_controllers = []\n')

    def start(self, *arguments):
        self.write_configuration()
        for path in self.sockets():
            if os.path.exists(path):
                os.unlink(path)
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(self.command(*arguments), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)
        wait_until(lambda: self.is_listening() or self.process.poll() is not None, "a socket")
        if self.process.poll() is not None:
            raise AssertionError("the daemon ended at once: " + self.log_text())
        return self

    def log_text(self):
        with open(self.log, errors="replace") as log:
            return log.read()

    def stop(self):
        """SIGTERM; the daemon leaves by itself. Guests live on."""
        if self.process is not None:
            os.kill(self.daemon_pid(), signal.SIGTERM)
            status = self.process.wait(timeout=PATIENCE)
            self.process = None
            assert status == 0 or not self.IS_UNDER_TEST, "the daemon left with status %d:\n%s" % (status, self.log_text())

    def kill(self):
        """SIGKILL, as a crash would do. Guests live on."""
        os.kill(self.daemon_pid(), signal.SIGKILL)
        self.process.wait(timeout=PATIENCE)
        self.process = None

    def restart(self):
        self.stop()
        return self.start()

    def close(self):
        """Ends everything that was started and removes the root; trouble in the log is a failure."""
        try:
            self.stop()
        finally:
            if self.process is not None:
                self.kill()
            self.end_guests()
            text = self.log_text() if os.path.exists(self.log) else ""
            if not os.environ.get("NANOVIRT_TEST_KEEP"):
                shutil.rmtree(self.root, ignore_errors=True)
        trouble = [line for line in text.splitlines()
                   if any(report in line for report in REPORTS_OF_TROUBLE)]
        assert not (trouble and self.IS_UNDER_TEST), "the daemon's log reports trouble:\n" + "\n".join(trouble)


class Nanovirtd(Peer):
    """nanovirtd with --root, which needs no preparation at all."""

    known_guests = []  # an ended one tells no more whose it was

    def command(self, *arguments):
        return [*WRAPPER, BINARY, "--root", self.root, *arguments]

    def daemon_pid(self):
        return self.process.pid

    def guest_pids(self):
        """Every QEMU of this peer: children of the daemon, or of this process once it died."""
        table = process_table()
        self.known_guests = [pid for pid in descendants_of(os.getpid())
                             if table.get(pid, (0, "", ""))[2].startswith("qemu-")
                             and self.belongs(pid)]
        return self.known_guests

    def belongs(self, pid):
        """A guest's home is a directory below the root, even if its arguments name none."""
        try:
            with open("/proc/%d/environ" % pid) as environment:
                return self.root in environment.read() or pid in self.known_guests
        except OSError:
            return pid in self.known_guests

    def end_guests(self):
        for pid in self.guest_pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.reap()

    def reap(self):
        """Collects orphans that ended, and only those: the daemon is not one of them."""
        for pid in children_of(os.getpid()):
            if self.process is None or pid != self.process.pid:
                row = process_table().get(pid)
                if row is not None and row[2].startswith("qemu-") and row[1] == "Z":
                    os.waitpid(pid, os.WNOHANG)


class Libvirtd(Peer):
    """Debian's libvirtd in namespaces of its own, with virtlogd, on directories under the root.

    The mount namespace puts the root's directories where libvirtd has compiled its paths in; the
    process namespace ends all that was started when its first process ends, which is when this one
    does; the network namespace keeps its firewall rules away from this machine. The account
    libvirt-qemu, without which libvirtd does not start, is there even where no package made one.
    """

    # libvirtd 9 can crash when it is told to leave while it takes up guests.
    IS_UNDER_TEST = False
    WORLD = r"""
set -e
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/lock
mkdir "$1/cgroup"
if [ -d /sys/fs/cgroup ]; then mount --rbind /sys/fs/cgroup "$1/cgroup"; fi
mount -t sysfs sys /sys
if [ -d /sys/fs/cgroup ]; then
    mount --rbind "$1/cgroup" /sys/fs/cgroup
    umount -R -l "$1/cgroup"
fi
for directory in etc/libvirt run/libvirt var/lib/libvirt var/log/libvirt var/cache/libvirt; do
    mkdir -p /$directory
    mount --bind "$1/$directory" /$directory
done
for table in passwd group; do
    cp /etc/$table "$1/$table"
    grep -q '^libvirt-qemu:' "$1/$table" || case $table in
    passwd) echo 'libvirt-qemu:x:64055:64055::/nonexistent:/usr/sbin/nologin' >> "$1/$table" ;;
    group) echo 'libvirt-qemu:x:64055:' >> "$1/$table" ;;
    esac
    mount --bind "$1/$table" /etc/$table
done
ip link set lo up 2> /dev/null || true
touch "$1/ready"
exec 3<&0
cat <&3 > /dev/null &
reader=$!
while kill -0 $reader 2> /dev/null; do sleep 1 & wait $!; done
"""

    def __init__(self):
        super().__init__()
        cache = os.path.join(TOP, "build", "libvirtd-cache")
        os.makedirs(cache, exist_ok=True)
        shutil.copytree(cache, self.path("var/cache/libvirt"), dirs_exist_ok=True)
        self.cache = cache
        self.configuration = {"auth_unix_rw": '"none"', "auth_unix_ro": '"none"',
                              "unix_sock_ro_perms": '"0777"', "unix_sock_rw_perms": '"0777"',
                              "log_outputs": '"3:stderr"'}
        self.write_qemu_conf()
        self.world = subprocess.Popen(
            ["unshare", "-m", "-n", "-p", "-f", "--mount-proc", "sh", "-c", self.WORLD, "world",
             self.root], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
        wait_until(lambda: os.path.exists(self.path("ready")), "the namespaces of libvirtd")
        self.first_process = children_of(self.world.pid)[0]
        self.logger = subprocess.Popen(self.inside("virtlogd"), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: os.path.exists(self.path("run/libvirt/virtlogd-sock")), "virtlogd")

    def inside(self, *command):
        return ["nsenter", "-t", str(self.first_process), "-m", "-n", "-p", *command]

    def command(self, *arguments):
        return self.inside("libvirtd", *arguments)

    def daemon_pid(self):
        return children_of(self.process.pid)[0]

    def guest_pids(self):
        table = process_table()
        return [pid for pid in descendants_of(self.first_process)
                if pid in table and table[pid][2].startswith("qemu-")]

    def reap(self):
        """The first process of the world does it."""

    def end_guests(self):
        shutil.copytree(self.path("var/cache/libvirt"), self.cache, dirs_exist_ok=True)
        os.kill(self.first_process, signal.SIGKILL)
        self.world.wait()
        self.logger.wait()


def make_peer():
    return Libvirtd() if IS_LIBVIRTD else Nanovirtd()
