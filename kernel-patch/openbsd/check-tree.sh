#!/bin/sh
# SPDX-License-Identifier: MIT
# Applies the patches to a copy of an OpenBSD source tree and compiles every file they touch or add, as for an amd64 kernel, with gcc
# and with clang; warnings are errors. TREE is sys/ of OpenBSD-current (tried: bluhm/sys 14639db46195). Prints the number of lines
# changed in existing files.
#	usage: check-tree.sh TREE
set -eu
tree=${1:?usage: check-tree.sh TREE}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$tree/." "$work/sys"
cd "$work/sys"

for patch in "$here"/patches/*.diff; do
	patch -p0 -s --dry-run -F0 <"$patch"
	patch -p0 -s -F0 <"$patch"
	echo "applies: ${patch##*/}"
done
if command -v node >/dev/null; then node "$here/make-patches.mjs" --check; fi

mkdir "$work/include"
ln -s "$work/sys/arch/amd64/include" "$work/include/machine"
ln -s "$work/sys/arch/amd64/include" "$work/include/amd64"
# Headers that config(8) writes.
files=$(cat "$here"/patches/*.diff | sed -n 's/^+++ \([^	]*\.c\).*/\1/p' | sort -u)
for name in $(sed -n 's/^#include "\([a-z0-9_]*\)\.h".*/\1/p' $files arch/amd64/include/*.h | sort -u); do
	echo "#define N$(echo "$name" | tr a-z A-Z) 0" >"$work/include/$name.h"
done

# CWARNFLAGS and CMACHFLAGS of arch/amd64/conf/Makefile.amd64, less what only OpenBSD's compiler has (-mretpoline-external-thunk,
# -fret-clean, -msave-args); kprintf is an attribute of it, too.
flags="-Werror -Wall -Wimplicit-function-declaration -Wno-pointer-sign -Wframe-larger-than=2047 \
 -mcmodel=kernel -mno-red-zone -mno-sse2 -mno-sse -mno-3dnow -mno-mmx -msoft-float -fno-omit-frame-pointer -ffreestanding -fno-pie \
 -O2 -std=gnu99 -nostdinc -D_KERNEL -D__OpenBSD__ -U__linux__ -Ulinux -D__kprintf__=__printf__ \
 -DMULTIPROCESSOR -DDIAGNOSTIC -DKTRACE -DSOCKET_SPLICE -DINET6 -DIPSEC -DMAXUSERS=80 \
 -I$work/include -I. -Iarch"
gcc_only="-Wno-attributes -Wno-unused-but-set-variable"
clang_only="-Wno-unknown-attributes -Wno-ignored-attributes -Wno-address-of-packed-member -Wno-constant-conversion \
 -Wno-unused-but-set-variable -Wno-gnu-folding-constant"
clang=$(command -v clang || command -v clang-14)

count=0
for file in $files; do
	gcc $flags $gcc_only -DCRYPTO -c "$file" -o "$work/object.o"
	"$clang" $flags $clang_only -DCRYPTO -c "$file" -o "$work/object.o"
	count=$((count + 1))
done
# A kernel without crypto(9), and one for installation media, have no SO_CRYPT.
for file in kern/uipc_socket.c kern/sys_socket.c kern/uipc_syscalls.c kern/kern_sysctl.c; do
	gcc $flags $gcc_only -c "$file" -o "$work/object.o"
	gcc $flags $gcc_only -DCRYPTO -DSMALL_KERNEL -c "$file" -o "$work/object.o"
done
echo "compile with gcc $(gcc -dumpversion) and clang $("$clang" -dumpversion): $count files"

# That other pages are not installed here is no fault of these.
if mandoc -T lint -W style "$here"/man/*.4 2>&1 | grep -v 'referenced manual not found\|outdated mandoc.db'; then exit 1; fi
echo "man pages: mandoc -T lint is quiet"
