// io/wasm/host/opfs.mjs - the private file system of a browser (OPFS), in a dedicated worker.
//
// Files are those of one directory in it, under their own names. A file is open, with a synchronous handle,
// for as long as the module has it open; fsync is flush. One host at a time leads the directory (Web Locks):
// the second gets EBUSY. What the browser refuses is an error; there is no falling back to memory.
//
// Names are worked on one after the other, what is open in the order of submission. There are no links, modes
// or holes; directories are not renamed (EOPNOTSUPP). A file that is open when its name goes to another one, or
// is removed, lives on under a name in GONE until it is closed; a rename over it is two steps then.
import { FILE, FLAG, HostError, Listing, OPEN, writeStatx } from './abi.mjs';
import { codeOf, fail, Node, patiently } from './opfs_node.mjs';

const GONE = '.tempest-gone';
const NAME_MAX = 255; // bytes; a module takes no longer ones
const RUN_MAX = 1 << 20; // bytes of adjacent writes that become one
const place = { at: 0 }; // of a read that is being made, which takes nothing that is made for it
const readAt = (access, bytes, offset) => {
  if (offset === Infinity) return 0;
  place.at = offset;
  return access.read(bytes, place);
};
/** Makes the host of `directory`. Rejects with a HostError whose message is for people: EBUSY, another tab
 *  leads; EACCES, the browser refuses (a private window, perhaps); EOPNOTSUPP, it has no such files. */
export async function opfsHost({ directory = 'tempest' } = {}) {
  if (!globalThis.FileSystemFileHandle?.prototype.createSyncAccessHandle || !navigator.locks)
    fail('EOPNOTSUPP', 'this browser has no private file system for workers, so nothing can be kept here');
  const refuse = (error) => fail(codeOf(error), `the browser does not let this page keep files (${error.message}); a private window?`);
  const release = await patiently(() => lead(`tempest:${directory}`)).catch((error) =>
    (codeOf(error) === 'EBUSY' ? fail('EBUSY', `another tab or window has "${directory}" open; close it, then reload this one`)
      : refuse(error)));
  try {
    const root = await navigator.storage.getDirectory();
    return await new Opfs(await root.getDirectoryHandle(directory, { create: true }), release).init();
  } catch (error) {
    release();
    return refuse(error);
  }
}

// Takes the lock; the function that gives it back. A worker that ends gives it back, too.
function lead(name) {
  return new Promise((resolve, reject) => {
    navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      if (lock === null) return reject(new HostError('EBUSY'));
      return new Promise((release) => resolve(release));
    }).catch(reject);
  });
}

class Opfs {
  constructor(root, release) {
    this.root = root;
    this.release = release;
    this.parallel = 64;
    this.clockTicks = 8;
    this.features = ['open', 'close', 'read', 'write', 'fsync', 'fstat', 'truncate', 'list_dir', 'stat', 'rename',
      'remove', 'create_dir', 'create_dir_all', 'remove_dir', 'sync_dir', 'lock'];
    this.nodes = new Map(); // open files, by path
    this.locks = new Map(); // of directories, by path: the open that has it
    this.inodes = new Map(); // numbers, by path
    this.inodeLast = 0;
    this.goneLast = 0;
    this.chain = Promise.resolve(); // the work on names
  }

  // What was open when the last host died has no name.
  async init() {
    await this.root.removeEntry(GONE, { recursive: true }).catch(() => {});
    this.gone = await this.root.getDirectoryHandle(GONE, { create: true });
    return this;
  }

  session() {
    return new OpfsSession(this);
  }

  /** Gives the directory back to other tabs; nothing may be open. */
  close() {
    this.release();
  }

  // One after the other.
  inTurn(work) {
    const result = this.chain.then(work).catch((error) => fail(codeOf(error), error.message));
    this.chain = result.catch(() => {});
    return result;
  }

  inode(path) {
    if (!this.inodes.has(path)) this.inodes.set(path, ++this.inodeLast);
    return this.inodes.get(path);
  }

  // The handle of a directory, by the path that parse() made.
  async directory(path) {
    let at = this.root;
    for (const name of path.split('/').filter(Boolean)) at = await at.getDirectoryHandle(name);
    return at;
  }

  // What a path names: a handle, or undefined. `dir` is where the name is in.
  async find({ path, parent, name }) {
    if (name === '') return { dir: null, handle: this.root };
    const dir = await this.directory(parent);
    try {
      return { dir, handle: await dir.getFileHandle(name) };
    } catch (error) {
      if (error.name === 'NotFoundError') return { dir, handle: undefined };
      if (error.name !== 'TypeMismatchError') throw error;
      return { dir, handle: await dir.getDirectoryHandle(name), path };
    }
  }
}

class OpfsSession {
  constructor(host) {
    this.host = host;
    this.over = false;
    this.files = new Map(); // by the module's number: { node, path, options, listing }
    this.readable = []; // the nodes of those that may be read
  }

  start(op) {
    return this[op.name](op);
  }

  end() {
    this.over = true;
    for (const number of [...this.files.keys()]) this.drop(number);
  }

  // A close that nobody waits for.
  drop(fd) {
    Promise.resolve(this.close({ fd })).catch(() => {});
  }

  file(number) {
    return this.files.get(number) ?? fail('EBADF');
  }

  // ---------------------------------------------------------------- paths

  // { path, parent, name } of bytes; without "." and "..", which need nothing of the file system here.
  parse(bytes, flags, number) {
    const { path: base, node } = flags & FLAG.inDir ? this.file(number) : { path: '', node: null };
    if (node) fail('ENOTDIR');
    let text;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      fail('EILSEQ');
    }
    const parts = [];
    for (const part of `${base}/${text}`.split('/')) {
      if (new TextEncoder().encode(part).length > NAME_MAX) fail('ENAMETOOLONG');
      if (part === '..') parts.pop();
      else if (part !== '' && part !== '.') parts.push(part);
    }
    if (parts[0] === GONE) fail('EACCES');
    const name = parts.at(-1) ?? '';
    const parent = parts.slice(0, -1).map((part) => `/${part}`).join('');
    const dots = /(?:^|\/)(\.\.?)\/*$/.exec(text)?.[1] ?? '';
    return { path: name === '' ? '' : `${parent}/${name}`, parent, name, dots, slash: dots !== '' || text.endsWith('/') };
  }

  // ---------------------------------------------------------------- files

  open({ path, flags, fd, fd2, options }) {
    const place = this.parse(path, flags, fd2);
    return this.host.inTurn(async () => {
      const makes = options & (OPEN.create | OPEN.createNew);
      let { dir, handle } = await this.host.find(place);
      if (handle && options & OPEN.createNew) fail('EEXIST');
      if (handle?.kind === 'directory') {
        if (options & OPEN.write || makes) fail('EISDIR');
        this.files.set(fd, { node: null, path: place.path, options, listing: null });
        return 0;
      }
      if (!handle && !makes) fail('ENOENT');
      if (place.slash) fail(handle ? 'ENOTDIR' : 'EISDIR');
      if (options & OPEN.direct) fail('EINVAL');
      handle ??= await dir.getFileHandle(place.name, { create: true });
      let node = this.host.nodes.get(place.path);
      if (!node) {
        node = new Node(handle, place.path, this.host.inode(place.path));
        const modifiedMs = handle.getFile().then((file) => file.lastModified, () => Date.now()); // at once, it takes less
        await node.acquire();
        node.modifiedMs = await modifiedMs;
        this.host.nodes.set(place.path, node);
      }
      node.opens++;
      try {
        await node.acquire();
        if (options & OPEN.truncate) node.truncate(0);
      } catch (error) {
        await this.release(node);
        throw error;
      }
      this.files.set(fd, { node, path: place.path, options, listing: null });
      if (options & OPEN.read) this.readable[fd] = node;
      if (this.over) this.drop(fd);
      return 0;
    });
  }

  close({ fd }) {
    const file = this.file(fd);
    this.files.delete(fd);
    this.readable[fd] = undefined;
    if (!file.node) {
      if (this.host.locks.get(file.path) === file) this.host.locks.delete(file.path);
      return 0;
    }
    return this.host.inTurn(async () => {
      const { node } = file;
      if (node.locked === file) node.locked = null;
      await this.release(node);
      return 0;
    });
  }

  // One who had it open has it no longer.
  async release(node) {
    if (--node.opens > 0) return;
    node.access?.close();
    if (node.path === null) await this.host.gone.removeEntry(node.file.name);
    else this.host.nodes.delete(node.path);
  }

  // Works on an open file: at once, or after the rename that has taken its handle away for the moment.
  on(number, work, wants = 0) {
    const file = this.file(number);
    if (wants && !(file.options & wants)) fail('EBADF');
    if (!file.node) fail('EISDIR');
    if (file.node.access === null) return this.host.inTurn(async () => (await file.node.acquire(), work(file.node, file)));
    try {
      return work(file.node, file);
    } catch (error) {
      return fail(codeOf(error), error.message);
    }
  }

  read({ fd, bytes, offset }) {
    return this.on(fd, ({ access }) => readAt(access, bytes, offset), OPEN.read);
  }

  // To do it takes little longer than to keep it. What does not go at once is left to read().
  readNow(fd, bytes, offset) {
    const node = this.readable[fd];
    if (node === undefined || node.access === null) return null;
    try {
      return readAt(node.access, bytes, offset);
    } catch (error) {
      return fail(codeOf(error), error.message);
    }
  }

  // Finds writes that go on where the one before ends, and gives each the run that it is part of.
  gather(ops) {
    let run = null;
    for (const op of ops) {
      if (op.name !== 'write') {
        run = null;
        continue;
      }
      if (run === null || run.fd !== op.fd || run.end !== op.offset || run.end - run.start + op.bytes.length > RUN_MAX)
        run = { fd: op.fd, start: op.offset, end: op.offset, parts: [], written: -1 };
      run.parts.push(op.bytes);
      run.end += op.bytes.length;
      op.run = run;
    }
  }

  write({ fd, bytes, offset, run }) {
    if (offset === Infinity) fail('EFBIG');
    return this.on(fd, (node, { options }) => {
      node.modifiedMs = Date.now();
      const put = (data, at) => {
        const count = node.access.write(data, { at });
        if (options & OPEN.dsync) node.access.flush();
        return count;
      };
      let written;
      if (run && run.parts.length > 1) {
        if (run.written < 0) run.written = put(joined(run), run.start);
        written = Math.min(Math.max(run.start + run.written - offset, 0), bytes.length);
      } else written = put(bytes, offset);
      return written > 0 || bytes.length === 0 ? written : fail('ENOSPC');
    }, OPEN.write);
  }

  fsync({ fd }) {
    if (!this.file(fd).node) return this.host.inTurn(() => 0); // names are as durable as the browser makes them
    return this.on(fd, ({ access }) => {
      access.flush();
      return 0;
    });
  }

  truncate({ fd, length }) {
    const { node, options } = this.file(fd);
    if (!node || !(options & OPEN.write)) fail('EINVAL');
    if (length === Infinity) fail('EFBIG');
    return this.on(fd, () => {
      node.truncate(length);
      return 0;
    });
  }

  fill(bytes, inode, kind, size, modifiedMs, links = 1) {
    writeStatx(bytes, {
      size: BigInt(size), allocated: BigInt(Math.ceil(size / 4096) * 4096), inode: BigInt(inode), device: 1n,
      modified: BigInt(modifiedMs) * 1000000n, kind, mode: kind === FILE.directory ? 0o755 : 0o644, links,
    });
    return 0;
  }

  fillDirectory(bytes, path) {
    return this.fill(bytes, this.host.inode(path), FILE.directory, 0, 0);
  }

  fillOpen(bytes, { inode, access, modifiedMs, path }) {
    return this.fill(bytes, inode, FILE.regular, access.getSize(), modifiedMs, path === null ? 0 : 1);
  }

  fstat({ fd, bytes }) {
    const { node, path } = this.file(fd);
    return node ? this.on(fd, () => this.fillOpen(bytes, node)) : this.fillDirectory(bytes, path);
  }

  stat({ path, flags, fd, bytes }) {
    const place = this.parse(path, flags, fd);
    return this.host.inTurn(async () => {
      const { handle } = await this.host.find(place);
      if (!handle) fail('ENOENT');
      if (handle.kind === 'directory') return this.fillDirectory(bytes, place.path);
      if (place.slash) fail('ENOTDIR');
      const node = this.host.nodes.get(place.path);
      if (node) return node.acquire().then(() => this.fillOpen(bytes, node));
      const file = await handle.getFile();
      return this.fill(bytes, this.host.inode(place.path), FILE.regular, file.size, file.lastModified);
    });
  }

  // The locks of directories are kept by path, those of files with the file.
  lock({ fd }) {
    const file = this.file(fd);
    const { locks } = this.host;
    const holder = file.node ? file.node.locked : locks.get(file.path) ?? null;
    if (holder !== null && holder !== file) fail('EAGAIN');
    if (file.node) file.node.locked = file;
    else locks.set(file.path, file);
    return 0;
  }

  // ---------------------------------------------------------------- names

  list_dir({ fd, bytes }) {
    const file = this.file(fd);
    if (file.node) fail('ENOTDIR');
    return this.host.inTurn(async () => {
      if (file.listing === null) {
        const entries = [];
        for await (const [name, { kind }] of (await this.host.directory(file.path)).entries())
          if (file.path !== '' || name !== GONE)
            entries.push({ name: new TextEncoder().encode(name), kind: kind === 'file' ? FILE.regular : FILE.directory });
        file.listing = new Listing(entries);
      }
      return file.listing.pack(bytes);
    });
  }

  // Takes an open file to where no name finds it; then it has none.
  hide(node) {
    return node.move(this.host.gone, `${++this.host.goneLast}`);
  }

  forget(node) {
    this.host.nodes.delete(node.path);
    this.host.inodes.delete(node.path);
    node.path = null;
  }

  rename({ path, path2, flags, fd, fd2 }) {
    const from = this.parse(path, flags, fd), to = this.parse(path2, flags, fd2);
    return this.host.inTurn(async () => {
      const { host } = this;
      const { handle } = await host.find(from);
      const target = await host.find(to);
      if (!handle) fail('ENOENT');
      if (from.dots || to.dots) fail('EBUSY');
      if (handle.kind === 'directory') return this.renameDirectory(from, to, target.handle);
      if (from.slash || to.slash) fail('ENOTDIR');
      if (target.handle?.kind === 'directory') fail('EISDIR');
      if (from.path === to.path) return 0;
      const over = host.nodes.get(to.path), node = host.nodes.get(from.path);
      if (over) await this.hide(over);
      try {
        await (node ?? handle).move(target.dir, to.name);
      } catch (error) {
        // What should have taken its place has not come.
        if (over) await over.move(target.dir, to.name).catch(() => this.forget(over));
        throw error;
      }
      if (over) this.forget(over);
      if (node) {
        host.nodes.delete(from.path);
        host.nodes.set(to.path, node);
        node.path = to.path;
      }
      host.inodes.set(to.path, host.inode(from.path));
      host.inodes.delete(from.path);
      return 0;
    });
  }

  // A browser does not; what any system refuses is said first.
  async renameDirectory(from, to, target) {
    if (from.path === to.path) return 0;
    if (to.path.startsWith(`${from.path}/`)) fail('EINVAL');
    if (from.path.startsWith(`${to.path}/`)) fail('ENOTEMPTY');
    if (target?.kind === 'file') fail('ENOTDIR');
    if (target && !(await target.keys().next()).done) fail('ENOTEMPTY');
    return fail('EOPNOTSUPP', 'a browser does not rename directories');
  }

  remove({ path, flags, fd }) {
    const place = this.parse(path, flags, fd);
    return this.host.inTurn(async () => {
      const { dir, handle } = await this.host.find(place);
      if (!handle) fail('ENOENT');
      if (handle.kind === 'directory') fail('EISDIR');
      if (place.slash) fail('ENOTDIR');
      const node = this.host.nodes.get(place.path);
      if (node) {
        await this.hide(node);
        this.forget(node);
      } else await dir.removeEntry(place.name);
      this.host.inodes.delete(place.path);
      return 0;
    });
  }

  create_dir({ path, flags, fd }) {
    const place = this.parse(path, flags, fd);
    return this.host.inTurn(async () => {
      const { dir, handle } = await this.host.find(place);
      if (handle) fail('EEXIST');
      await dir.getDirectoryHandle(place.name, { create: true });
      return 0;
    });
  }

  create_dir_all({ path }) {
    const place = this.parse(path, 0, 0);
    return this.host.inTurn(async () => {
      let at = this.host.root;
      for (const name of place.path.split('/').filter(Boolean)) at = await at.getDirectoryHandle(name, { create: true });
      return 0;
    });
  }

  remove_dir({ path, flags, fd }) {
    const place = this.parse(path, flags, fd);
    return this.host.inTurn(async () => {
      const { dir, handle } = await this.host.find(place);
      if (!handle) fail('ENOENT');
      if (handle.kind !== 'directory') fail('ENOTDIR');
      if (place.dots) fail(place.dots === '.' ? 'EINVAL' : 'ENOTEMPTY');
      if (dir === null) fail('EBUSY');
      await dir.removeEntry(place.name);
      this.host.inodes.delete(place.path);
      return 0;
    });
  }

  sync_dir({ path }) {
    const place = this.parse(path, 0, 0);
    return this.host.inTurn(async () => {
      const { handle } = await this.host.find(place);
      if (!handle) fail('ENOENT');
      return handle.kind === 'directory' ? 0 : fail('ENOTDIR');
    });
  }
}

function joined({ parts, start, end }) {
  const bytes = new Uint8Array(end - start);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
