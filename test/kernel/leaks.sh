#!/bin/sh
# leaks.sh begin|end: where the kernel looks for memory that nobody knows of any more (kmemleak), forgets what it has found so far, or prints
# what it has found since then; its status is 1 if there is any. Elsewhere nothing.
place=/sys/kernel/debug/kmemleak
[ -e $place ] || mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
[ -e $place ] || exit 0
if [ "$1" = begin ]; then
  echo scan=off >$place
  echo clear >$place
  exit 0
fi
# What is younger than five seconds is not looked at; what a pointer in a register hides is seen the second time.
for _ in 1 2; do
  sleep 6
  echo scan >$place
done
[ -z "$(cat $place)" ] && exit 0
cat $place
exit 1
