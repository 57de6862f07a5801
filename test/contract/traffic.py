#!/usr/bin/python3
"""Records what virsh and virt-admin say to libvirtd, for test/contract/traffic.c to check.

    traffic.py DIRECTORY COMMANDS

Runs Debian's libvirtd as an ordinary user with its sockets in DIRECTORY, and between it and the
clients a relay that writes the messages of both directions down: DIRECTORY/remote.record and
DIRECTORY/admin.record. COMMANDS is a file of virsh commands for the test driver.
"""

import os
import select
import socket
import subprocess
import sys
import threading
import time

# What some of the commands read.
FILES = {
    "domain.xml": "<domain type='test'><name>one</name><memory>4096</memory>"
                  "<os><type>hvm</type></os></domain>",
    "domain2.xml": "<domain type='test'><name>two</name><memory>4096</memory>"
                   "<os><type>hvm</type></os></domain>",
    "disk.xml": "<disk type='file'><source file='/x'/><target dev='vdy'/></disk>",
    "net.xml": "<network><name>made</name></network>",
    "iface.xml": "<interface type='ethernet' name='eth7'/>",
    "secret.xml": "<secret><uuid>00000000-0000-0000-0000-000000000001</uuid></secret>",
    "nodedev.xml": "<device><parent>scsi_host11</parent><capability type='scsi_host'>"
                   "<capability type='fc_host'/></capability></device>",
}


class Relay:
    """Passes bytes on between a listening socket and another, and writes whole messages down."""

    def __init__(self, listen_path, connect_path, record_path):
        self.connect_path = connect_path
        self.record = open(record_path, "wb")
        self.lock = threading.Lock()
        self.busy = threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(listen_path)
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.connect_path)
            self.busy.set()
            threading.Thread(target=self.converse, args=(client, server), daemon=True).start()

    def converse(self, client, server):
        other = {client: server, server: client}
        pending = {client: b"", server: b""}
        while True:
            for ready in select.select([client, server], [], [])[0]:
                try:
                    data = ready.recv(65536)
                except ConnectionError:
                    data = b""
                if not data:
                    client.close()
                    server.close()
                    return
                other[ready].sendall(data)
                pending[ready] = self.write_down(pending[ready] + data)

    def write_down(self, data):
        while len(data) >= 4 and len(data) >= int.from_bytes(data[:4], "big"):
            length = int.from_bytes(data[:4], "big")
            with self.lock:
                self.record.write(data[:length])
            data = data[length:]
        return data


def wait_for(path):
    for _ in range(600):
        if os.path.exists(path):
            return
        time.sleep(0.05)
    raise TimeoutError(path)


def run_client(command, script=None):
    subprocess.run(command, stdin=script or subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=60, check=False)


def main():
    directory, commands = sys.argv[1:]
    environment = {
        "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
        "HOME": directory,
        "XDG_RUNTIME_DIR": directory,
        "XDG_CONFIG_HOME": directory,
        "XDG_CACHE_HOME": directory,
    }
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    for name, text in FILES.items():
        with open(name, "w", encoding="ascii") as stream:
            stream.write(text)
    with open("libvirtd.log", "wb") as log:
        daemon = subprocess.Popen(["libvirtd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_for("libvirt/libvirt-sock")
        wait_for("libvirt/libvirt-admin-sock")
        remote = Relay("remote-sock", "libvirt/libvirt-sock", "remote.record")
        admin = Relay("admin-sock", "libvirt/libvirt-admin-sock", "admin.record")
        uri = f"test+unix:///default?socket={directory}/remote-sock"
        watcher = subprocess.Popen(["virsh", "-c", uri, "event", "--all", "--loop"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        remote.busy.wait(60)  # so that the watcher is client 1, which virt-admin asks about
        with open(commands, "rb") as script:
            run_client(["virsh", "-c", uri], script)
        run_client(["virsh", "-c", uri, "-r", "domstats"])
        admin_uri = f"libvirtd+unix:///session?socket={directory}/admin-sock"
        for command in (
            ["version"],
            ["server-list"],
            ["server-threadpool-info", "libvirtd"],
            ["server-threadpool-set", "libvirtd", "--max-workers", "21"],
            ["server-clients-info", "libvirtd"],
            ["server-clients-set", "libvirtd", "--max-clients", "500"],
            ["server-update-tls", "libvirtd"],
            ["client-list", "libvirtd"],
            ["client-info", "libvirtd", "1"],
            ["client-disconnect", "libvirtd", "1"],
            ["daemon-log-filters"],
            ["daemon-log-filters", "3:remote 4:util.json"],
            ["daemon-log-outputs"],
            ["daemon-log-outputs", "4:stderr"],
            ["daemon-timeout", "--timeout", "100"],
        ):
            run_client(["virt-admin", "-c", admin_uri, *command])
        watcher.terminate()
        watcher.wait()
        for relay in (remote, admin):
            with relay.lock:
                relay.record.flush()
    finally:
        daemon.terminate()
        daemon.wait()


if __name__ == "__main__":
    main()
