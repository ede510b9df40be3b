// machines.mjs BIN COUNTER [--traced]: machines of sm/ on WasmIo, in Node: a copy, one whose module stops in the midst
// of it, and the log of the example, which is opened again after its process was killed; or, traced, that by the
// system's own account the log is synced before anybody is told.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Driver, instantiate } from '../../io/wasm/host/bridge.mjs';
import { ERRNO } from '../../io/wasm/host/abi.mjs';
import { memoryHost } from '../../io/wasm/host/memory.mjs';
import { nodeHost } from '../../io/wasm/host/node.mjs';

const [, , bin, counterFile, child, last = Infinity] = process.argv;
const load = async (file, host) => instantiate(await WebAssembly.compile(fs.readFileSync(file)), host);
const put = (exports, at, text) =>
  new Uint8Array(exports.memory.buffer, at, text.length + 1).set(Buffer.from(`${text}\0`));

async function counter(directory) {
  const program = await load(counterFile, nodeHost());
  const { exports } = program;
  const driver = new Driver(program);
  put(exports, exports.counter_directory(), directory);
  assert.equal(exports.counter_start(), 0);
  const finished = driver.start();
  const until = (holds) =>
    new Promise((resolve, reject) => {
      driver.onTick = () => holds() && resolve();
      finished.then(() => (holds() ? resolve() : reject(new Error(`it ended with ${exports.counter_error()}`))), reject);
      driver.wake();
    });
  await until(() => exports.counter_state() !== 0);
  assert.equal(exports.counter_state(), 1, `the log cannot be opened: ${exports.counter_error()}`);
  return { exports, driver, finished, until };
}

// In a process of its own: counts for ever, or up to `last`, one after the other, and says what is durable.
if (child && child !== '--traced') {
  const { exports, driver } = await counter(child);
  let asked = -1;
  driver.onTick = () => {
    const value = exports.counter_value();
    fs.writeSync(1, `${value}\n`);
    if (value >= last) process.exit(0);
    if (exports.counter_state() === 1 && value > asked) {
      asked = value;
      exports.counter_add();
    }
    driver.wake();
  };
  driver.wake();
} else {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tempest-wasm-'));
  try {
    if (child) {
      isTraced(path.join(directory, 'traced'));
    } else {
      await copies(directory);
      await copiesInMemory();
      await stops(directory);
      await survives(path.join(directory, 'log'));
      console.log('copies, and a log that survives kill -9');
    }
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

async function copy(program, source, destination) {
  const { exports } = program;
  put(exports, exports.copy_source(), source);
  put(exports, exports.copy_destination(), destination);
  assert.equal(exports.copy_start(), 0);
  await new Driver(program).start();
  return exports.copy_result();
}

async function copies(directory) {
  const at = (name) => path.join(directory, name);
  const program = await load(path.join(bin, 'machines.wasm'), nodeHost());
  const content = crypto.randomBytes(3 * 1024 * 1024 + 77);
  fs.writeFileSync(at('a'), content, { mode: 0o640 });
  fs.writeFileSync(at('b'), 'old');
  assert.equal(await copy(program, at('a'), at('b')), 0);
  assert.ok(fs.readFileSync(at('b')).equals(content));
  assert.equal(fs.statSync(at('b')).mode & 0o777, 0o640);
  assert.equal(program.exports.copy_bytes(), BigInt(content.length));
  fs.writeFileSync(at('empty'), '');
  assert.equal(await copy(program, at('empty'), at('c')), 0);
  assert.equal(fs.statSync(at('c')).size, 0);
  assert.equal(await copy(program, at('missing'), at('b')), -ERRNO.ENOENT);
  assert.equal(await copy(program, at('a'), at('no/where')), -ERRNO.ENOENT);
  assert.deepEqual(fs.readdirSync(directory).sort(), ['a', 'b', 'c', 'empty'], 'no temporary is left');
  for (const [name, number] of Object.entries(ERRNO)) {
    put(program.exports, program.exports.copy_source(), name);
    assert.ok(program.exports.errno_is(number, program.exports.copy_source()), `${name} is not ${number}`);
  }
}

// A module that has stopped has nothing open any more, whoever called it.
async function stops(directory) {
  const open = () => fs.readdirSync('/proc/self/fd').length;
  if (!fs.existsSync('/proc/self/fd')) return;
  const before = open(), lines = [];
  const { bridge, exports } = await instantiate(await WebAssembly.compile(fs.readFileSync(path.join(bin, 'machines.wasm'))),
    nodeHost(), { log: (level, text) => lines.push(text) });
  const driver = new Driver({ bridge, exports });
  put(exports, exports.copy_source(), path.join(directory, 'a'));
  put(exports, exports.copy_destination(), path.join(directory, 'stopped'));
  assert.equal(exports.copy_start(), 0);
  let stopped = false;
  driver.onTick = () => {
    if (stopped || exports.copy_bytes() === 0n) return;
    stopped = true;
    assert.ok(open() > before, 'files are open');
    assert.throws(() => exports.copy_assert(), WebAssembly.RuntimeError);
  };
  await assert.rejects(driver.start(), WebAssembly.RuntimeError);
  assert.match(lines.at(-1), /copier.machine.result > 0/);
  assert.throws(() => exports.copy_start(), WebAssembly.RuntimeError, 'and nobody begins anything in it');
  assert.equal(bridge.sessions.size, 0);
  for (const late = Date.now() + 10000; open() > before && Date.now() < late; ) await new Promise(setImmediate);
  assert.equal(open(), before, 'and are closed');
}

// What strace saw, an entry for each call: a write at its beginning, all else at its end.
function* callsOf(text) {
  const begun = new Map(); // by thread
  for (const line of text.split('\n')) {
    const [, thread, rest] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (rest === undefined) continue;
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    if (rest.startsWith('write(')) yield rest;
    else if (rest.endsWith('<unfinished ...>')) begun.set(thread, rest.slice(0, -'<unfinished ...>'.length));
    else if (!resumed) yield rest;
    else if (begun.has(thread)) {
      yield begun.get(thread) + resumed[1];
      begun.delete(thread);
    }
  }
}

// Before a count is said its record is durable: the log's file was synced, or written to through O_DSYNC, since the
// count before; and the directory before the first. Without strace, or where it may not trace, the test is skipped.
function isTraced(log) {
  const file = `${log}.strace`, directory = fs.realpathSync(path.dirname(log)) + path.sep + path.basename(log);
  const strace = ['-f', '-y', '-s', '32', '-e', 'trace=openat,fsync,fdatasync,pwrite64,write', '-o', file];
  if (spawnSync('strace', [...strace, 'true']).status !== 0) {
    console.log('skipped: there is no strace, or it may not trace');
    process.exitCode = 77;
    return;
  }
  const run = spawnSync('strace', [...strace, process.execPath, fileURLToPath(import.meta.url), bin, counterFile, log, '12'],
    { encoding: 'utf8', timeout: 120000 });
  assert.equal(run.status, 0, run.stderr);
  const dsync = new Set(); // files, by number and name
  let said = 0, files = 0, directories = 0;
  for (const call of callsOf(fs.readFileSync(file, 'utf8'))) {
    const opened = /^openat\(.*O_DSYNC.* = (\d+<[^>]*>)/.exec(call)?.[1];
    const synced = /^(?:fsync|fdatasync)\(\d+<([^>]*)>.* = 0$/.exec(call)?.[1] ?? '';
    const written = /^pwrite64\((\d+<[^>]*>).* = 4096$/.exec(call)?.[1];
    const count = Number(/^write\(1<[^>]*>, "(\d+)\\n"/.exec(call)?.[1] ?? 0);
    if (opened) dsync.add(opened);
    files += synced.startsWith(`${directory}/`) || dsync.has(written);
    directories += synced === directory;
    if (count <= said) continue;
    assert.ok(files > 0 && directories > 0, `${count} was said after ${files} syncs and ${directories} of the directory`);
    said = count;
    files = 0;
  }
  assert.equal(said, 12);
  console.log('a count is said when the system has synced it');
}

async function copiesInMemory() {
  const host = memoryHost();
  const files = host.session();
  const content = crypto.randomBytes(200000);
  const OPEN_ALL = 1 | 2 | 4;
  files.start({ name: 'open', path: Buffer.from('/a'), flags: 0, fd: 0, options: OPEN_ALL });
  files.start({ name: 'write', fd: 0, bytes: content, offset: 0 });
  assert.equal(await copy(await load(path.join(bin, 'machines.wasm'), host), '/a', '/b'), 0);
  files.start({ name: 'open', path: Buffer.from('/b'), flags: 0, fd: 1, options: OPEN_ALL });
  const bytes = new Uint8Array(content.length + 1);
  assert.equal(files.start({ name: 'read', fd: 1, bytes, offset: 0 }), content.length);
  assert.ok(content.equals(bytes.subarray(0, content.length)));
}

// Nothing that was said to be durable is lost, and one click more at most is there.
async function survives(log) {
  let told = 0;
  for (let round = 0; round < 3; round++) {
    const process_ = spawn(process.execPath, [fileURLToPath(import.meta.url), bin, counterFile, log], { stdio: ['ignore', 'pipe', 'inherit'] });
    const target = told + 20 + 7 * round;
    let text = '';
    process_.stdout.on('data', (part) => {
      text += part;
      const last = Number(text.split('\n').at(-2) ?? 0);
      if (last >= target) process_.kill('SIGKILL');
    });
    await new Promise((resolve) => process_.on('close', resolve));
    told = Number(text.split('\n').at(-2));
    assert.ok(told >= target, `the process ended by itself: ${text}`);
    const { exports, driver, finished, until } = await counter(log);
    const found = exports.counter_value();
    assert.ok(found === told || found === told + 1, `${told} were durable, ${found} are there`);
    exports.counter_add();
    driver.wake();
    await until(() => exports.counter_value() === found + 1);
    exports.counter_stop();
    driver.wake();
    await finished.catch(() => {});
    assert.equal(exports.counter_error(), 0);
    told = found + 1;
  }
}
