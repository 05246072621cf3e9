#!/bin/busybox sh
# The guest's first process: makes this machine's files its root, writable in memory only, and goes on with run.sh there.
# Whatever fails ends it, and that is a kernel panic.
set -e
# This shell's built-in tools run by way of /proc, which is not there yet and moves below: links to them do without.
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in /modules/*; do [ ! -e "$module" ] || insmod "$module"; done

share='trans=virtio,version=9p2000.L,msize=512000'
mkdir -p /lower /writes /new
mount -t 9p -o "$share,cache=loose,ro" root /lower
mount -t tmpfs writes /writes
mkdir /writes/upper /writes/work
mount -t overlay -o lowerdir=/lower,upperdir=/writes/upper,workdir=/writes/work root /new

mount --move /proc /new/proc
mount --move /sys /new/sys
mount --move /dev /new/dev
# This machine's own /run is about this machine.
mount -t tmpfs run /new/run
mkdir -p /new/run/lab/job /new/run/lab/bin
mount -t 9p -o "$share,ro" job /new/run/lab/job
if [ -e /new/run/lab/job/out ]; then
  mkdir /new/run/lab/out
  mount -t 9p -o "$share" out /new/run/lab/out
fi
cp /bin/busybox /new/run/lab/bin
exec switch_root /new /bin/bash /run/lab/job/run.sh
