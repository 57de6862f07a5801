"""xdrgen refuses what it can not turn into tables, with the file and the line of it."""

import subprocess
import tempfile

PROGRAM = "program P { version V { %s } = 1; } = 5;"

# (text, what the refusal says)
REFUSALS = [
    ("struct a { int b }", '1: ; expected, not "}"'),
    ("struct a {\n    nothing b;\n};", "2: unknown type nothing"),
    ("struct a { int b; };\nstruct a { int b; };", "2: a is defined twice"),
    ("struct a { b c; };\nstruct b { a c; };", "holds itself"),
    ("struct a { string b<>; };", 'a limit expected, not ">"'),
    ("struct a { string b; };", "b has no limit"),
    ("struct a { unsigned string b<4>; };", "this form of string is not in use"),
    ("typedef int *a;\nstruct b { a c<4>; };", "lists of lists or of optional values"),
    (PROGRAM % "void P_PROC_A(void) = 1;", "a call needs @acl"),
    (PROGRAM % "@event @acl(domain.read) void P_PROC_A(void) = 1;", "an event has none"),
    (PROGRAM % "@acl(none) void P_PROC_A(missing) = 1;", "missing is not a struct"),
    (PROGRAM % "@acl(none) void P_PROC_A(void) = 0;", "P_PROC_A has no proper number"),
    (PROGRAM % "@acl(none) void P_PROC_A(void) = 2; @acl(none) void P_PROC_B(void) = 2;",
     "P_PROC_B is out of order"),
    (PROGRAM % "@often @acl(none) void P_PROC_A(void) = 1;", '( expected, not "@"'),
    (PROGRAM % "@often(x) @acl(none) void P_PROC_A(void) = 1;", "unknown annotation @often"),
    (PROGRAM % "@acl(domain.save if flags has UNKNOWN) void P_PROC_A(void) = 1;",
     "unknown value UNKNOWN"),
]


def run(xdrgen):
    """(passed, failed, skipped)"""
    failed = 0
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/bad.x"
        for text, reason in REFUSALS:
            with open(path, "w", encoding="ascii") as stream:
                stream.write(text)
            generator = subprocess.run([xdrgen, directory, path], stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, check=False)
            said = generator.stdout.decode("utf-8", "replace")
            if generator.returncode != 1 or not said.startswith(f"{path}:") or reason not in said:
                failed += 1
                print(f"FAILED: xdrgen: {text!r}: {said!r} ({generator.returncode})")
    return len(REFUSALS) - failed, failed, 0
