#!/bin/sh
# In the lab: guest.sh PROGRAM BYTES ROUNDS SIZES WAY…: sends a file of so many bytes in buffers of each size, each way, round after round. BYTES may be
# nSIZE: n buffers. A way is transfer.c's, with the depth behind a colon. Prints the way, the size and
# what transfer prints.
set -e
program=$1 bytes=$2 rounds=$3 sizes=$4
shift 4
round=0
while [ $round -lt "$rounds" ]; do
  for size in $sizes; do
    case $bytes in
      *SIZE) head -c $((${bytes%SIZE} * size)) /dev/urandom ;;
      *) head -c "$bytes" /dev/urandom ;;
    esac >/dev/shm/file
    for way; do
      echo "$way $size" $("$program" "${way%%:*}" "$size" /dev/shm/file $(case $way in *:*) echo "${way##*:}" ;; esac))
    done
  done
  round=$((round + 1))
done
