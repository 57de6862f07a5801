#!/bin/sh
# check-format.sh: every C file of the project is laid out as .clang-format says.
cd "$(dirname "$0")/.." || exit 2
find configs port proto src test -name '*.[ch]' | xargs clang-format --dry-run -Werror &&
    echo "1 passed, 0 failed"
