#!/bin/sh
# mbedtls-static.sh SOURCE DIRECTORY: builds mbedTLS 2.28, as it is unpacked in SOURCE, with
# configs/mbedtls.h for a static nanovirtd: into DIRECTORY/include and DIRECTORY/lib, which is what
# `make MBEDTLS=DIRECTORY` wants. CC is the compiler; SOURCE is not written to.
set -eu
top=$(dirname "$0")/..
source=$1 to=$2
if ! grep -q 'MBEDTLS_VERSION_STRING  *"2\.28' "$source/include/mbedtls/version.h"; then
    echo "$source: not mbedTLS 2.28" >&2
    exit 1
fi
rm -rf "$to"
mkdir -p "$to/work" "$to/lib"
cp -R "$source/include" "$source/library" "$source/3rdparty" "$to/work"
cp "$top/configs/mbedtls.h" "$to/work/include/mbedtls/config.h"
find "$to/work" -name '*.[oa]' -exec rm -f {} +
make -s -C "$to/work/library" CC="${CC:-cc}" AR="${AR:-ar}" \
    CFLAGS='-Oz -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables' \
    libmbedcrypto.a libmbedx509.a libmbedtls.a
mv "$to/work/include" "$to"
mv "$to/work/library"/*.a "$to/lib"
rm -rf "$to/work"
