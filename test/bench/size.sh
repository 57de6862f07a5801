#!/bin/sh
# size.sh NAME:BUDGET=BUILD...: for each profile text, data and bss of every module, as size(1) counts
# them, and then of the whole: with the size of the stripped file, and the budget for it, in bytes. A
# BUILD that is not there is said to be not measured.
set -eu

modules() {
    printf '\n%-24s %9s %9s %11s\n' "$1" text data bss
    for object in $(cd "$2" && find src port/linux gen -name '*.o'); do
        # What is left of a source that is gone is no part of the program.
        if [ -f "${object%.o}.c" ] || [ -f "$2/${object%.o}.c" ]; then
            size "$2/$object" | awk -v m="$(dirname "$object")" 'NR == 2 { print m, $1, $2, $3 }'
        fi
    done | awk '{ text[$1] += $2; data[$1] += $3; bss[$1] += $4 }
        END { for (m in text) printf "  %-22s %9d %9d %11d\n", m, text[m], data[m], bss[m] }' | sort
}

whole() {
    if [ ! -f "${3:-.}/nanovirtd" ]; then
        printf '%-24s %43s %11s\n' "$1" 'not measured' "$2"
        return
    fi
    strip -o "$3/nanovirtd.stripped" "$3/nanovirtd"
    size "$3/nanovirtd" | awk -v name="$1" -v file="$(wc -c < "$3/nanovirtd.stripped")" -v budget="$2" \
        'NR == 2 { printf "%-24s %9d %9d %11d %11d %11d\n", name, $1, $2, $3, file, budget }'
}

for profile; do
    name=${profile%%:*} build=${profile#*=}
    [ ! -f "${build:-.}/nanovirtd" ] || modules "$name" "$build"
done
printf '\n%-24s %9s %9s %11s %11s %11s\n' profile text data bss 'stripped' budget
for profile; do
    name=${profile%%:*} rest=${profile#*:}
    whole "$name" "${rest%%=*}" "${rest#*=}"
done
