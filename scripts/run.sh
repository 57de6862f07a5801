#!/bin/sh
# run.sh start|stop: a daemon of this build on a private socket, with a demo guest defined.
#
# Everything it writes is in .run/ at the top of the tree. Run as root it serves qemu:///system, otherwise
# qemu:///session.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
root=$top/.run
pid_file=$root/nanovirtd.pid
socket=$root/run/libvirt/libvirt-sock
case $(uname -m) in
aarch64) arch=aarch64 machine=virt console=ttyAMA0 ;;
*) arch=x86_64 machine=q35 console=ttyS0 ;;
esac
if [ "$(id -u)" -eq 0 ]; then path=system; else path=session; fi
uri="qemu:///$path?socket=$socket"

running() {
    virsh -q -c "$uri" uri > /dev/null 2>&1
}

stop() {
    running || return 0
    for guest in $(virsh -q -c "$uri" list --name); do
        virsh -q -c "$uri" destroy "$guest"
    done
    kill "$(cat "$pid_file")"
}

start() {
    if [ "${#socket}" -gt 100 ]; then
        echo "run.sh: the path of this tree is too long for a unix socket: $socket" >&2
        exit 1
    fi
    mkdir -p "$root/var/lib/libvirt/images"
    cp -u "$top/build/guest/$arch/vmlinuz" "$top/build/guest/$arch/initrd.img" \
        "$root/var/lib/libvirt/images/"
    running || "$top/build/nanovirtd" --root "$root" --pid-file "$pid_file" --daemon
    virsh -q -c "$uri" domuuid demo > /dev/null 2>&1 || define_demo
    cat <<TEXT

nanovirtd runs (pid $(cat "$pid_file")). A guest named "demo" is defined. Type:

    virsh -c '$uri' start demo --console

Log in as root, without a password; Ctrl-] leaves the console. \`make stop\` ends guest and daemon.
TEXT
}

define_demo() {
    images=$root/var/lib/libvirt/images
    virsh -q -c "$uri" define /dev/stdin <<XML
<domain type='qemu'>
  <name>demo</name>
  <memory unit='MiB'>256</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='$arch' machine='$machine'>hvm</type>
    <kernel>$images/vmlinuz</kernel>
    <initrd>$images/initrd.img</initrd>
    <cmdline>console=$console quiet hostname=demo</cmdline>
  </os>
  <features><acpi/></features>
  <devices>
    <console type='pty'/>
    <interface type='user'><model type='virtio'/></interface>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
  </devices>
</domain>
XML
}

case ${1:-} in
start) start ;;
stop) stop ;;
*) echo "usage: run.sh start|stop" >&2; exit 2 ;;
esac
