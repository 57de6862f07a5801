#!/bin/sh
# size.sh BUILD: text, data and bss of every module and of the program, as size(1) counts them.
set -eu
build=$1
printf '%-20s %9s %9s %11s\n' module text data bss
find "$build/src" "$build/port/linux" "$build/gen" -name '*.o' | sort | while read -r object; do
    module=${object#"$build"/}
    size "$object" | awk -v m="$(dirname "$module")" 'NR == 2 { print m, $1, $2, $3 }'
done | awk '{ text[$1] += $2; data[$1] += $3; bss[$1] += $4 }
    END { for (m in text) printf "%-20s %9d %9d %11d\n", m, text[m], data[m], bss[m] }' | sort
cp "$build/nanovirtd" "$build/nanovirtd.stripped"
strip "$build/nanovirtd.stripped"
size "$build/nanovirtd" | awk 'NR == 2 { printf "%-20s %9d %9d %11d\n", "linked", $1, $2, $3 }'
printf '%-20s %9d bytes\n' "stripped file" "$(wc -c < "$build/nanovirtd.stripped")"
