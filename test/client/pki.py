"""Keys and certificates for the tests: made by nanovirt-pki, or by certtool from a description."""

import os
import subprocess

import peer as peers

SCRIPT = os.path.join(peers.TOP, "scripts", "nanovirt-pki")


def nanovirt_pki(root, *arguments):
    """Runs the script as a user would; returns what it says."""
    completed = subprocess.run(["sh", SCRIPT, "--root", root, *arguments], capture_output=True,
                               text=True)
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


class Pki:
    """What nanovirt-pki lays below a root."""

    def __init__(self, root):
        self.root = root

    def path(self, *parts):
        return os.path.join(self.root, "etc/pki", *parts)

    def make(self, *hosts, clients=("ann",)):
        nanovirt_pki(self.root, "ca", "test authority")
        nanovirt_pki(self.root, "server", *hosts)
        for client in clients:
            self.add_client(client)

    def add_client(self, name):
        nanovirt_pki(self.root, "client", name)
        return self.client(name)

    def client(self, name):
        return self.path("libvirt/clients", name)

    def revoke(self, name):
        nanovirt_pki(self.root, "revoke", name)
