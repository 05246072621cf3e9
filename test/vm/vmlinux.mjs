// Takes the kernel proper out of a bzImage. QEMU starts it directly (PVH), and the guest is spared unpacking it, which takes emulation
// two seconds of each boot. It is also never moved to a random address, so counts of instructions repeat.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import zlib from 'node:zlib';

// Offsets in the header: Documentation/arch/x86/boot.rst.
const SETUP_SECTORS = 0x1f1;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;

/** @returns the ELF file, or undefined if this machine can't unpack it */
export function vmlinux(path) {
  const image = readFileSync(path);
  const start = (image[SETUP_SECTORS] + 1) * 512 + image.readUInt32LE(PAYLOAD_OFFSET);
  // The last four bytes are the length of what is packed.
  const packed = image.subarray(start, start + image.readUInt32LE(PAYLOAD_LENGTH) - 4);
  const elf = packed[0] === 0xfd ? pipe('xz', ['-dc'], packed) : unzstd(packed);
  return elf?.toString('latin1', 1, 4) === 'ELF' ? elf : undefined;
}

function unzstd(packed) {
  // Node has it since 22.15.
  return zlib.zstdDecompressSync ? zlib.zstdDecompressSync(packed) : pipe('zstd', ['-dc'], packed);
}

function pipe(command, args, input) {
  const { status, stdout } = spawnSync(command, args, { input, maxBuffer: 1 << 30 });
  return status === 0 ? stdout : undefined;
}
