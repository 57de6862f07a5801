#!/bin/sh
# build.sh ARCH DIR: the guest of the tests, from Debian packages: DIR/vmlinuz and DIR/initrd.img.
#
# ARCH is x86_64 or aarch64. The kernel is Debian's cloud kernel; the initrd holds busybox, the few
# kernel modules that a virtual machine needs and the real qemu-guest-agent with its libraries. The
# packages are downloaded with a private apt state and unpacked, never installed, so neither root nor a
# foreign architecture in dpkg is needed. A second run with the same script does nothing.
set -eu

arch=$1
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)

case $arch in
x86_64) deb=amd64 triplet=x86_64-linux-gnu loader=lib64/ld-linux-x86-64.so.2 ;;
aarch64) deb=arm64 triplet=aarch64-linux-gnu loader=lib/ld-linux-aarch64.so.1 ;;
*) echo "build.sh: no guest for $arch" >&2; exit 2 ;;
esac

# Two test runs may want the same guest at once: the second waits here, then finds it done.
exec 9>"$out/.lock"
flock 9
stamp=$(cat "$here"/* | cksum)
if [ -f "$out/stamp" ] && [ "$(cat "$out/stamp")" = "$stamp" ]; then
    exit 0
fi

work=$out/work
rm -rf "$work" "$out/stamp"
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/packages" "$work/root"
: > "$work/state/status"
cat > "$work/apt.conf" <<CONF
APT::Architecture "$deb";
APT::Architectures { "$deb"; };
APT::Sandbox::User "root";
APT::Update::Post-Invoke-Success "";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::State "$work/state";
Dir::State::status "$work/state/status";
Dir::Cache "$work/cache";
CONF
export APT_CONFIG="$work/apt.conf"

echo "guest $arch: downloading packages"
apt-get -q update > "$work/apt.log" 2>&1 || { cat "$work/apt.log" >&2; exit 1; }
kernel=$(apt-cache depends "linux-image-cloud-$deb" | awk '$1 == "Depends:" { print $2; exit }')
(cd "$work/packages" && apt-get -q download "$kernel" busybox-static qemu-guest-agent libc6 \
    libglib2.0-0 libnuma1 libudev1 liburing2 libpcre2-8-0) > "$work/apt.log" 2>&1 ||
    { cat "$work/apt.log" >&2; exit 1; }
for package in "$work"/packages/*.deb; do
    dpkg-deb -x "$package" "$work/unpacked"
done

echo "guest $arch: building the initrd"
version=$(basename "$work"/unpacked/boot/vmlinuz-*)
version=${version#vmlinuz-}
cp "$work/unpacked/boot/vmlinuz-$version" "$work/vmlinuz"

cd "$work/root"
mkdir -p bin sbin usr/sbin etc dev proc sys tmp run var/run var/log root "${loader%/*}" "lib/$triplet" \
    "lib/modules/$version"
cp "$work/unpacked/bin/busybox" bin/busybox

# The modules, and what they depend on, as modinfo names it. depmod makes the list that modprobe reads.
copy_module()
{
    found=$(find "$work/unpacked/lib/modules/$version" -name "$1.ko" -o \
        -name "$(echo "$1" | tr _ -).ko" | head -n 1)
    [ -n "$found" ] || return 0
    [ ! -e "lib/modules/$version/$(basename "$found")" ] || return 0
    cp "$found" "lib/modules/$version/"
    needs=$(tr '\0' '\n' < "$found" | sed -n 's/^depends=//p' | tr ',' ' ')
    for need in $needs; do
        copy_module "$need"
    done
}
for module in $(cat "$here/modules"); do
    copy_module "$module"
done
"$(command -v busybox || echo "$work/root/bin/busybox")" depmod -b "$work/root" "$version"

# The guest agent and its libraries.
cp "$work/unpacked/usr/sbin/qemu-ga" usr/sbin/
for library in libc.so.6 libm.so.6 libglib-2.0.so.0 libgmodule-2.0.so.0 libnuma.so.1 libudev.so.1 \
    liburing.so.2 libpcre2-8.so.0; do
    found=$(find "$work/unpacked/lib" "$work/unpacked/usr/lib" -name "$library" | head -n 1)
    cp -L "$found" "lib/$triplet/$library"
done
found=$(find "$work/unpacked/lib" -name "${loader##*/}" | head -n 1)
cp -L "$found" "$loader"

install -m 755 "$here/init" init
install -m 755 "$here/shutdown" sbin/shutdown
echo 'root::0:0:root:/root:/bin/sh' > etc/passwd
echo 'root:x:0:' > etc/group
echo 'NAME="nanovirt test guest"
ID=nanovirt
VERSION_ID=1' > etc/os-release
find . | LC_ALL=C sort | busybox cpio -o -H newc 2> /dev/null | gzip -6 -n > "$work/initrd.img"

mv "$work/vmlinuz" "$work/initrd.img" "$out/"
cd "$out"
rm -rf "$work"
echo "$stamp" > "$out/stamp"
ls -l "$out/vmlinuz" "$out/initrd.img"
