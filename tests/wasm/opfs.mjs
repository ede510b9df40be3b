// opfs.mjs: the host of a browser's private file system, without a browser: on a small one that is made up
// here, which counts what it is asked, keeps files locked as browsers do, and can refuse. What real browsers do
// is looked at by counter.mjs and conformance_browser.mjs.
import assert from 'node:assert/strict';
import { ERRNO, valueOf } from '../../io/wasm/host/abi.mjs';
import { Bridge } from '../../io/wasm/host/bridge.mjs';

const refuse = (name) => { throw new DOMException(name, name); };
const asked = { write: 0, flush: 0, opened: 0 };
let room = Infinity; // bytes that may still be written
let unmovable = ''; // the name of a file that cannot be moved
let unreadable = ''; // the name of a file that cannot be read
let fixed = ''; // the name of a file whose size cannot be changed
let busy = 0; // opens that find another page's handle

class Access {
  constructor(file) {
    Object.assign(this, { file });
    file.locked = true;
  }

  read(bytes, { at }) {
    if (this.file.name === unreadable) refuse('NoModificationAllowedError');
    const part = this.file.data.subarray(at, at + bytes.length);
    bytes.set(part);
    return part.length;
  }

  write(bytes, { at }) {
    asked.write++;
    const count = Math.min(bytes.length, room);
    if (count === 0) refuse('QuotaExceededError');
    room -= count;
    this.truncate(Math.max(this.file.data.length, at + count));
    this.file.data.set(bytes.subarray(0, count), at);
    return count;
  }

  truncate(size) {
    if (this.file.name === fixed) refuse('QuotaExceededError');
    const data = new Uint8Array(size);
    data.set(this.file.data.subarray(0, size));
    this.file.data = data;
  }

  flush() { asked.flush++; }
  getSize() { return this.file.data.length; }
  close() { this.file.locked = false; }
}
globalThis.FileSystemFileHandle = class {
  constructor(dir, name) {
    Object.assign(this, { kind: 'file', dir, name, data: new Uint8Array(0), locked: false });
  }

  async createSyncAccessHandle() {
    asked.opened++;
    if (this.locked || busy-- > 0) refuse('NoModificationAllowedError');
    return new Access(this);
  }

  async getFile() { return { size: this.data.length, lastModified: 5 }; }

  async move(dir, name) {
    if (this.locked || this.name === unmovable || dir.entriesOf.get(name)?.locked) refuse('NoModificationAllowedError');
    this.dir.entriesOf.delete(this.name);
    Object.assign(this, { dir, name });
    dir.entriesOf.set(name, this);
  }
};
class Directory {
  constructor() {
    Object.assign(this, { kind: 'directory', entriesOf: new Map() });
  }

  get(name, kind, make) {
    if (!this.entriesOf.has(name) && !make) refuse('NotFoundError');
    if (!this.entriesOf.has(name)) this.entriesOf.set(name, make());
    return this.entriesOf.get(name).kind === kind ? this.entriesOf.get(name) : refuse('TypeMismatchError');
  }

  async getFileHandle(name, { create } = {}) {
    return this.get(name, 'file', create && (() => new FileSystemFileHandle(this, name)));
  }

  async getDirectoryHandle(name, { create } = {}) {
    return this.get(name, 'directory', create && (() => new Directory()));
  }

  async removeEntry(name, { recursive } = {}) {
    const entry = this.entriesOf.get(name) ?? refuse('NotFoundError');
    if (entry.locked) refuse('NoModificationAllowedError');
    if (entry.entriesOf?.size > 0 && !recursive) refuse('InvalidModificationError');
    this.entriesOf.delete(name);
  }

  async* entries() { yield* this.entriesOf; }
  async* keys() { yield* this.entriesOf.keys(); }
}

const root = new Directory();
const held = new Set();
const storage = { getDirectory: async () => root };
const locks = {
  async request(name, { ifAvailable }, work) {
    assert.ok(ifAvailable);
    if (held.has(name)) return work(null);
    held.add(name);
    return Promise.resolve(work({ name })).finally(() => held.delete(name));
  },
};
Object.defineProperty(globalThis, 'navigator', { value: { storage, locks }, configurable: true });
const { opfsHost } = await import('../../io/wasm/host/opfs.mjs');

// ------------------------------------------------------------------ who may have the directory
const host = await opfsHost({ directory: 'app' });
await assert.rejects(opfsHost({ directory: 'app' }), { code: 'EBUSY', message: /another tab/ });
(await opfsHost({ directory: 'other' })).close();
storage.getDirectory = async () => refuse('SecurityError');
await assert.rejects(opfsHost({ directory: 'private' }), { code: 'EACCES', message: /private window/ });
storage.getDirectory = async () => root;
await new Promise(setImmediate);
(await opfsHost({ directory: 'private' })).close(); // a refusal keeps no lock
locks.request = async () => refuse('SecurityError');
await assert.rejects(opfsHost({ directory: 'insecure' }), { code: 'EACCES' });
const { createSyncAccessHandle } = FileSystemFileHandle.prototype;
delete FileSystemFileHandle.prototype.createSyncAccessHandle;
await assert.rejects(opfsHost({ directory: 'old' }), { code: 'EOPNOTSUPP', message: /no private file system/ });
FileSystemFileHandle.prototype.createSyncAccessHandle = createSyncAccessHandle;

// ------------------------------------------------------------------ files
const files = host.session();
const app = await root.getDirectoryHandle('app');
const bytesOf = (text) => new TextEncoder().encode(text);
const run = async (name, fields) => {
  const op = { name, flags: 0, fd: 0, fd2: 0, offset: 0, length: 0, options: 0, bytes: bytesOf(''), ...fields };
  for (const key of ['path', 'path2']) if (op[key]) op[key] = bytesOf(op[key]);
  try {
    return await files.start(op);
  } catch (error) {
    return valueOf(error);
  }
};
const READ = 1, READ_WRITE = 3, CREATE = 4, TRUNCATE = 16, DSYNC = 64;
const open = (path, fd, options = READ_WRITE | CREATE) => run('open', { path, fd, options });
const content = async (fd) => {
  const bytes = new Uint8Array(64);
  return new TextDecoder().decode(bytes.subarray(0, await run('read', { fd, bytes })));
};
// Done at once; null: it is not.
const now = (fd, offset = 0) => {
  try {
    return files.readNow(fd, new Uint8Array(4), offset);
  } catch (error) {
    return valueOf(error);
  }
};

busy = 3; // the page before this one has not gone yet
assert.equal(await open('/a', 1), 0);
busy = 1000;
assert.equal(await open('/b', 2), -ERRNO.EBUSY);
busy = 0;
assert.equal(await run('fsync', { fd: 1 }), 0);
assert.equal(asked.flush, 1);

// Writes that lie side by side are one, in the right place; others are not.
const writes = (...places) => places.map(([offset, text]) => ({ name: 'write', fd: 1, flags: 0, offset, bytes: bytesOf(text) }));
const batch = (ops) => {
  asked.write = asked.flush = 0;
  files.gather(ops);
  return ops.map((op) => {
    try {
      return files.start(op);
    } catch (error) {
      return valueOf(error);
    }
  });
};
assert.deepEqual(batch(writes([0, 'one'], [3, 'two'], [6, 'three'])), [3, 3, 5]);
assert.equal(asked.write, 1);
assert.equal(await content(1), 'onetwothree');
assert.deepEqual(batch(writes([0, 'A'], [2, 'B'], [0, 'C'])), [1, 1, 1]);
assert.equal(asked.write, 3);
assert.equal(await content(1), 'CnBtwothree');
assert.deepEqual(batch([...writes([0, 'x']), { name: 'fsync', fd: 1, flags: 0 }, ...writes([1, 'y'])]), [1, 0, 1]);
assert.equal(asked.write, 2, 'a sync stands between them');
room = 4; // a full disk: each write is told its own share
assert.deepEqual(batch(writes([0, 'one'], [3, 'two'], [6, 'three'])), [3, 1, -ERRNO.ENOSPC]);
assert.equal(await run('write', { fd: 1, bytes: bytesOf('x') }), -ERRNO.ENOSPC);
room = Infinity;
await open('/d', 3, READ_WRITE | CREATE | DSYNC);
assert.deepEqual(batch(writes([0, 'one'], [3, 'two']).map((op) => ({ ...op, fd: 3 }))), [3, 3]);
assert.deepEqual([asked.write, asked.flush], [1, 1], 'durable, by one flush');

// Names: an open file is renamed, replaced and removed under its users.
asked.opened = 0;
assert.equal(await open('/d', 4), 0);
assert.equal(asked.opened, 0, 'one handle for all who have it open');
assert.equal(await run('rename', { path: '/d', path2: '/e' }), 0);
assert.equal(await content(3), 'onetwo');
assert.equal(await run('rename', { path: '/e', path2: '/a' }), 0);
assert.equal((await content(1)).slice(0, 4), 'onet', 'what was replaced lives on');
assert.equal(await open('/a', 5), 0);
assert.equal(await content(5), 'onetwo');
assert.equal(await run('remove', { path: '/a' }), 0);
assert.equal(await open('/a', 6, READ_WRITE), -ERRNO.ENOENT);
assert.equal(await content(4), 'onetwo');
const gone = await app.getDirectoryHandle('.tempest-gone');
assert.equal(gone.entriesOf.size, 2);
for (const fd of [1, 3, 4, 5]) assert.equal(await run('close', { fd }), 0);
assert.equal(gone.entriesOf.size, 0, 'until it is closed');
assert.equal(await run('read', { fd: 1 }), -ERRNO.EBADF);
assert.equal(await open('/.tempest-gone/1', 1), -ERRNO.EACCES);

// A rename that fails takes nothing from what it should have replaced, whether the file is open or not.
await open('/old', 1);
assert.equal(await run('write', { fd: 1, bytes: bytesOf('old') }), 3);
await open('/new', 2);
for (const fd of [2, 0]) {
  if (fd === 0) await run('close', { fd: 2 });
  unmovable = 'new';
  assert.equal(await run('rename', { path: '/new', path2: '/old' }), -ERRNO.EBUSY);
  unmovable = '';
  assert.deepEqual([...gone.entriesOf], []);
  assert.equal(await open('/old', 3, READ_WRITE), 0);
  assert.equal(await content(3), 'old');
  await run('close', { fd: 3 });
}
unmovable = 'old';
assert.equal(await run('remove', { path: '/old' }), -ERRNO.EBUSY);
unmovable = '';
assert.equal(await run('remove', { path: '/old' }), 0);
assert.equal(await open('/old', 3, READ_WRITE), -ERRNO.ENOENT);
await run('close', { fd: 1 });
assert.equal(gone.entriesOf.size, 0);

// What is read or written while a rename has taken the handle away is so all the same.
await open('/m', 1);
await run('write', { fd: 1, bytes: bytesOf('soon') });
const moved = run('rename', { path: '/m', path2: '/n' });
assert.deepEqual([now(1), now(1, 2), now(1, Infinity)], [4, 2, 0]);
while (files.file(1).node.access !== null) await null;
assert.equal(now(1), null, 'not now');
const soon = content(1), late = run('write', { fd: 1, bytes: bytesOf('late') });
assert.deepEqual([await moved, await soon, await late], [0, 'soon', 4]);
assert.equal(await content(1), 'late');

// Reads that are refused, or end at once.
await run('create_dir', { path: '/dir' });
assert.equal(await open('/dir', 2, READ), 0);
assert.equal(await open('/n', 3, READ_WRITE & ~READ), 0);
unreadable = 'n';
const reads = [2, 3, 1, 99].map((fd) => run('read', { fd, bytes: new Uint8Array(4) }));
assert.deepEqual(await Promise.all(reads), [-ERRNO.EISDIR, -ERRNO.EBADF, -ERRNO.EBUSY, -ERRNO.EBADF]);
assert.deepEqual([2, 3, 1, 99, -1].map((fd) => now(fd)), [null, null, -ERRNO.EBUSY, null, null]); // read() says why not
unreadable = '';
assert.equal(await run('read', { fd: 1, bytes: new Uint8Array(4), offset: Infinity }), 0);
for (const fd of [2, 3, 1]) assert.equal(await run('close', { fd }), 0);
assert.deepEqual([now(1), await run('read', { fd: 1, bytes: new Uint8Array(4) })], [null, -ERRNO.EBADF], 'it is closed');

// A file that somebody else has taken while it was moved has been moved, and is there again as soon as they have gone.
const statx = async (name, fields) => {
  const bytes = new Uint8Array(80), value = await run(name, { ...fields, bytes });
  const view = new DataView(bytes.buffer);
  return value < 0 ? value : { size: view.getBigUint64(0, true), inode: view.getBigUint64(16, true),
    modifiedMs: Number(view.getBigInt64(32, true) / 1000000n), links: view.getUint32(48, true) };
};
for (const ends of [true, false]) {
  await open('/taken', 1);
  await run('write', { fd: 1, bytes: bytesOf('mine') });
  busy = 1000;
  assert.equal(await run('rename', { path: '/taken', path2: '/given' }), 0);
  const tries = [run('read', { fd: 1, bytes: new Uint8Array(4) }), open('/given', 2), statx('stat', { path: '/given' })];
  assert.deepEqual(await Promise.all(tries), [-ERRNO.EBUSY, -ERRNO.EBUSY, -ERRNO.EBUSY]);
  if (!ends) busy = 0;
  if (!ends) assert.deepEqual([await content(1), (await statx('fstat', { fd: 1 })).size], ['mine', 4n]);
  assert.equal(await run('close', { fd: 1 }), 0);
  busy = 0;
  assert.deepEqual([await open('/given', 1, READ_WRITE), await content(1), await run('close', { fd: 1 })], [0, 'mine', 0]);
}

// What is told of an open file: when it was last changed, and a number that stays its own.
await open('/s', 1);
const born = await statx('fstat', { fd: 1 });
assert.deepEqual([born.modifiedMs, (await statx('stat', { path: '/s' })).modifiedMs], [5, 5], 'to open it is no change');
await run('write', { fd: 1, bytes: bytesOf('x') });
files.file(1).node.modifiedMs = 7;
await run('truncate', { fd: 1, length: 3 });
assert.ok((await statx('fstat', { fd: 1 })).modifiedMs > 7);
await run('rename', { path: '/s', path2: '/t' });
assert.equal((await statx('stat', { path: '/t' })).inode, born.inode);
await run('remove', { path: '/t' });
const unnamed = await statx('fstat', { fd: 1 });
assert.deepEqual([unnamed.inode, unnamed.links], [born.inode, 0]);
await open('/t', 2);
assert.notEqual((await statx('fstat', { fd: 2 })).inode, born.inode);
for (const fd of [1, 2]) await run('close', { fd });

// A file that cannot be opened is not kept, and a name is measured in bytes.
fixed = 't';
assert.equal(await open('/t', 1, READ_WRITE | TRUNCATE), -ERRNO.ENOSPC);
assert.ok(!app.entriesOf.get('t').locked);
fixed = '';
assert.deepEqual([await open('/t', 1, READ_WRITE | TRUNCATE), await run('close', { fd: 1 })], [0, 0]);
assert.deepEqual([await open(`/${'\u20ac'.repeat(85)}`, 1), await run('close', { fd: 1 })], [0, 0]);
assert.equal(await open(`/${'\u20ac'.repeat(86)}`, 1), -ERRNO.ENAMETOOLONG);

// At a session's end what is open is closed, and what is being opened as soon as it is.
{
  const other = host.session();
  const start = (path, fd) => other.start({ name: 'open', flags: 0, fd, fd2: 0, path: bytesOf(path), options: READ_WRITE | CREATE });
  await start('/open', 1);
  const under = start('/under-way', 2);
  other.end();
  await under;
  for (let i = 0; i < 10; i++) await new Promise(setImmediate);
  for (const name of ['open', 'under-way']) assert.ok(!app.entriesOf.get(name).locked, `${name} is closed`);
}

// What was open when the last host died is cleared away.
await gone.getFileHandle('9', { create: true });
held.clear();
locks.request = async (name, options, work) => work({ name });
await opfsHost({ directory: 'app' });
assert.equal((await app.getDirectoryHandle('.tempest-gone')).entriesOf.size, 0);
assert.ok(new Bridge(host).features > 0n);
console.log('leaders, refusals, runs of writes, names of open files');
process.exit(0);
