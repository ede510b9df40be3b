// io/wasm/host/opfs_node.mjs - an open file of a browser's private file system, and what its errors are called.
import { HostError } from './abi.mjs';

const TRIES = 20, PAUSE_MS = 25; // a page that is being left gives its handles back a moment later
const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
export const fail = (code, message) => { throw new HostError(code, message); };

const CODES = {
  NotFoundError: 'ENOENT', NoModificationAllowedError: 'EBUSY', QuotaExceededError: 'ENOSPC',
  InvalidModificationError: 'ENOTEMPTY', TypeMismatchError: 'ENOTDIR', NotAllowedError: 'EACCES', SecurityError: 'EACCES',
  TypeError: 'EINVAL',
};
export const codeOf = (error) => (error instanceof HostError ? error.code : CODES[error?.name] ?? 'EIO');

/** Waits a little for what another page, or this one before a reload, still has. */
export async function patiently(work) {
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries === TRIES || codeOf(error) !== 'EBUSY') throw new HostError(codeOf(error), error.message);
      await pause();
    }
  }
}

// An open file: one handle for all who have it open.
export class Node {
  constructor(file, path, inode) {
    this.file = file;
    this.path = path; // null: it has no name any more
    this.inode = inode;
    this.opens = 0;
    this.access = null; // while it is moved, or if somebody else took the file then
    this.locked = null;
    this.modifiedMs = 0;
  }

  async acquire() {
    this.access ??= await patiently(() => this.file.createSyncAccessHandle());
    return this.access;
  }

  // A file with an open handle cannot be moved. It has been, even if it is somebody else's afterwards: whoever uses it
  // next tries again.
  async move(dir, name) {
    (await this.acquire()).flush();
    this.access.close();
    this.access = null;
    try {
      await this.file.move(dir, name);
    } finally {
      await this.acquire().catch(() => {});
    }
  }

  truncate(length) {
    this.modifiedMs = Date.now();
    this.access.truncate(length);
  }
}
