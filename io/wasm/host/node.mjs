// io/wasm/host/node.mjs - files of the system, through Node.
//
// Everything is asynchronous and runs on Node's threads. Node knows no openat(), so a name in an open
// directory is reached through /proc/self/fd, and where there is no such thing through the path that the
// directory was opened by, if that still leads to it (-ESTALE if not). It offers no flock(), fallocate()
// or SEEK_DATA: these the host cannot do.
import { webcrypto } from 'node:crypto';
import fs from 'node:fs';
import { ERRNO, FILE, FLAG, HostError, Listing, OPEN, writeStatx } from './abi.mjs';

globalThis.crypto ??= webcrypto; // Node 18 has it, but not by this name; the bridge takes entropy from it

const C = fs.constants;
const PROC = process.platform === 'linux' && fs.existsSync('/proc/self/fd');

// Calls a function of fs; the completion's value is what `pick` makes of its result.
const call = (name, ...args) =>
  new Promise((resolve, reject) =>
    fs[name](...args, (error, result) => (error ? reject(error) : resolve(result))));
const done = (promise) => promise.then(() => 0);

function kindOf(entry) {
  if (entry.isFile()) return FILE.regular;
  if (entry.isDirectory()) return FILE.directory;
  return entry.isSymbolicLink() ? FILE.symlink : FILE.other;
}

// Node does not tell how direct I/O is to be aligned; 4096 is always enough where it is possible.
function fillStatx(bytes, stat, direct = 0) {
  writeStatx(bytes, {
    size: stat.size, allocated: (stat.blocks ?? 0n) * 512n, inode: stat.ino, device: stat.dev,
    modified: stat.mtimeNs, kind: kindOf(stat), mode: Number(stat.mode & 0o7777n), links: Number(stat.nlink), direct,
  });
  return 0;
}

function openFlags({ options, flags }) {
  const both = OPEN.read | OPEN.write;
  let result = (options & both) === both ? C.O_RDWR : options & OPEN.write ? C.O_WRONLY : C.O_RDONLY;
  if (options & OPEN.create) result |= C.O_CREAT;
  if (options & OPEN.createNew) result |= C.O_CREAT | C.O_EXCL;
  if (options & OPEN.truncate) result |= C.O_TRUNC;
  if (options & OPEN.direct) {
    if (C.O_DIRECT === undefined) throw new HostError('EINVAL');
    result |= C.O_DIRECT;
  }
  if (options & OPEN.dsync) result |= C.O_DSYNC;
  if (flags & FLAG.inDir) result |= C.O_NOFOLLOW;
  return result | C.O_NOCTTY;
}

// Node's own way says ENOENT when a symbolic link that leads nowhere is in the way.
async function makeAll(path) {
  for (let above = false; ; ) {
    try {
      await call('mkdir', path, 0o777);
      return 0;
    } catch (error) {
      if (error.code === 'ENOENT' && !above) {
        let end = path.length;
        while (end > 1 && path[end - 1] === 47) end--;
        while (end > 0 && path[end - 1] !== 47) end--;
        if (end === 0) throw error;
        await makeAll(path.subarray(0, end));
        above = true;
      } else {
        const stat = await call('stat', path).catch(() => null);
        if (stat?.isDirectory()) return 0;
        throw error;
      }
    }
  }
}

class NodeSession {
  constructor() {
    this.over = false;
    this.files = new Map(); // by the module's number: { fd, path, options, busy, whenIdle, listing }
  }

  file(number) {
    const file = this.files.get(number);
    if (file === undefined) throw new HostError('EBADF');
    return file;
  }

  // A path for Node, of the operation's first or second name.
  place(path, flags, dirNumber) {
    if (!(flags & FLAG.inDir)) return Buffer.from(path);
    const dir = this.file(dirNumber);
    if (PROC) return Buffer.concat([Buffer.from(`/proc/self/fd/${dir.fd}/`), path]);
    const there = fs.statSync(dir.path, { bigint: true });
    const here = fs.fstatSync(dir.fd, { bigint: true });
    if (there.ino !== here.ino || there.dev !== here.dev) throw new HostError('ESTALE');
    return Buffer.concat([dir.path, Buffer.from('/'), path]);
  }

  // Calls `work` with the path of a name; the directory that it is in is not closed meanwhile, since its
  // number may be another directory's at once.
  at(path, flags, dirNumber, work) {
    const run = async () => work(this.place(path, flags, dirNumber));
    return flags & FLAG.inDir ? this.on(this.file(dirNumber), run) : run();
  }

  // Runs an operation on an open file; a close waits for all of them.
  async on(file, work) {
    file.busy++;
    try {
      return await work(file.fd);
    } finally {
      if (--file.busy === 0) file.whenIdle?.();
    }
  }

  start(op) {
    return this[op.name](op);
  }

  end() {
    this.over = true;
    for (const file of this.files.values()) {
      const close = () => fs.close(file.fd, () => {});
      if (file.busy > 0) file.whenIdle = close; // never under an operation
      else close();
    }
    this.files.clear();
  }

  open(op) {
    return this.at(op.path, op.flags, op.fd2, async (path) => {
      const fd = await call('open', path, openFlags(op), 0o666);
      if (this.over) return done(call('close', fd));
      this.files.set(op.fd, { fd, path, options: op.options, busy: 0, whenIdle: null, listing: null });
      return 0;
    });
  }

  async close({ fd: number }) {
    const file = this.file(number);
    this.files.delete(number); // from now on nothing finds it
    if (file.busy > 0) await new Promise((resolve) => (file.whenIdle = resolve));
    await call('close', file.fd);
    return 0;
  }

  read({ fd, bytes, offset }) {
    const file = this.file(fd);
    // Node asks the system nothing for these.
    if (!(file.options & OPEN.read)) throw new HostError('EBADF');
    if (bytes.length === 0 || offset === Infinity)
      return this.on(file, async (n) => ((await call('fstat', n)).isDirectory() ? -ERRNO.EISDIR : 0));
    return this.on(file, (n) => call('read', n, bytes, 0, bytes.length, offset));
  }

  write({ fd, bytes, offset }) {
    const file = this.file(fd);
    if (!(file.options & OPEN.write)) throw new HostError('EBADF');
    if (offset === Infinity) throw new HostError('EFBIG');
    return this.on(file, (n) => call('write', n, bytes, 0, bytes.length, offset));
  }

  fsync({ fd, flags }) {
    return this.on(this.file(fd), (n) => done(call(flags & FLAG.dataOnly ? 'fdatasync' : 'fsync', n)));
  }

  fstat({ fd, bytes }) {
    const file = this.file(fd);
    const direct = file.options & OPEN.direct ? 4096 : 0;
    return this.on(file, async (n) => fillStatx(bytes, await call('fstat', n, { bigint: true }), direct));
  }

  truncate({ fd, length }) {
    if (length === Infinity) throw new HostError('EFBIG');
    return this.on(this.file(fd), (n) => done(call('ftruncate', n, length)));
  }

  set_mode({ fd, mode }) {
    return this.on(this.file(fd), (n) => done(call('fchmod', n, mode)));
  }

  list_dir({ fd, bytes }) {
    const file = this.file(fd);
    return this.on(file, async (n) => {
      if (file.listing === null) {
        const path = PROC ? Buffer.from(`/proc/self/fd/${n}`) : file.path;
        const entries = await call('readdir', path, { withFileTypes: true, encoding: 'buffer' });
        file.listing ??= new Listing(entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) })));
      }
      return file.listing.pack(bytes);
    });
  }

  stat({ path, flags, fd, bytes }) {
    const name = flags & FLAG.noFollow ? 'lstat' : 'stat';
    return this.at(path, flags, fd, async (at) => fillStatx(bytes, await call(name, at, { bigint: true })));
  }

  rename({ path, path2, flags, fd, fd2 }) {
    return this.at(path, flags, fd, (from) => this.at(path2, flags, fd2, (to) => done(call('rename', from, to))));
  }

  remove({ path, flags, fd }) {
    return this.at(path, flags, fd, (at) => done(call('unlink', at)));
  }

  create_dir({ path, flags, fd, mode }) {
    return this.at(path, flags, fd, (at) => done(call('mkdir', at, mode)));
  }

  create_dir_all({ path }) {
    return makeAll(Buffer.from(path));
  }

  remove_dir({ path, flags, fd }) {
    return this.at(path, flags, fd, (at) => done(call('rmdir', at)));
  }

  async sync_dir({ path }) {
    const fd = await call('open', Buffer.from(path), C.O_RDONLY | C.O_DIRECTORY);
    try {
      await call('fsync', fd);
    } finally {
      await call('close', fd);
    }
    return 0;
  }

  symlink({ path, path2, flags, fd }) {
    return this.at(path, flags, fd, (at) => done(call('symlink', Buffer.from(path2), at)));
  }

  read_link({ path, flags, fd, bytes }) {
    return this.at(path, flags, fd, async (at) => {
      const target = await call('readlink', at, { encoding: 'buffer' });
      if (bytes.length === 0) throw new HostError('EINVAL');
      const part = target.subarray(0, bytes.length);
      bytes.set(part);
      return part.length;
    });
  }
}

/** The host on the files that Node sees. */
export function nodeHost() {
  return {
    parallel: 16, // Node has four threads for them
    features: ['open', 'close', 'read', 'write', 'fsync', 'fstat', 'truncate', 'set_mode', 'list_dir', 'stat',
      'rename', 'remove', 'create_dir', 'create_dir_all', 'remove_dir', 'sync_dir', 'symlink', 'read_link'],
    session: () => new NodeSession(),
  };
}
