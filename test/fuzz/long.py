#!/usr/bin/env python3
"""Makes long inputs out of short ones: what is cheap once and dear a thousand times.

long.py OUT [--size BYTES] FILE|DIRECTORY ...

In each XML document each element is repeated in its place until the document has the size, as it is
and with a number of its own in every value. Every other file is repeated line by line.
"""

import argparse
import copy
import glob
import os
import re
import xml.etree.ElementTree as ET


def letters(number):
    """a, b, ... z, aa: the end of a disk's name."""
    text = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, 26)
        text = chr(ord("a") + digit) + text
    return text


def numbered(element, number):
    """A copy that does not clash with its like."""
    element = copy.deepcopy(element)
    for part in element.iter():
        for key, value in part.attrib.items():
            if key == "dev" and re.fullmatch("[a-z]d[a-z]", value):
                part.set(key, value[:2] + letters(number))
            elif key == "address":
                part.set(key, "52:54:00:%02x:%02x:%02x" %
                         (number >> 16 & 255, number >> 8 & 255, number & 255))
            elif re.search("[0-9]$", value):
                part.set(key, re.sub("[0-9]+$", str(number), value))
            elif key in ("name", "file", "path", "alias"):
                part.set(key, value + str(number))
    return element


def kind(path, element):
    """What makes two elements the same to us."""
    return (path, element.get("type"), element.get("model"), element.get("device"),
            tuple(sorted(element.keys())))


def stretch(document, parent, element, size, copier):
    """The document with copies of an element in front of it."""
    room = size - len(ET.tostring(document))
    count = room // len(ET.tostring(copier(element, 1000)))
    place = list(parent).index(element)
    added = [copier(element, number) for number in range(count)]
    for one in added:
        parent.insert(place, one)
    text = ET.tostring(document)
    for one in added:
        parent.remove(one)
    return text


def long_documents(text, size, seen):
    try:
        document = ET.fromstring(text)
    except ET.ParseError:
        return
    paths = {document: document.tag}
    for parent in list(document.iter()):
        for element in list(parent):
            paths[element] = paths[parent] + "/" + element.tag
            if kind(paths[element], element) in seen:
                continue
            seen.add(kind(paths[element], element))
            yield stretch(document, parent, element, size, lambda one, _: copy.copy(one))
            yield stretch(document, parent, element, size, numbered)


def long_lines(text, size):
    for line in set(text.splitlines(keepends=True)):
        if line.strip():
            yield line * (size // len(line))


def files(paths):
    for path in paths:
        if os.path.isdir(path):
            yield from sorted(glob.glob(path + "/*"))
        else:
            yield path


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--size", type=int, default=65536)
    parser.add_argument("file", nargs="+")
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    seen = set()
    for path in files(options.file):
        with open(path, "rb") as source:
            text = source.read()
        if text.lstrip().startswith(b"<"):
            results = long_documents(text, options.size, seen)
        else:
            results = long_lines(text, options.size)
        for number, result in enumerate(results):
            name = "%s-%d" % (os.path.basename(path), number)
            with open(os.path.join(options.out, name), "wb") as out:
                out.write(result)


if __name__ == "__main__":
    main()
