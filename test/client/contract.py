"""The contract as the tests read it: procedures, their permissions, and messages for them.

A reader of proto/*.x of its own, so that what xdrgen makes of these files is not taken on trust.
"""

import os
import re

import peer as peers
import wire

PROTO = os.path.join(peers.TOP, "proto")
DECLARATION = re.compile(r"(?P<type>(?:unsigned )?\w+) ?(?P<star>\*)? ?(?P<name>\w+)"
                         r"(?P<extent><\w*>|\[\w+\])?;")
PROCEDURE = re.compile(r"(?P<notes>(?:@\w+(?:\([^)]*\))?\s*)+)(?P<result>\w+)\s+"
                       r"(?P<name>\w+_PROC_\w+)\s*\(\s*(?P<args>\w+)\s*\)\s*=\s*(?P<number>\d+);")
NUMBERS = {"int": 4, "unsigned int": 4, "char": 4, "unsigned char": 4, "unsigned short": 4,
           "hyper": 8, "unsigned hyper": 8, "double": 8}


class Procedure:
    """One call, with what the annotations in front of it say."""

    def __init__(self, match):
        self.name = match["name"].split("_PROC_")[1]
        self.number = int(match["number"])
        self.args = match["args"]
        self.notes = re.findall(r"@(\w+)(?:\(([^)]*)\))?", match["notes"])

    def has(self, note):
        return any(name == note for name, _ in self.notes)

    def rules(self, kind):
        """(what, argument, test, value's names) of each annotation of that kind."""
        for name, text in self.notes:
            if name == kind and text != "none":
                words = re.fullmatch(r"([\w.]+)(?:\s+if\s+(\w+)\s+(\w+)\s+(.*))?|(\w+)\s+(\w+)\s+(.*)",
                                     " ".join(text.split()))
                if words[1]:
                    yield words[1], words[2], words[3], words[4]
                else:
                    yield None, words[5], words[6], words[7]

    def __repr__(self):
        return self.name


class Contract:
    """The program of the last of some proto/NAME.x, with the types of all of them."""

    def __init__(self, *names):
        texts = [self.read(name) for name in names]
        text = "".join(texts)
        self.values = {name: int(value, 0) for name, value in
                       re.findall(r"\b([A-Z]\w*) = (-?(?:0x[0-9a-fA-F]+|\d+))\b", text)}
        self.structs = {name: [m.groupdict() for m in DECLARATION.finditer(body)] for name, body in
                        re.findall(r"struct (\w+) \{(.*?)\}", text, re.S)}
        self.unions = set(re.findall(r"union (\w+)", text))
        self.aliases = {m["name"]: m.groupdict() for m in
                        (DECLARATION.match(d) for d in re.findall(r"typedef ([^;]*;)", text)) if m}
        self.enums = set(re.findall(r"enum (\w+)", text))
        self.number_of_program = wire.REMOTE if names[-1] == "remote" else wire.QEMU
        procedures = [Procedure(m) for m in PROCEDURE.finditer(texts[-1])]
        self.calls = [call for call in procedures if not call.has("event")]

    @staticmethod
    def read(name):
        with open(os.path.join(PROTO, name + ".x")) as stream:
            return re.sub(r"//[^\n]*", "", stream.read())

    # ---- rules

    def number(self, names):
        total = 0
        for name in names.split("|"):
            total |= self.values[name.strip()]
        return total

    def applies(self, rule, arguments):
        _, argument, test, names = rule
        if argument is None:
            return True
        value, bits = arguments.get(argument, 0), self.number(names)
        return {"has": value & bits == bits, "any": value & bits != 0,
                "lacks": value & bits == 0, "is": value == bits}[test]

    def needs(self, call, arguments):
        """The permissions that the call needs when its integer arguments are these."""
        return sorted({rule[0] for rule in call.rules("acl") if self.applies(rule, arguments)})

    def is_for_reading(self, call, arguments):
        return call.has("readonly") and not any(
            self.applies(rule, arguments) for kind in ("readwrite", "secure")
            for rule in call.rules(kind))

    def variants(self, call):
        """Arguments that make each of the call's conditions hold, and none."""
        seen = [{}]
        for kind in ("acl", "readwrite", "secure"):
            for _, argument, _, names in call.rules(kind):
                if argument and {argument: self.number(names)} not in seen:
                    seen.append({argument: self.number(names)})
        return seen

    # ---- messages

    def encode(self, call, known, arguments):
        """The call's arguments: `known` gives objects and texts, all else is zero or empty."""
        if call.args == "void":
            return b""
        return b"".join(self.member(call, field, known, arguments)
                        for field in self.structs[call.args])

    def member(self, call, field, known, arguments):
        value = known(call, field)
        if value is not None:
            return value
        if field["name"] in arguments and field["type"] in NUMBERS:
            return wire.uint(arguments[field["name"]])
        return self.empty(field)

    def empty(self, field):
        kind, extent = field["type"], field["extent"] or ""
        if field["star"] or extent.startswith("<"):
            return wire.uint(0)
        if kind == "opaque":
            size = extent[1:-1]
            return bytes(int(size) if size.isdigit() else self.values[size])
        one = self.empty_type(kind)
        if extent:
            size = extent[1:-1]
            return one * (int(size) if size.isdigit() else self.values[size])
        return one

    def empty_type(self, kind):
        if kind in NUMBERS:
            return bytes(NUMBERS[kind])
        if kind in self.enums:
            return bytes(4)
        if kind in self.aliases:
            return self.empty(self.aliases[kind])
        if kind in self.unions:
            return wire.uint(1) + wire.uint(0)
        return b"".join(self.empty(field) for field in self.structs[kind])
