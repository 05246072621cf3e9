#!/bin/sh
# SPDX-License-Identifier: MIT
# First the patched uipc_socket.c, uipc_socket2.c and uipc_mbuf.c themselves, in a process, over the tree's crypto(9): the hooks. Then
# the tests of `npm run test:openbsd` with the crypto(9) and the ciphers of a real tree, patched, instead of the small kernel's: that
# cryptosoft, as 0002 extends it, does what SO_CRYPT asks for. Run `npm run test:openbsd` before.
#	usage: test-tree.sh TREE
set -eu
tree=${1:?usage: test-tree.sh TREE}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
test=$root/test/openbsd
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/sys"
cp -R "$tree/." "$work/sys"
for patch in "$here"/patches/*.diff; do (cd "$work/sys" && patch -p0 -s <"$patch"); done

mkdir -p "$work/native/include"
ln -s "$work/sys/arch/amd64/include" "$work/native/include/machine"
ln -s "$work/sys/arch/amd64/include" "$work/native/include/amd64"
for name in pf bpfilter; do echo "#define N$(echo $name | tr a-z A-Z) 0" >"$work/native/include/$name.h"; done
ciphers="crypto cryptosoft criov xform xform_records aes rijndael chachapoly poly1305 gmac md5 sha1 sha2 rmd160 blf cast ecb_enc ecb3_enc set_key"
native="-std=gnu99 -nostdinc -ffreestanding -fno-builtin -fno-pie -fno-stack-protector -g -O1 -fsanitize=address -w -D_KERNEL -D__OpenBSD__ \
 -U__linux__ -Ulinux -D__kprintf__=__printf__ -DDIAGNOSTIC -DSOCKET_SPLICE -DMAXUSERS=80 -DCRYPTO -DMULTIPROCESSOR \
 -Dmalloc=k_malloc -Dfree=k_free -Dprintf=k_printf -I$work/native/include -I$work/sys -I$work/sys/arch"
cd "$work/sys"
for file in kern/uipc_socket.c kern/uipc_socket2.c kern/uipc_mbuf.c kern/uipc_crypt*.c $(for c in $ciphers; do echo "crypto/$c.c"; done) \
    "$test/tree/kernel.c" "$test/tree/connections.c"; do
	gcc $native -c "$file" -o "$work/native/$(basename "$file" .c).o"
done
gcc -g -c "$test/tree/process.c" -o "$work/native/process.o"
gcc -no-pie -fsanitize=address "$work"/native/*.o -o "$work/native/connections"
"$work/native/connections" "${3:-1000}"

cp -R "$root/.cache/openbsd/include" "$work/include"
rm -r "$work/include/crypto"
mkdir -p "$work/include/machine" "$work/include/lib/libkern"
for name in machine/cpu machine/specialreg lib/libkern/libkern sys/time sys/kernel sys/mutex sys/smr sys/endian sys/stdint sys/cdefs sys/ioccom sys/pool sys/sysctl; do
	mkdir -p "$work/include/$(dirname $name)"
	echo '#include "kern.h"' >"$work/include/$name.h"
done
# Only its crypto/ is the tree's.
mkdir "$work/tree"
ln -s "$work/sys/crypto" "$work/tree/crypto"

sanitize="-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-sanitize=alignment,shift"
flags="-std=gnu11 -ffreestanding -nostdinc -isystem $(gcc -print-file-name=include) -DKERN_TREE -I$work/include -I$test -I$here/sys -I$work/tree $sanitize \
 -Wno-attributes -Wno-pointer-sign"
cd "$work"
for name in $ciphers; do
	gcc $flags -DTREE_CRYPTO -w -c "sys/crypto/$name.c" -o "tree_$name.o"
done
gcc $flags -c "$test/tree/glue.c" -o glue.o
for file in "$here"/sys/kern/uipc_crypt*.c "$here"/sys/crypto/cryptodev.c "$test"/file.c "$test"/lock.c "$test"/mbuf.c "$test"/socket.c "$test"/wire.c "$test"/suites.c "$test"/fuzz.c \
    "$test"/unit.c "$test"/reading.c "$test"/shapes.c "$test"/records.c "$test"/link.c; do
	gcc $flags -c "$file" -o "$(basename "$file" .c).o"
done
for file in host main peer; do gcc -std=gnu11 $sanitize -c "$test/$file.c" -o "$file.o"; done
gcc $sanitize ./*.o -lssl -lcrypto -o so_crypt_test
cd "$root"
"$work/so_crypt_test" unit
node dist/test/openbsd/records-check.js "$work/so_crypt_test"
node dist/test/openbsd/peers-check.js "$work/so_crypt_test"
"$work/so_crypt_test" fuzz "${2:-10000}"
