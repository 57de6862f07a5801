#!/usr/bin/env python3
"""Makes src/virt/node/cpu_x86_map.c: the names, bits and members of libvirt's x86 processor models.

    scripts/cpu_map.py LIBVIRT/src/cpu_map > src/virt/node/cpu_x86_map.c

Names, their order, bits and signatures are facts that clients see; they are taken from libvirt's own
description so that a model means the same here.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree

REGISTERS = ("eax", "ebx", "ecx", "edx")


def parse(directory, name):
    return ElementTree.parse(f"{directory}/{name}").getroot()


def number(text):
    return int(text or "0", 0)


def read_features(root):
    """Each feature is one bit of one register: (name, leaf, subleaf, register, bit, is_msr)."""
    features = []
    for feature in root:
        entries = [e for e in feature if e.tag in ("cpuid", "msr")]
        (entry,) = entries
        msr = entry.tag == "msr"
        (register,) = [r for r in REGISTERS if number(entry.get(r))]
        bit = number(entry.get(register)).bit_length() - 1
        assert number(entry.get(register)) == 1 << bit
        leaf = number(entry.get("index" if msr else "eax_in"))
        migratable = feature.get("migratable") != "no"
        features.append((feature.get("name"), (msr, leaf, number(entry.get("ecx_in")),
                                               REGISTERS.index(register)), bit, migratable))
    return features


def steppings(text):
    if not text:
        return 0xFFFF
    mask = 0
    for part in text.split(","):
        first, _, last = part.partition("-")
        for i in range(int(first), int(last or first) + 1):
            mask |= 1 << i
    return mask


def words(names, index, count):
    value = sum(1 << index[n] for n in names)
    return ", ".join(f"0x{value >> 64 * i & (1 << 64) - 1:x}" for i in range(count))


def main():
    directory = sys.argv[1]
    (x86,) = [a for a in parse(directory, "index.xml") if a.get("name") == "x86"]
    files = [i.get("filename") for i in x86]
    features = read_features(parse(directory, "x86_features.xml"))
    vendors = [(v.get("name"), v.get("string")) for v in parse(directory, "x86_vendors.xml")]
    models = [m for f in files if not re.search("vendors|features", f)
              for m in parse(directory, f)]
    index = {f[0]: i for i, f in enumerate(features)}
    registers = list(dict.fromkeys(f[1] for f in features))
    count = (len(features) + 63) // 64

    out = print
    out("// The x86 processor models and features: made by scripts/cpu_map.py from libvirt's description.")
    out('#include "virt/node/cpu_x86.h"\n')
    out("// clang-format off")
    out("const struct cpu_x86_register cpu_x86_registers[CPU_X86_REGISTERS] = {")
    for msr, leaf, sub, register in registers:
        out(f"    {{0x{leaf:x}, {sub}, {register}, {'true' if msr else 'false'}}},")
    out("};\n\nconst struct cpu_x86_feature cpu_x86_features[CPU_X86_FEATURES] = {")
    for name, register, bit, migratable in features:
        out(f'    {{"{name}", {registers.index(register)}, {bit}, '
            f"{'true' if migratable else 'false'}}},")
    out("};\n\nconst struct cpu_x86_vendor cpu_x86_vendors[CPU_X86_VENDORS] = {")
    for name, string in vendors:
        out(f'    {{"{name}", "{string}"}},')
    out("};\n")
    signatures = []
    rows = []
    for model in models:
        (decode,) = model.findall("decode")
        vendor = model.find("vendor")
        number_of = -1 if vendor is None else [v[0] for v in vendors].index(vendor.get("name"))
        own = [(int(s.get("family")), int(s.get("model")), steppings(s.get("stepping")))
               for s in model.findall("signature")]
        has = [f.get("name") for f in model.findall("feature") if f.get("removed") != "yes"]
        gone = [f.get("name") for f in model.findall("feature") if f.get("removed") == "yes"]
        flag = {"on": "true", "off": "false"}
        rows.append(f'    {{"{model.get("name")}", {number_of}, {flag[decode.get("host")]}, '
                    f'{flag[decode.get("guest")]}, {len(signatures)}, {len(own)},\n'
                    f"     {{{{{words(has, index, count)}}}}}, {{{{{words(gone, index, count)}}}}}}},")
        signatures += own
    out("const struct cpu_x86_signature cpu_x86_signatures[] = {")
    for family, model, mask in signatures:
        out(f"    {{{family}, {model}, 0x{mask:x}}},")
    out("};\n\nconst struct cpu_x86_model cpu_x86_models[CPU_X86_MODELS] = {")
    out("\n".join(rows))
    out("};\n// clang-format on")
    print(f"features {len(features)} registers {len(registers)} vendors {len(vendors)} "
          f"models {len(models)} longest {max(map(len, index))} "
          f"{max(len(m.get('name')) for m in models)}", file=sys.stderr)


main()
