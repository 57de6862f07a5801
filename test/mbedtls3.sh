#!/bin/sh
# mbedtls3.sh DIR: mbedTLS 3.6 of Debian 13, unpacked into DIR beside the system's own, to build and
# test with. Nothing is installed: apt reads Debian 13's lists into DIR, and nowhere else.
set -eu

directory=$1
[ -e "$directory/usr/include/mbedtls/ssl.h" ] && exit 0
mkdir -p "$directory/apt/parts" "$directory/apt/lists/partial" "$directory/apt/cache/archives/partial"
apt=$(cd "$directory/apt" && pwd)

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/*$' ||
    echo http://deb.debian.org/debian)
cat > "$apt/parts/trixie.sources" << EOF
Types: deb
URIs: $mirror
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
EOF

fetch() {
    apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$apt/parts" \
        -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User= \
        -o Debug::NoLocking=1 "$@" > "$apt/log" 2>&1 || { cat "$apt/log" >&2; exit 1; }
}

fetch update
cd "$apt"
fetch download libmbedtls-dev libmbedtls21 libmbedx509-7 libmbedcrypto16
for package in ./*.deb; do
    dpkg -x "$package" unpacked
done
mv unpacked/usr "../usr"
rm -rf "$apt"
