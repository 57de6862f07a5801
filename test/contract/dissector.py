"""Compares the contract with the libvirt dissector of tshark, an independent description of it.

DIRECTORY/packets makes a capture with random values for every procedure, and a listing of what our
tables say is in it. For each procedure, the dissector must show the same number, name, argument and
result structs, and in them the same members in the same order, of the same types, with the same
values. Procedures that the dissector is too old to know are listed and skipped; it does not know
the admin program at all.
"""

import re
import shutil
import subprocess
import xml.etree.ElementTree

# The dissector's type for each of ours. Lists and structs are containers.
FIELD_TYPES = {
    "int": "FT_INT32",
    "uint": "FT_UINT32",
    "hyper": "FT_INT64",
    "uhyper": "FT_UINT64",
    "double": "FT_DOUBLE",
    "char": "FT_INT8",
    "uchar": "FT_UINT8",
    "ushort": "FT_UINT16",
    "string": "FT_STRING",
    "opaque": "FT_BYTES",
    "bytes": "FT_BYTES",
    "struct": "FT_NONE",
    "list": "FT_NONE",
}

MESSAGE_KINDS = {0: "arguments", 1: "result", 2: "message", 6: "stream hole"}

# What the dissector calls the structs that are not in a program block.
FRAMING = {"message_error": "remote_error", "message_stream_hole": "stream_hole"}

# The dissector shows how many elements a list of enums has, but not the elements.
ENUM_LISTS = {"remote_auth_list_ret": "types"}


def read_procedures(paths):
    """(program, number) -> (name, struct of the arguments, struct of the result)"""
    procedures = {}
    for path in paths:
        program = re.search(r"(\w+)\.x$", path).group(1)
        with open(path, encoding="ascii") as stream:
            text = re.sub(r"//.*", "", stream.read())
        pattern = r"(\w+)\s+\w+?_PROC_(\w+)\s*\((\w+)\)\s*=\s*(\d+);"
        for result, name, arguments, number in re.findall(pattern, text):
            procedures[program, int(number)] = (name, arguments, result)
    return procedures


def read_listing(path):
    """[(program, number, type, [(depth, name, kind, value)])]"""
    packets = []
    with open(path, encoding="ascii") as stream:
        for line in stream:
            if line.startswith("packet "):
                _, program, number, message_type = line.split()
                packets.append((program, int(number), int(message_type), []))
            else:
                depth, name, kind, value = (line.rstrip("\n") + " ").split(" ", 3)
                packets[-1][3].append((int(depth), name, kind, value.rstrip(" ")))
    return packets


def tshark(*arguments):
    run = subprocess.run(["tshark", *arguments], check=True, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    return run.stdout.decode("utf-8")


def read_field_types():
    types = {}
    for line in tshark("-G", "fields").splitlines():
        columns = line.split("\t")
        if columns[0] == "F" and columns[2].startswith("libvirt."):
            types[columns[2]] = columns[3]
    return types


def read_value(element):
    """What the dissector shows; of a list or array, how many elements it has; None when absent."""
    if element.get("showname").endswith("(null)"):
        return None
    count = re.search(r" :: \w+(?:<(\d+)>|\[(\d+)\])$", element.get("showname"))
    return count.group(1) or count.group(2) if count else element.get("show")


def flatten(element, depth, types):
    """The members below an element: [(depth, name, type, value)]"""
    members = []
    for child in element:
        full_name = child.get("name")
        members.append((depth, full_name.rsplit(".", 1)[1], types[full_name], read_value(child)))
        members += flatten(child, depth + 1, types)
    return members


def read_capture(path, types):
    """[(header: {name: showname}, struct, [(depth, name, type, value)])]"""
    packets = []
    for proto in xml.etree.ElementTree.fromstring(tshark("-r", path, "-T", "pdml")).iter("proto"):
        if proto.get("name") != "libvirt":
            continue
        header, struct, members = {}, None, []
        for field in proto:
            name = field.get("name").removeprefix("libvirt.")
            if len(header) < 7:
                header[name] = field.get("showname")
            else:
                struct, members = name, flatten(field, 0, types)
        packets.append((header, struct, members))
    return packets


def wire_form(value):
    """The dissector shows an opaque with its length and padding."""
    data = bytes.fromhex(value.replace(":", ""))
    return (len(data).to_bytes(4, "big") + data + bytes(-len(data) % 4)).hex(":")


def same_named_type(kind, value, their_type, their_value):
    """The dissector takes every member of the name "type" for an unsigned int. Texts of that name
    are absent or empty in the capture, which it then shows as 0."""
    if their_type != "FT_UINT32" or kind not in ("int", "uint", "char", "string", "absent"):
        return False
    return int(value or 0) % 2**32 == int(their_value)


def same_member(ours, theirs):
    depth, name, kind, value = ours
    their_depth, their_name, their_type, their_value = theirs
    if (depth, name) != (their_depth, their_name):
        return False
    if name == "type":
        return same_named_type(kind, value, their_type, their_value)
    if kind == "absent":
        return their_value is None
    if FIELD_TYPES[kind] != their_type:
        return False
    if kind == "opaque":
        value = wire_form(value)
    return value == (their_value or "")


def compare(ours, theirs, procedures):
    """None when the packets agree, else what is wrong."""
    program, number, message_type, members = ours
    header, struct, their_members = theirs
    name, arguments, result = procedures[program, number]
    if header["procedure"] != f"procedure: {name} ({number})":
        return f"the dissector says {header['procedure']}"
    if message_type == 6:
        wanted = FRAMING["message_stream_hole"]
    elif "ERROR" in header["status"]:
        wanted = FRAMING["message_error"]
    else:
        wanted = result if message_type == 1 else arguments
    if (struct or "void") != wanted:
        return f"ours is {wanted}, the dissector's {struct or 'void'}"
    if wanted in ENUM_LISTS:
        members = [member for member in members if member[1] != ENUM_LISTS[wanted] or not member[0]]
    for ours_, theirs_ in zip(members, their_members):
        if not same_member(ours_, theirs_):
            return f"{wanted}: ours is {ours_}, the dissector's {theirs_}"
    if len(members) != len(their_members):
        return f"{wanted}: ours has {len(members)} members, the dissector's {len(their_members)}"
    return None


def is_unknown(header, number):
    return re.fullmatch(r"procedure: (Unknown.*|%d)" % number, header["procedure"], re.I)


def run(directory, sources):
    """(passed, failed, skipped)"""
    if not shutil.which("tshark") or not read_field_types():
        print("FAILED: dissector: install the Debian packages tshark and libvirt-wireshark")
        return 0, 1, 0
    capture, listing = f"{directory}/packets.pcap", f"{directory}/packets.txt"
    subprocess.run([f"{directory}/packets", capture, listing], check=True)
    procedures = read_procedures(sources)
    ours, theirs = read_listing(listing), read_capture(capture, read_field_types())
    verdicts = {}
    for our_packet, their_packet in zip(ours, theirs, strict=True):
        program, number, message_type, _ = our_packet
        what = (program, number, procedures[program, number][0], MESSAGE_KINDS[message_type])
        if is_unknown(their_packet[0], number):
            verdicts[what] = "skipped"
        elif verdicts.get(what) is None:
            verdicts[what] = compare(our_packet, their_packet, procedures)
    failed = skipped = 0
    for (program, number, name, kind), verdict in verdicts.items():
        if verdict == "skipped":
            skipped += 1
            print(f"skipped: dissector: too old for {program} {number} {name}: {kind}")
        elif verdict:
            failed += 1
            print(f"FAILED: dissector: {program} {number} {name}: {kind}: {verdict}")
    return len(verdicts) - failed - skipped, failed, skipped
