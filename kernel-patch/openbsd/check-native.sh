#!/bin/sh
# SPDX-License-Identifier: MIT
# Type-checks what runs on OpenBSD besides the kernel, on any system with clang: the library's addon (the sources that binding.gyp names
# for OpenBSD) and test/openbsd/system, against the C and C++ headers of OpenBSD's tree SRC (include/, gnu/; tried: 7.6), the kernel's of
# SYS (by default SRC/sys) and Node's; warnings are errors. The kernel's are patched first. Run `npm ci` before.
#	usage: check-native.sh SRC [SYS]
set -eu
src=$(cd "${1:?usage: check-native.sh SRC [SYS]}" && pwd)
sys=$(cd "${2:-$src/sys}" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
clang=$(command -v clang++ || command -v clang++-14)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp -R "$sys/." "$work/sys"
for patch in "$root"/kernel-patch/openbsd/patches/*.diff; do (cd "$work/sys" && patch -p0 -s <"$patch"); done
sys=$work/sys

# /usr/include as `make includes` installs it.
mkdir "$work/include" "$work/c++"
cp -R "$src/include/." "$work/include"
for name in sys crypto net netinet netinet6 uvm; do ln -s "$sys/$name" "$work/include/$name"; done
for name in machine amd64; do ln -s "$sys/arch/amd64/include" "$work/include/$name"; done
for name in $(sed -n 's/^LFILES=//p' "$src/include/Makefile"); do ln -s "sys/$name" "$work/include/$name"; done
cp "$src/gnu/lib/libcxx/include/c++/v1/__config_site" "$work/c++"

cd "$root"
node=$(node -p "process.config.variables.nodedir || process.env.npm_config_nodedir || require('path').resolve(process.execPath, '../..')")
sources=$(node -e '
const [{ sources, conditions }] = JSON.parse(require("fs").readFileSync("binding.gyp", "utf8")).targets;
for (const [when, more] of conditions) if (when.includes("openbsd")) sources.push(...more.sources);
console.log(sources.join("\n"));')
count=0
for file in $sources; do
	"$clang" --target=amd64-unknown-openbsd7.6 -fsyntax-only -std=c++17 -Wall -Wextra -Werror -nostdinc -nostdinc++ \
	    -isystem "$work/c++" -isystem "$src/gnu/llvm/libcxx/include" -isystem "$("$clang" -print-resource-dir)/include" \
	    -isystem "$work/include" -isystem "$(node -p "require('node-addon-api').include_dir")" -isystem "$node/include/node" \
	    -DNAPI_VERSION=9 -DNODE_ADDON_API_DISABLE_DEPRECATED -DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS "$file"
	count=$((count + 1))
done
for file in test/openbsd/system/*.c; do
	"$clang" --target=amd64-unknown-openbsd7.6 -x c -fsyntax-only -std=gnu17 -Wall -Wextra -Werror -Wno-pointer-sign -nostdinc \
	    -isystem "$("$clang" -print-resource-dir)/include" -isystem "$work/include" "$file"
done
echo "the addon compiles for OpenBSD ($("$clang" --version | head -1)): $count files"
