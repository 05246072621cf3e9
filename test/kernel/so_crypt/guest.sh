#!/bin/sh
# In the lab: guest.sh MODULE PROGRAMS COMMAND…: loads so_crypt, runs the command, unloads, and fails when the kernel had anything to complain of.
module=$1 SO_CRYPT_BIN=$2
export SO_CRYPT_BIN
shift 2
ip link set lo up
for needed in $(modinfo -F depends "$module" | tr , ' ') aesni_intel pcrypt cryptd ccm gcm ctr cbc; do modprobe -q "$needed"; done
dmesg -C
sh test/kernel/leaks.sh begin
insmod "$module" $SO_CRYPT_PARAMETERS || exit 1
case "$*" in *paper*) for other in cryptodev copied; do insmod "${module%/so_crypt/*}/$other/$other.ko" || exit 1; done ;; esac
"$@"
status=$?
# A closed socket is TCP's until the peer has answered, and holds the module as long.
tries=0
until rmmod so_crypt 2>/dev/null; do
  [ -d /sys/module/so_crypt ] || break
  tries=$((tries + 1))
  [ $tries -lt 130 ] || break
  sleep 1
done
if [ -d /sys/module/so_crypt ]; then
  echo 'so_crypt is still in use' >&2
  status=1
fi
if ! sh test/kernel/leaks.sh end; then
  echo 'memory was lost' >&2
  status=1
fi
if dmesg | grep -vE 'kmemleak: Auto|VM_FAULT_OOM leaked' | grep -E 'BUG|WARNING|Oops|KASAN|UBSAN|lockdep|possible|Call Trace|leak|refcount|stall|hung|so_crypt: selftest failed'; then
  dmesg | tail -n 80
  echo 'the kernel complained' >&2
  status=1
fi
exit $status
