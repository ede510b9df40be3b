// node.mjs: the host for Node keeps a directory open while a name in it is worked on. Its number may be another's
// as soon as it is closed, and the name would be looked for there. It syncs what it says that it has synced.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { FLAG, OPEN } from '../../io/wasm/host/abi.mjs';
import { nodeHost } from '../../io/wasm/host/node.mjs';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'tempest-node-'));
fs.mkdirSync(path.join(root, 'dir'));

// Each call that has a name takes so long that a close which does not wait would be through before.
const slow = ['open', 'stat', 'lstat', 'rename', 'unlink', 'mkdir', 'rmdir', 'symlink', 'readlink'];
const real = Object.fromEntries(slow.map((name) => [name, fs[name]]));
const drag = () => slow.forEach((name) => { fs[name] = (...args) => setTimeout(() => real[name](...args), 20); });

const session = nodeHost().session();
const named = (name) => Buffer.from(name);
const bytes = new Uint8Array(80);
const openDir = () =>
  session.start({ name: 'open', path: named(path.join(root, 'dir')), flags: 0, fd: 1, options: OPEN.read });

for (const [op, fields, wanted] of [
  ['open', { fd: 2, fd2: 1, path: 'file', options: OPEN.write | OPEN.create }, 0],
  ['stat', { path: 'file', bytes }, 0],
  ['stat', { path: 'file', bytes, more: FLAG.noFollow }, 0],
  ['rename', { path: 'file', path2: 'moved', fd2: 1 }, 0],
  ['remove', { path: 'moved' }, 0],
  ['create_dir', { path: 'inner', mode: 0o700 }, 0],
  ['remove_dir', { path: 'inner' }, 0],
  ['symlink', { path: 'link', path2: 'target' }, 0],
  ['read_link', { path: 'link', bytes }, 6],
]) {
  assert.equal(await openDir(), 0);
  drag();
  const { more = 0, ...rest } = fields;
  for (const key of ['path', 'path2']) if (rest[key]) rest[key] = named(rest[key]);
  const work = session.start({ name: op, fd: 1, flags: FLAG.inDir | more, ...rest });
  const close = session.start({ name: 'close', fd: 1 });
  Object.assign(fs, real);
  assert.deepEqual([await work, await close], [wanted, 0], op);
}
assert.deepEqual(fs.readdirSync(path.join(root, 'dir')), ['link']);

// A sync completes when the system has done it, and not before; of the right file, by the right call. What the
// system says is what it completes with.
const there = path.join(root, 'there');
fs.writeFileSync(there, 'x');
assert.equal(await session.start({ name: 'open', path: named(there), flags: 0, fd: 5, options: OPEN.write }), 0);
for (const [op, name, of] of [
  [{ name: 'fsync', fd: 5, flags: 0 }, 'fsync', there],
  [{ name: 'fsync', fd: 5, flags: FLAG.dataOnly }, 'fdatasync', there],
  [{ name: 'sync_dir', path: named(root), flags: 0 }, 'fsync', root],
]) {
  const sync = fs[name];
  let release = null, synced, isDone = false;
  fs[name] = (fd, callback) => {
    synced = fs.fstatSync(fd).ino;
    release = () => sync(fd, callback);
  };
  const work = session.start(op);
  work.then(() => { isDone = true; });
  while (release === null) await new Promise(setImmediate);
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
  assert.equal(isDone, false, `${op.name} waits for ${name}`);
  assert.equal(synced, fs.statSync(of).ino);
  release();
  assert.equal(await work, 0);
  fs[name] = (fd, callback) => callback(Object.assign(new Error('the disk'), { code: 'EIO' }));
  await assert.rejects(session.start(op), /the disk/);
  fs[name] = sync;
}
session.end();
fs.rmSync(root, { recursive: true });
console.log('a directory is closed when nobody works on its names; a sync is one');
