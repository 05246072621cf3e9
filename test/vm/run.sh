#!/bin/bash
# Runs the command in the guest. vm.mjs has put into $job what to run and how; virtio ports lead back to it: `out` and `err` carry the
# command's output and nothing else, `control` says when the command starts and how it ended.
lab=/run/lab
job=$lab/job
export PATH=$lab/bin:/usr/sbin:/usr/bin:/sbin:/bin

$lab/bin/busybox --install -s $lab/bin
mkdir $lab/modprobe
for tool in modprobe insmod rmmod lsmod modinfo depmod; do ln -s $lab/bin/busybox $lab/modprobe/$tool; done
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
mkdir -p /dev/pts /dev/shm
mount -t devpts -o ptmxmode=666 devpts /dev/pts
mount -t tmpfs shm /dev/shm
hostname lab
ip link set lo up
ulimit -n 65536

release=$(uname -r)
mkdir -p "/lib/modules/$release"
mount --bind "$(<$job/modules)" "/lib/modules/$release"
# The kernel loads what it lacks by this program. busybox's, because the index that depmod of busybox made is not kmod's.
echo $lab/bin/modprobe >/proc/sys/kernel/modprobe
for module in tls af_alg algif_skcipher algif_aead algif_hash $(<$job/load); do modprobe -q $module; done

port() { # the device of the port called $1
  local name
  for name in /sys/class/virtio-ports/*/name; do
    if [ "$(<"$name")" = "$1" ]; then
      name=${name%/name}
      echo "/dev/${name##*/}"
    fi
  done
}
exec 3>"$(port control)"

# The modules of this checkout. The command is not started without them: what it then says would be about another kernel.
mapfile -d '' -t files <$job/extra.files
if [ ${#files[@]} -gt 0 ]; then
  mkdir -p "/lib/modules/$release/extra"
  cp "${files[@]}" "/lib/modules/$release/extra"
  cat $job/extra.dep >>"/lib/modules/$release/modules.dep"
  for module in $(<$job/extra.load); do
    if ! why=$(modprobe "$module" 2>&1); then
      echo "unloadable $module ${why//$'\n'/ }" >&3
      sleep 1000000
    fi
  done
fi

# The command writes to pipes, as it would anywhere; dd carries them to the ports and counts, so that vm.mjs knows when it has all.
mkfifo $lab/pipe.out $lab/pipe.err
dd bs=65536 <$lab/pipe.out >"$(port out)" 2>$lab/count.out 3>&- &
out=$!
dd bs=65536 <$lab/pipe.err >"$(port err)" 2>$lab/count.err 3>&- &
err=$!

mapfile -d '' -t argv <$job/argv
mapfile -d '' -t environment <$job/environment
echo start >&3
(
  exec 3>&-
  export "${environment[@]}"
  # The lab's modprobe before any other, its other tools behind all.
  PATH=$lab/modprobe:$PATH:$lab/bin
  cd "$(<$job/directory)" && exec "${argv[@]}"
) </dev/null >$lab/pipe.out 2>$lab/pipe.err
status=$?

# What the command left running would keep its output open.
for process in /proc/[0-9]*; do
  case ${process#/proc/} in $$ | $out | $err) ;; *) kill -9 "${process#/proc/}" ;; esac
done 2>/dev/null
wait $out $err
count() { sed -n 's/ bytes.*//p' "$1"; }
echo "exit $status $(count $lab/count.out) $(count $lab/count.err)" >&3
# vm.mjs ends the machine.
sleep 1000000
