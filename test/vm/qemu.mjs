// QEMU: that it is there, and its command line.

import { unavailable } from './failure.mjs';
import { install } from './tools.mjs';

const program = 'qemu-system-x86_64';

export function requireQemu() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw unavailable(
      `the lab runs this machine's programs on a kernel for x86-64 Linux, and this is ${process.arch} ${process.platform}`,
    );
  install([[program, 'qemu-system-x86']]);
}

/** A comma ends a value in QEMU's options, two are one. */
const value = (text) => text.replaceAll(',', ',,');

const share = (tag, path, access) => [
  '-fsdev',
  `local,id=${tag},path=${value(path)},security_model=none,multidevs=remap${access}`,
  '-device',
  `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`,
];

const port = (name, path) => [
  '-chardev',
  `socket,id=${name},path=${value(path)}`,
  '-device',
  `virtserialport,chardev=${name},name=${name}`,
];

function processor({ icount, kvm, cpus }) {
  // With ERMS a whole `rep movsb` would count as one instruction.
  if (icount) return ['-accel', 'tcg', '-cpu', 'max,-erms', '-smp', '1', '-icount', 'shift=0,sleep=off'];
  // Emulated, `rep movsb` goes byte by byte: with ERMS every copy in the kernel takes eight times as long.
  return ['-accel', kvm ? 'kvm' : 'tcg', '-cpu', kvm ? 'max' : 'max,-erms', '-smp', String(cpus)];
}

/**
 * How interrupts are routed is a program of the firmware's, to be run by the kernel. The older machine's has a loop, which a kernel with all
 * checks on a busy computer does not get through in the time it allows; the newer one's has a table.
 */
const machine = ({ kernel = '' }) => (kernel.endsWith('-debug') ? ['-machine', 'q35'] : []);

/** @param ports {{ [name: string]: string }} the sockets to connect to */
export function commandLine({ kernel, initramfs, job, ports, console, options }) {
  const accelerator = options.accelerator
    ? ['-object', 'cryptodev-backend-builtin,id=c0', '-device', 'virtio-crypto-pci,id=crypto0,cryptodev=c0']
    : [];
  return [
    program,
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-m', options.memory],
    ...machine(options),
    ...processor(options),
    ...['-kernel', kernel.image, '-initrd', initramfs],
    // An Oops is a panic and a panic ends QEMU.
    ...['-append', 'console=ttyS0 panic=-1 oops=panic mitigations=off'],
    ...['-chardev', `file,id=console,path=${value(console)}`, '-serial', 'chardev:console'],
    ...share('root', '/', ',readonly=on'),
    ...share('job', job, ',readonly=on'),
    ...(options.out ? share('out', options.out, '') : []),
    ...['-device', 'virtio-serial-pci'],
    ...Object.entries(ports).flatMap(([name, path]) => port(name, path)),
    ...accelerator,
  ];
}
