import type { Stats } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import ssh2 from 'ssh2';

const { OPEN_MODE, STATUS_CODE } = ssh2.utils.sftp;

/** Serves one SFTP session out of a folder; as much of SFTP as `sftp` and fastGet and fastPut use. */
export function serveSftp(sftp: ssh2.SFTPWrapper, root: string): void {
  const handles: fs.FileHandle[] = [];
  const at = (name: string): string => path.join(root, path.posix.resolve('/', name));
  const handleOf = (handle: Buffer): fs.FileHandle => handles[handle.readUInt32BE()]!;
  const run = (id: number, work: () => Promise<void>): void => {
    work().catch(({ code }: NodeJS.ErrnoException) =>
      sftp.status(id, code === 'ENOENT' ? STATUS_CODE.NO_SUCH_FILE : STATUS_CODE.FAILURE),
    );
  };
  const ok = (id: number): void => sftp.status(id, STATUS_CODE.OK);
  const stat = (id: number, name: string): void =>
    run(id, async () => sftp.attrs(id, attributes(await fs.stat(at(name)))));

  sftp.on('end', () => sftp.end());
  sftp.on('REALPATH', (id, name) => {
    const filename = path.posix.resolve('/', name);
    sftp.name(id, [{ filename, longname: filename, attrs: {} as ssh2.Attributes }]);
  });
  sftp.on('STAT', stat);
  sftp.on('LSTAT', stat);
  sftp.on('SETSTAT', ok);
  sftp.on('FSETSTAT', ok);
  sftp.on('OPEN', (id, name, flags) => {
    run(id, async () => {
      const mode = flags & OPEN_MODE.WRITE ? (flags & OPEN_MODE.TRUNC ? 'w' : 'r+') : 'r';
      const handle = Buffer.alloc(4);
      handle.writeUInt32BE(handles.push(await fs.open(at(name), mode)) - 1);
      sftp.handle(id, handle);
    });
  });
  sftp.on('FSTAT', (id, handle) => {
    run(id, async () => sftp.attrs(id, attributes(await handleOf(handle).stat())));
  });
  sftp.on('READ', (id, handle, offset, length) => {
    run(id, async () => {
      const { bytesRead, buffer } = await handleOf(handle).read(
        Buffer.allocUnsafe(length),
        0,
        length,
        offset,
      );
      if (bytesRead === 0) sftp.status(id, STATUS_CODE.EOF);
      else sftp.data(id, buffer.subarray(0, bytesRead));
    });
  });
  sftp.on('WRITE', (id, handle, offset, data) => {
    run(id, async () => {
      await handleOf(handle).write(data, 0, data.length, offset);
      ok(id);
    });
  });
  sftp.on('CLOSE', (id, handle) => {
    run(id, async () => {
      await handleOf(handle).close();
      ok(id);
    });
  });
}

function attributes({ mode, uid, gid, size, atimeMs, mtimeMs }: Stats): ssh2.Attributes {
  return { mode, uid, gid, size, atime: Math.floor(atimeMs / 1000), mtime: Math.floor(mtimeMs / 1000) };
}
