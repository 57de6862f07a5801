#!/bin/sh
# packages.sh build|run|test|bench|fuzz ...: makes sure of the Debian packages that those steps need.
#
# As root it installs the missing ones; otherwise it names them in a command to copy, and fails. The
# tests compare with libvirtd, so they need its binary; libvirt-daemon-system, which would start services
# and make networks and users on this machine, is not asked for. For the same reason openssh-server is
# not installed: its program is unpacked into build/unpacked where it is not there. avahi-daemon is
# installed without being started, since the tests run it in a network namespace.
set -eu

build="gcc libc6-dev make libmbedtls-dev"
run="libvirt-clients qemu-utils ipxe-qemu busybox-static"
case $(dpkg --print-architecture) in
arm64) run="$run qemu-system-arm qemu-efi-aarch64" ;;
*) run="$run qemu-system-x86 seabios ovmf" ;;
esac
test="libcmocka-dev python3-pytest python3-pexpect python3-libvirt libvirt-daemon
    libvirt-daemon-driver-qemu qemu-system-x86 qemu-system-arm qemu-efi-aarch64 ovmf valgrind procps
    tshark libvirt-wireshark openssh-client libwrap0
    dropbear-bin netcat-openbsd libsasl2-modules gnutls-bin openssl
    avahi-daemon avahi-utils dbus-daemon iproute2 systemd shellcheck clang-format"
bench="musl-tools strace linux-libc-dev"
fuzz="clang llvm libclang-rt-14-dev"

wanted=
for step in "$@"; do
    case $step in
    build) wanted="$wanted $build" ;;
    run) wanted="$wanted $run" ;;
    test) wanted="$wanted $test" ;;
    bench) wanted="$wanted $bench" ;;
    fuzz) wanted="$wanted $fuzz" ;;
    *) echo "packages.sh: no such step: $step" >&2; exit 2 ;;
    esac
done

unpack_sshd() {
    [ -x /usr/sbin/sshd ] || [ -x build/unpacked/usr/sbin/sshd ] && return
    mkdir -p build/unpacked
    (cd build/unpacked && { { [ "$(id -u)" -ne 0 ] || apt-get -q update; } &&
        apt-get -q download openssh-server; } > log 2>&1 || { cat log >&2; exit 1; })
    dpkg-deb -x build/unpacked/openssh-server_*.deb build/unpacked
}

missing=
for package in $(printf '%s\n' $wanted | sort -u); do
    case $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2> /dev/null) in
    ?i*) ;;
    *) missing="$missing $package" ;;
    esac
done
if [ -z "$missing" ]; then
    case " $* " in *" test "*) unpack_sshd ;; esac
    exit 0
fi

if [ "$(id -u)" -ne 0 ]; then
    echo "These Debian packages are missing. Install them with:" >&2
    echo "    sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
fi

echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
policy=/usr/sbin/policy-rc.d # invoke-rc.d(8): whether packages may start services
if [ -e "$policy" ]; then
    trap 'rm -f "$log"' EXIT
else
    trap 'rm -f "$log" "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
fi
apt-get -q update > "$log" 2>&1 || { cat "$log" >&2; exit 1; }
apt-get -q -y --no-install-recommends install $missing > "$log" 2>&1 || { cat "$log" >&2; exit 1; }
case " $* " in *" test "*) unpack_sshd ;; esac
