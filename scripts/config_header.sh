#!/bin/sh
# Turns a .config (standard input) into the C header that the build includes (standard output). Of a
# symbol that is set twice the last counts.
set -eu
echo '/* Made from the configuration by scripts/config_header.sh. */'
sed -n -e 's/^\(CONFIG_[A-Z0-9_]*\)=y$/#define \1 1/p' \
       -e 's/^\(CONFIG_[A-Z0-9_]*\)=\([0-9][0-9]*\|0x[0-9a-fA-F]*\|".*"\)$/#define \1 \2/p' |
    awk '{ line[$2] = $0 } END { for (symbol in line) print line[symbol] }' | sort
