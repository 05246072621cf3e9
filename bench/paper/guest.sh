#!/bin/sh
# In the lab: guest.sh PROGRAM BYTES ROUNDS SIZES WAY…: sends a file of so many bytes in buffers of each size, each way, round after round. BYTES may be
# nSIZE: n buffers. A way is transfer.c's, with the depth behind a colon and "+spread" behind that when so_crypt may compute MACs on all CPUs. Prints
# the way, the size and what transfer prints.
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
      case $way in *+spread) spread=1 ;; *) spread=0 ;; esac
      echo $spread >/sys/module/so_crypt/parameters/spread
      plain=${way%+spread}
      echo "$way $size" $("$program" "${plain%%:*}" "$size" /dev/shm/file $(case $plain in *:*) echo "${plain##*:}" ;; esac))
    done
  done
  round=$((round + 1))
done
