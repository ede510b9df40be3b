// io/wasm/host/memory.mjs - files in memory, for tests and for what need not last.
//
// What it holds is gone with it, and it says so itself: nobody gets it who did not ask for it by name.
// Semantics are those of a file system on Linux: an open file outlives its name, errors are the same.
import { FILE, FLAG, HostError, Listing, OPEN, writeStatx } from './abi.mjs';

const LINKS_MAX = 40; // symbolic links on a way, then it is a circle
const PAGE = 4096;
const decode = (bytes) => String.fromCharCode(...bytes); // names are bytes: one character each
const encode = (text) => Uint8Array.from(text, (c) => c.charCodeAt(0));
const fail = (code) => { throw new HostError(code); };

class Inode {
  constructor(disk, kind, mode) {
    this.number = ++disk.inodes;
    this.kind = kind;
    this.mode = mode;
    this.links = kind === FILE.directory ? 2 : 1;
    this.modified = BigInt(Date.now()) * 1000000n;
    this.locked = null; // the open that has the lock
    if (kind === FILE.regular) {
      this.size = 0;
      this.pages = new Map(); // by number; one that is not there is a hole
    } else if (kind === FILE.directory) {
      this.entries = new Map();
      this.gone = false;
      this.parent = this;
    }
  }

  resize(size) {
    if (size === Infinity) fail('EFBIG');
    for (const number of this.pages.keys()) if (number * PAGE >= size) this.pages.delete(number);
    if (size < this.size) this.pages.get(Math.floor(size / PAGE))?.fill(0, size % PAGE);
    this.size = size;
    this.touch();
  }

  // Calls each(number of the page, offset in it, offset in the range, length) for a range, page by page.
  each(offset, length, each) {
    for (let done = 0; done < length; ) {
      const number = Math.floor((offset + done) / PAGE);
      const start = (offset + done) % PAGE;
      const part = Math.min(PAGE - start, length - done);
      each(number, start, done, part);
      done += part;
    }
  }

  read(bytes, offset) {
    const length = Math.max(Math.min(bytes.length, this.size - offset), 0);
    this.each(offset, length, (number, start, at, part) => {
      const page = this.pages.get(number);
      if (page === undefined) bytes.fill(0, at, at + part);
      else bytes.set(page.subarray(start, start + part), at);
    });
    return length;
  }

  write(bytes, offset) {
    if (offset === Infinity) fail('EFBIG');
    this.each(offset, bytes.length, (number, start, at, part) => {
      if (!this.pages.has(number)) this.pages.set(number, new Uint8Array(PAGE));
      this.pages.get(number).set(bytes.subarray(at, at + part), start);
    });
    this.size = Math.max(this.size, offset + bytes.length);
    this.touch();
    return bytes.length;
  }

  touch() {
    this.modified = BigInt(Date.now()) * 1000000n;
  }
}

class MemorySession {
  constructor(disk) {
    this.disk = disk;
    this.files = new Map(); // by the module's number: { inode, options, listing }
  }

  start(op) {
    return this[op.name](op);
  }

  end() {
    for (const file of this.files.values()) this.unlock(file);
    this.files.clear();
  }

  unlock(file) {
    if (file.inode.locked === file) file.inode.locked = null;
  }

  file(number) {
    return this.files.get(number) ?? fail('EBADF');
  }

  regular(number) {
    const file = this.file(number);
    if (file.inode.kind === FILE.directory) fail('EISDIR');
    return file;
  }

  // ---------------------------------------------------------------- names

  // The directory that a name is in, the name, and what it names (undefined: nothing).
  walk(path, flags, dir, follow) {
    if (flags & FLAG.inDir) return this.look(this.directory(this.file(dir).inode), decode(path), false, follow, 0);
    return this.walkFrom(this.disk.root, decode(path), follow, 0);
  }

  directory(inode) {
    return inode.kind === FILE.directory ? inode : fail('ENOTDIR');
  }

  walkFrom(start, path, follow, links) {
    const parts = path.split('/').filter((part) => part !== '');
    const slash = path.endsWith('/');
    let at = path.startsWith('/') ? this.disk.root : start;
    if (parts.length === 0) return { dir: at, name: '', inode: at, slash };
    const last = parts.pop();
    for (const part of parts) {
      const { inode } = this.look(at, part, true, true, links);
      at = this.directory(inode ?? fail('ENOENT'));
    }
    const found = this.look(at, last, slash, follow || slash, links);
    if (slash && found.inode && found.inode.kind !== FILE.directory) fail('ENOTDIR');
    return found;
  }

  look(dir, name, slash, follow, links) {
    if (name.length > 255) fail('ENAMETOOLONG');
    if (name === '.') return { dir, name, inode: dir, slash };
    if (name === '..') return { dir, name, inode: dir.parent, slash };
    const inode = dir.entries.get(name);
    if (inode?.kind !== FILE.symlink || !follow) return { dir, name, inode, slash };
    if (links >= LINKS_MAX) fail('ELOOP');
    return this.walkFrom(dir, inode.target, true, links + 1);
  }

  add(found, inode) {
    if (found.dir.gone) fail('ENOENT');
    found.dir.entries.set(found.name, inode);
    found.dir.touch();
    if (inode.kind === FILE.directory) {
      inode.parent = found.dir;
      found.dir.links++;
    }
  }

  drop(found) {
    found.dir.entries.delete(found.name);
    found.dir.touch();
    if (found.inode.kind === FILE.directory) {
      found.dir.links--;
      found.inode.links = 0;
      found.inode.gone = true;
    } else found.inode.links--;
  }

  // ---------------------------------------------------------------- files

  open({ path, flags, fd, fd2, options }) {
    const inDir = (flags & FLAG.inDir) !== 0;
    const makes = options & (OPEN.create | OPEN.createNew);
    const found = this.walk(path, flags, fd2, !inDir && !(options & OPEN.createNew));
    let { inode } = found;
    if (inode === undefined) {
      if (!makes) fail('ENOENT');
      if (found.slash) fail('EISDIR');
      if (options & OPEN.direct) fail('EINVAL');
      this.add(found, (inode = new Inode(this.disk, FILE.regular, 0o644)));
    } else {
      if (options & OPEN.createNew) fail('EEXIST');
      if (inode.kind === FILE.symlink) fail('ELOOP');
      if (inode.kind === FILE.directory && (options & OPEN.write || makes)) fail('EISDIR');
      if (options & OPEN.direct) fail('EINVAL');
      if (options & OPEN.truncate) inode.resize(0);
    }
    this.files.set(fd, { inode, options, listing: null });
    return 0;
  }

  close({ fd }) {
    this.unlock(this.file(fd));
    this.files.delete(fd);
    return 0;
  }

  read({ fd, bytes, offset }) {
    if (!(this.file(fd).options & OPEN.read)) fail('EBADF');
    return this.regular(fd).inode.read(bytes, offset);
  }

  readNow(fd, bytes, offset) {
    return this.read({ fd, bytes, offset });
  }

  write({ fd, bytes, offset }) {
    const { inode, options } = this.file(fd);
    if (!(options & OPEN.write)) fail('EBADF');
    return bytes.length === 0 ? 0 : inode.write(bytes, offset);
  }

  fsync({ fd }) {
    this.file(fd);
    return 0;
  }

  fill(bytes, inode) {
    const size = inode.kind === FILE.regular ? inode.size : inode.kind === FILE.symlink ? inode.target.length : 0;
    const allocated = inode.kind === FILE.regular ? inode.pages.size * PAGE : 0;
    writeStatx(bytes, {
      size: BigInt(size), allocated: BigInt(allocated), inode: BigInt(inode.number), device: 1n,
      modified: inode.modified, kind: inode.kind, mode: inode.mode, links: inode.links,
    });
    return 0;
  }

  fstat({ fd, bytes }) {
    return this.fill(bytes, this.file(fd).inode);
  }

  stat({ path, flags, fd, bytes }) {
    const { inode } = this.walk(path, flags, fd, !(flags & FLAG.noFollow));
    return this.fill(bytes, inode ?? fail('ENOENT'));
  }

  writable(fd) {
    const { inode, options } = this.file(fd);
    if (!(options & OPEN.write)) fail('EINVAL');
    return inode;
  }

  truncate({ fd, length }) {
    this.writable(fd).resize(length);
    return 0;
  }

  set_mode({ fd, mode }) {
    this.file(fd).inode.mode = mode;
    return 0;
  }

  list_dir({ fd, bytes }) {
    const file = this.file(fd);
    const { entries } = this.directory(file.inode);
    file.listing ??= new Listing([...entries].map(([name, { kind }]) => ({ name: encode(name), kind })));
    return file.listing.pack(bytes);
  }

  lock({ fd }) {
    const file = this.file(fd);
    if (file.inode.locked !== null && file.inode.locked !== file) fail('EAGAIN');
    file.inode.locked = file;
    return 0;
  }

  // ---------------------------------------------------------------- names, changed

  rename({ path, path2, flags, fd, fd2 }) {
    const from = this.walk(path, flags, fd, false);
    const to = this.walk(path2, flags, fd2, false);
    const special = (found) => found.name === '' || found.name === '.' || found.name === '..';
    if (special(from) || special(to)) fail('EBUSY');
    const { inode } = from;
    if (inode === undefined) fail('ENOENT');
    if (to.slash && inode.kind !== FILE.directory) fail('ENOTDIR');
    if (inode === to.inode) return 0;
    if (inode.kind === FILE.directory)
      for (let dir = to.dir; ; dir = dir.parent) {
        if (dir === inode) fail('EINVAL');
        if (dir === dir.parent) break;
      }
    if (to.inode) {
      if (to.inode.kind === FILE.directory && inode.kind !== FILE.directory) fail('EISDIR');
      if (to.inode.kind !== FILE.directory && inode.kind === FILE.directory) fail('ENOTDIR');
      if (to.inode.kind === FILE.directory && to.inode.entries.size > 0) fail('ENOTEMPTY');
    }
    if (to.dir.gone) fail('ENOENT');
    if (to.inode) this.drop(to);
    from.dir.entries.delete(from.name);
    from.dir.touch();
    if (inode.kind === FILE.directory) from.dir.links--;
    this.add(to, inode);
    return 0;
  }

  remove({ path, flags, fd }) {
    const found = this.walk(path, flags, fd, false);
    if (found.inode === undefined) fail('ENOENT');
    if (found.inode.kind === FILE.directory) fail('EISDIR');
    if (found.slash) fail('ENOTDIR');
    this.drop(found);
    return 0;
  }

  create_dir({ path, flags, fd, mode }) {
    const found = this.walk(path, flags, fd, false);
    if (found.inode !== undefined) fail('EEXIST');
    this.add(found, new Inode(this.disk, FILE.directory, mode & ~0o022));
    return 0;
  }

  create_dir_all({ path }) {
    const text = decode(path);
    const parts = text.split('/');
    for (let i = 1; i <= parts.length; i++) {
      const prefix = encode(parts.slice(0, i).join('/') || '/');
      const { inode } = this.walk(prefix, 0, 0, false);
      if (inode === undefined) this.create_dir({ path: prefix, flags: 0, mode: 0o777 });
      else if (!this.leadsToDirectory(prefix)) fail('EEXIST');
    }
    return 0;
  }

  leadsToDirectory(path) {
    try {
      return this.walk(path, 0, 0, true).inode?.kind === FILE.directory;
    } catch {
      return false; // a symbolic link into nothing
    }
  }

  remove_dir({ path, flags, fd }) {
    const found = this.walk(path, flags, fd, false);
    if (found.inode === undefined) fail('ENOENT');
    if (found.inode.kind !== FILE.directory) fail('ENOTDIR');
    if (found.name === '') fail('EBUSY');
    if (found.name === '.') fail('EINVAL');
    if (found.name === '..' || found.inode.entries.size > 0) fail('ENOTEMPTY');
    this.drop(found);
    return 0;
  }

  sync_dir({ path }) {
    this.directory(this.walk(path, 0, 0, true).inode ?? fail('ENOENT'));
    return 0;
  }

  symlink({ path, path2, flags, fd }) {
    const found = this.walk(path, flags, fd, false);
    if (found.inode !== undefined) fail('EEXIST');
    if (found.slash) fail('ENOENT');
    const inode = new Inode(this.disk, FILE.symlink, 0o777);
    inode.target = decode(path2);
    this.add(found, inode);
    return 0;
  }

  read_link({ path, flags, fd, bytes }) {
    const { inode } = this.walk(path, flags, fd, false);
    if (inode === undefined) fail('ENOENT');
    if (inode.kind !== FILE.symlink || bytes.length === 0) fail('EINVAL');
    const target = encode(inode.target).subarray(0, bytes.length);
    bytes.set(target);
    return target.length;
  }
}

/** A host on a disk of its own, which is gone with it. */
export function memoryHost() {
  const disk = { inodes: 0, root: null };
  disk.root = new Inode(disk, FILE.directory, 0o755);
  return {
    disk,
    parallel: 16,
    features: ['open', 'close', 'read', 'write', 'fsync', 'fstat', 'truncate', 'set_mode', 'list_dir', 'stat', 'rename',
      'remove', 'create_dir', 'create_dir_all', 'remove_dir', 'sync_dir', 'symlink', 'read_link', 'lock'],
    session: () => new MemorySession(disk),
  };
}
