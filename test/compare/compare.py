#!/usr/bin/python3
"""The same virsh script against libvirtd and against nanovirtd, line by line.

compare.py [--record | --against FILE] [--section NAME]

The script (script.txt beside this file) is run with the machine's own virsh on a libvirtd and on a
nanovirtd, each on a private root. What legitimately differs per run (paths, process ids, pty numbers,
times) is normalised in both. What else differs must be listed in known-differences with its reason.
Every command is one test; the last line is N passed, N failed.

Where libvirtd can not run (not root, or not installed), its recorded output is used instead:
recorded.txt, which --record writes. Commands whose output is a fact of the machine are left out then.
"""

import argparse
import collections
import concurrent.futures
import difflib
import os
import re
import shlex
import shutil
import subprocess
import sys

import libvirt

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "test", "client"))

import peer as peers  # noqa: E402

GUESTS = os.environ.get("NANOVIRT_GUESTS", os.path.join(TOP, "build", "guest"))
RECORDED = os.path.join(HERE, "recorded.txt")

Command = collections.namedtuple("Command", "section text connection shell host")
Known = collections.namedtuple("Known", "command first last reason")


def read_script(only):
    """script.txt: # comment; == section connection; ! shell command; ~ host-dependent; else virsh, or
    for the connection admin virt-admin."""
    commands = []
    section = connection = ""
    with open(os.path.join(HERE, "script.txt")) as script:
        for line in script:
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            if line.startswith("=="):
                section, connection = line[2:].split()
                continue
            if only and section not in (only, "files"):
                continue
            host = line.startswith("~")
            text = line.lstrip("~ ")
            shell = text.startswith("!")
            commands.append(Command(section, text.lstrip("! "), connection, shell, host))
    return commands


def read_known_differences():
    """known-differences: paragraphs of `# reason` lines, then lines `command regex :: lines`, where lines
    is a regex of a line, `regex .. regex` of the first and last of many, or @unordered."""
    known, reason = [], []
    with open(os.path.join(HERE, "known-differences")) as text:
        for line in text:
            line = line.rstrip("\n")
            if line.startswith("#"):
                reason.append(line[1:].strip())
            elif not line.strip():
                reason = []
            else:
                command, pattern = line.split(" :: ", 1)
                assert reason, "a known difference without a reason: " + line
                first, _, last = pattern.partition(" .. ")
                known.append(Known(re.compile(command.strip()), re.compile(first.strip()),
                                   re.compile(last.strip()) if last else None, " ".join(reason)))
    return known


NORMALISED = [
    (r"@ROOT@(?=/(?:etc|run|var/(?:lib|log|cache))/libvirt)", ""),  # compiled in, or below --root
    (r"port='59\d\d' autoport='yes'", "port='N' autoport='yes'"),
    (r"libvirt-\d+(?=\")", "libvirt-N"),  # the serial number of a command to the monitor
    (r"(?<=    <uuid>)[0-9a-f-]{36}(?=</uuid>)", "HOST-UUID"),
    (r"/dev/pts/\d+", "/dev/pts/N"),
    (r"(CPU time:\s+)[0-9.]+s", r"\1T"),
    (r"(\bcpu\.(?:time|user|system)=)\d+", r"\1T"),  # 0 before the kernel has counted any
    (r"((?:cpu|user|system|vcpu\.\d+)\.?(?:time|wait|delay|total|_time)?[= ]\s*)\d{4,}", r"\1T"),
    (r"(rss|last_update|minor_fault|major_fault|unused|available|usable|disk_caches) \d+", r"\1 N"),
    (r"(balloon\.(?:rss|last-update|major_fault|minor_fault)=)\d+", r"\1N"),
    (r"\b20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+0000)?", "TIME"),
    (r"(block\.\d+\.(?:rd|wr|fl)\.(?:times|reqs|bytes)=)\d+", r"\1N"),
]


def normalise(text, root):
    text = text.replace(root, "@ROOT@").replace(GUESTS, "@GUESTS@").replace(HERE, "@HERE@")
    for pattern, replacement in NORMALISED:
        text = re.sub(pattern, replacement, text)
    return [line.rstrip() for line in text.rstrip().split("\n")]


def prepare(root):
    """The XML files of the script, with the places of this run put in."""
    files = os.path.join(root, "xml")
    os.makedirs(files)
    for name in os.listdir(os.path.join(HERE, "xml")):
        with open(os.path.join(HERE, "xml", name)) as source:
            text = source.read().replace("@ROOT@", root).replace("@GUESTS@", GUESTS)
        with open(os.path.join(files, name), "w") as target:
            target.write(text)


def run_one(command, peer):
    text = command.text.replace("@ROOT@", peer.root)
    if command.shell:
        arguments = ["sh", "-c", text]
    elif command.connection == "admin":
        arguments = ["virt-admin", "-q", "-c", peer.admin_uri()] + shlex.split(text)
    else:
        arguments = ["virsh", "-q", "-c", peer.uri(command.connection)] + shlex.split(text)
    completed = subprocess.run(arguments, cwd=os.path.join(peer.root, "xml"), text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, errors="replace",
                               stderr=subprocess.STDOUT, timeout=120,
                               env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
                                    "HOME": "/nonexistent", "TERM": "dumb"})
    return ["exit %d" % completed.returncode] + normalise(completed.stdout, peer.root)


def run_script(commands, peer):
    """The output of every command, on a daemon of its own.

    A connection of the section's kind is open all the time: the test driver forgets its domains with
    the last one. The sections named alone and admin do without.
    """
    outputs, held, section = [], None, None
    try:
        peer.write_qemu_conf()
        peer.start()
        prepare(peer.root)
        for command in commands:
            if command.section != section:
                section = command.section
                if held:
                    held.close()
                held = None if section in ("alone", "admin") else \
                    libvirt.open(peer.uri(command.connection))
            outputs.append(run_one(command, peer))
            if peer.process.poll() is not None:
                raise AssertionError("the daemon ended in: virsh %s\n%s" % (command.text,
                                                                            peer.log_text()))
        return outputs
    finally:
        if held:
            held.close()
        peer.close()


def libvirtd_can_run():
    return os.geteuid() == 0 and shutil.which("libvirtd") and shutil.which("unshare") and \
        subprocess.run(["unshare", "-m", "-n", "-p", "-f", "--mount-proc", "true"],
                       stderr=subprocess.DEVNULL).returncode == 0


def write_recording(commands, outputs):
    with open(RECORDED, "w") as recording:
        for command, lines in zip(commands, outputs):
            if not command.host:
                recording.write("$ %s: %s\n" % (command.section, command.text))
                recording.writelines("  " + line + "\n" for line in lines)


def read_recording(commands):
    outputs = {}
    with open(RECORDED) as recording:
        for line in recording:
            if line.startswith("$ "):
                outputs.setdefault(line[2:].rstrip("\n"), []).append([])
                current = outputs[line[2:].rstrip("\n")][-1]
            else:
                current.append(line[2:].rstrip("\n"))
    return [outputs["%s: %s" % (command.section, command.text)].pop(0) for command in commands]


def without_known(command, lines, known, used):
    """The lines that no known difference of the command explains. A pattern `A .. B` covers the lines
    from one that matches A to the next that matches B."""
    until = None
    for line in lines:
        if until:
            until = None if until.search(line) else until
            continue
        entry = next((entry for entry in known if entry.command.search(command.text)
                      and entry.first.search(line)), None)
        if entry is None:
            yield line
            continue
        used.add(entry)
        if entry.last and not entry.last.search(line):
            until = entry.last


def without_partition(outputs):
    """Where guests are put is a fact of the machine: of its control groups, and of who runs the daemon."""
    partition = "  <resource>\n    <partition>/machine</partition>\n  </resource>\n"
    return [("\n".join(lines) + "\n").replace(partition, "")[:-1].split("\n") for lines in outputs]


def differences(command, theirs, ours, known, used):
    """A unified diff of what no known difference explains."""
    if theirs == ours:
        return []
    theirs = list(without_known(command, theirs, known, used))
    ours = list(without_known(command, ours, known, used))
    for entry in known:
        if entry.first.pattern == "@unordered" and entry.command.search(command.text) and \
                sorted(theirs) == sorted(ours):
            used.add(entry)
            return []
    return list(difflib.unified_diff(theirs, ours, "libvirtd", "nanovirtd", lineterm="", n=2))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--record", action="store_true", help="write libvirtd's output and leave")
    parser.add_argument("--recorded", action="store_true", help="use the recording, not a libvirtd")
    parser.add_argument("--section")
    parser.add_argument("--self", action="store_true", help="libvirtd against itself, twice")
    options = parser.parse_args()
    os.environ["TZ"] = "XST-3"  # of both daemons: a host whose clock is not at UTC
    commands = read_script(options.section)
    known = read_known_differences()

    if options.record:
        write_recording(commands, run_script(commands, peers.Libvirtd()))
        return 0
    live = not options.recorded and libvirtd_can_run()
    if not live:
        print("compared with recorded.txt, not with a running libvirtd")
        commands = [command for command in commands if not command.host]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        theirs = pool.submit(run_script, commands, peers.Libvirtd()) if live else None
        ours = pool.submit(run_script, commands,
                           peers.Libvirtd() if options.self else peers.Nanovirtd())
        theirs = theirs.result() if live else read_recording(commands)
        ours = ours.result()
    if not live:
        theirs, ours = without_partition(theirs), without_partition(ours)

    failed = 0
    used = set()
    for command, their, our in zip(commands, theirs, ours):
        diff = differences(command, their, our, known, used)
        if diff:
            failed += 1
            print("\n%s: %s" % (command.section, command.text))
            print("\n".join("    " + line for line in diff[2:]))
    for entry in known:
        if entry not in used and not options.section:
            print("known difference that did not show: %s :: %s" % (entry.command.pattern,
                                                                    entry.first.pattern))
    print("%d passed, %d failed" % (len(commands) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
