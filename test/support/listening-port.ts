import fs from 'node:fs';

function socketInodes(pid: number): Set<string> {
  const inodes = new Set<string>();
  for (const fd of fs.readdirSync(`/proc/${pid}/fd`)) {
    try {
      const match = /^socket:\[(\d+)\]$/.exec(fs.readlinkSync(`/proc/${pid}/fd/${fd}`));
      if (match !== null) inodes.add(match[1]!);
    } catch {} // closed meanwhile
  }
  return inodes;
}

/** The TCP port on which a process listens now (IPv4), from /proc. */
export function listeningPort(pid: number): number | undefined {
  let inodes: Set<string>;
  try {
    inodes = socketInodes(pid);
  } catch {
    return undefined; // the process has ended
  }
  for (const line of fs.readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state === '0A' && inodes.has(inode!)) return Number.parseInt(local!.split(':')[1]!, 16);
  }
  return undefined;
}
