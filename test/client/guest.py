"""The guests of the tests: their XML, and a person at their console."""

import os
import re

import pexpect

import peer as peers

GUESTS = os.environ.get("NANOVIRT_GUESTS", os.path.join(peers.TOP, "build", "guest"))
CONSOLE_OF = {"x86_64": "ttyS0", "aarch64": "ttyAMA0"}
MACHINE_OF = {"x86_64": "q35", "aarch64": "virt"}
PROMPT = "guest# "


def domain_xml(name, arch="x86_64", machine=None, uuid=None, kernel=None, cpu="", devices="",
               memory=256, vcpus="<vcpu>1</vcpu>", arguments="", head="", lifecycle="", kind="qemu",
               features="<acpi/>", agent=True, emulator=True, os_extra="", clock=""):
    """A QEMU domain. kernel=True boots the test guest; without it the firmware finds nothing."""
    boot = ""
    if kernel:
        boot = "<kernel>%s/%s/vmlinuz</kernel><initrd>%s/%s/initrd.img</initrd><cmdline>%s</cmdline>" % (
            GUESTS, arch, GUESTS, arch,
            ("console=%s quiet panic=0 hostname=%s %s" % (CONSOLE_OF[arch], name, arguments)).strip())
    if arch == "aarch64" and not cpu:
        cpu = "<cpu mode='custom' match='exact'><model>cortex-a57</model></cpu>"
    channel = ("<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
               if agent else "")
    return """<domain type='%s'><name>%s</name>%s%s
<memory unit='MiB'>%d</memory>%s
<os><type arch='%s' machine='%s'>hvm</type>%s%s</os><features>%s</features>%s%s%s
<devices>%s<serial type='pty'/><console type='pty'/>%s<memballoon model='virtio'/>%s</devices>
</domain>""" % (kind, name, "<uuid>%s</uuid>" % uuid if uuid else "", head, memory, vcpus, arch,
                machine or MACHINE_OF[arch], boot, os_extra, features, cpu, clock, lifecycle,
                "<emulator>/usr/bin/qemu-system-%s</emulator>" % arch if emulator else "",
                channel, devices)


class Console:
    """A person at `virsh console`."""

    def __init__(self, virsh, name, *options):
        command = virsh.command("console", name, *options)
        environment = dict(os.environ, LC_ALL="C", TERM="dumb", HOME="/nonexistent")
        self.terminal = pexpect.spawn(command[0], command[1:], encoding="utf-8", env=environment,
                                      codec_errors="replace", timeout=peers.PATIENCE * 2, echo=False)

    def expect(self, *patterns):
        """Waits for one of the patterns and returns which; says what came instead if none does."""
        try:
            return self.terminal.expect(list(patterns))
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            raise AssertionError("no %r on the console, but %r" % (patterns, self.terminal.before)) \
                from error

    def connected(self):
        self.expect(r"Escape character is \^\] \(Ctrl \+ \]\)")
        return self

    def log_in(self):
        """Logs in as root from whatever the terminal shows."""
        self.terminal.send("\r")
        if self.expect("login: ", PROMPT) == 0:
            self.terminal.send("root\r")
            self.expect(PROMPT)
        return self

    def ask(self, command):
        """What a command typed at the guest's shell prints."""
        self.terminal.send("echo '<'BEGIN; %s; echo 'END>'\r" % command)
        self.expect(r"<BEGIN\r+\n(.*?)END>\r")
        answer = self.terminal.match.group(1)
        self.expect(PROMPT)
        return re.sub(r"\r+\n", "\n", answer).strip()

    def type(self, text):
        self.terminal.send(text)

    def leave(self):
        """Ctrl-] ends virsh console."""
        self.terminal.send("\x1d")
        self.expect(pexpect.EOF)
        self.terminal.close()
        return self.terminal.exitstatus

    def drop(self):
        self.terminal.close(force=True)


def boot(virsh, xml, transient=False):
    """Defines and starts a guest and waits for its login prompt; returns its name."""
    name = re.search(r"<name>(.*?)</name>", xml).group(1)
    if transient:
        virsh("create", "/dev/stdin", stdin=xml)
    else:
        virsh("define", "/dev/stdin", stdin=xml)
        virsh("start", name)
    console = Console(virsh, name, "--force").connected()
    console.type("\r")
    console.expect("login: ")
    console.leave()
    return name


def remove(virsh, name):
    virsh.run("destroy", name)
    virsh.run("undefine", name, "--nvram")


def remove_all(connection):
    import libvirt
    for domain in connection.listAllDomains():
        if domain.isActive():
            domain.destroy()
        try:
            domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)
        except libvirt.libvirtError:
            pass


def agent_answers(virsh, name):
    """Waits until the guest agent of a booted guest has come up."""
    peers.wait_until(lambda: virsh.run("qemu-agent-command", name,
                                       '{"execute":"guest-ping"}').status == 0,
                     "an answer of the guest agent")
