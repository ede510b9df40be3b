// hostile.mjs BIN COUNTER: a host that breaks the rules, and modules that do. Each breach is met by an error
// of its own, and the next operation works as if nothing had been.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { ABI_VERSION, ERRNO, HostError, OP, readRequest, REQUEST_BYTES } from '../../io/wasm/host/abi.mjs';
import { Bridge, Driver, instantiate } from '../../io/wasm/host/bridge.mjs';
import { memoryHost } from '../../io/wasm/host/memory.mjs';
import '../../io/wasm/host/node.mjs'; // entropy, in Node 18

const [, , bin, counterFile] = process.argv;
const module = await WebAssembly.compile(fs.readFileSync(path.join(bin, 'hostile.wasm')));
const NOTHING = -(2 ** 31);
const KIND = { open: 1, close: 2, read: 3, fsync: 5, find_data: 9, list_dir: 11, stat: 12 }; // enum tp_kind
const ALL = (1n << 40n) - 1n;
const TAKEN = -(2 ** 31); // TP_WASM_TAKEN
// A board in words, and where a read on it has what.
const BOARD_WORDS = 4 + 64 * 8, COUNT = 0, DONE = 1, WATCHED = 2;
const readAt = (i) => 4 + 8 * i;
const ID = 0, OFFSET = 2, MEMORY = 5, LENGTH = 6, VALUE = 7;

const bigAt = (board, at) => BigInt(board[at] >>> 0) | (BigInt(board[at + 1] >>> 0) << 32n);
const idOf = (board, i) => bigAt(board, readAt(i) + ID);
const offsetOf = (board, i) => Number(bigAt(board, readAt(i) + OFFSET));

// An instance on a host that says what the test wants it to.
function world({ version = ABI_VERSION, features = ALL } = {}) {
  const w = { asked: [], told: [], answers: [], answer: null, count: null, lines: [], clock: 1000n, board: null };
  const imports = {
    tempest_host: {
      features: () => (BigInt(version) << 48n) | features,
      submit: (io, at) => {
        const op = readRequest(w.memory, at);
        if (op.name === 'begin') w.board = new Int32Array(w.memory.buffer, op.bytes.byteOffset, op.bytes.length / 4);
        else w.asked.push({ id: new DataView(w.memory.buffer).getBigUint64(at, true), op });
      },
      // Looks at the board, too, and takes all that stands there.
      poll: (io, at, max) => {
        const view = new DataView(w.memory.buffer), { board } = w;
        w.told.push(board[COUNT] - board[DONE]);
        for (let i = board[DONE]; i < board[COUNT]; i++) {
          w.asked.push({ id: idOf(board, i), op: { name: 'read', offset: offsetOf(board, i) } });
          board[readAt(i) + VALUE] = TAKEN;
        }
        board[DONE] = board[COUNT];
        if (w.answer !== null) w.answers.push([w.asked.at(-1).id, w.answer]);
        w.answer = null;
        const given = w.answers.splice(0, max);
        given.forEach(([id, value, reserved = 0], i) => {
          view.setBigUint64(at + 16 * i, id, true);
          view.setInt32(at + 16 * i + 8, value, true);
          view.setUint32(at + 16 * i + 12, reserved, true);
        });
        const count = w.count ?? given.length;
        w.count = null;
        return count;
      },
      monotonic: () => w.clock,
      real: () => 0n,
      entropy: () => {},
      log: (level, at, length) => w.lines.push(Buffer.from(new Uint8Array(w.memory.buffer, at, length)).toString()),
    },
  };
  const instance = new WebAssembly.Instance(module, imports);
  w.memory = instance.exports.memory;
  instance.exports._initialize();
  w.x = instance.exports;
  w.bytes = () => new Uint8Array(w.memory.buffer, w.x.hostile_buffer(), 256);
  return w;
}

// Submits, answers with `value` after `fill` wrote into the lent memory; what the module sees.
function run(w, kind, value, fill = () => {}) {
  const handle = w.x.hostile_submit(kind);
  fill(new DataView(w.memory.buffer, w.x.hostile_buffer(), 256), w.bytes());
  w.answer = value;
  w.x.hostile_poll();
  return w.x.hostile_take(handle);
}
function opened() {
  const w = world();
  assert.equal(w.x.hostile_create(), 0);
  const value = run(w, KIND.open, 0);
  assert.ok(value >= 0);
  w.x.hostile_opened(value);
  return w;
}
// A breach: counted once, said to the log, nothing written outside of what is lent; then all is well.
function breach(w, wanted, work) {
  const before = w.x.hostile_violations();
  work();
  assert.equal(w.x.hostile_violations(), before + 1);
  assert.match(w.lines.at(-1), wanted);
  assert.equal(run(w, KIND.read, 256), 256);
  assert.equal(w.x.hostile_intact(), 1);
  assert.equal(w.x.hostile_in_flight(), 0);
}

// ------------------------------------------------------------------ the module, against a host
{
  const w = world({ version: ABI_VERSION + 1 });
  assert.notEqual(w.x.hostile_create(), 0);
  assert.match(w.lines[0], new RegExp(`different versions of tempest_host host=${ABI_VERSION + 1} module=${ABI_VERSION}`));
}
{
  const w = opened();
  assert.equal(w.asked[0].op.name, 'open');
  assert.equal(run(w, KIND.read, 0), 0);
  assert.equal(w.asked.at(-1).op.offset, 5 * 2 ** 32, 'offsets have 64 bits');

  // Reads are told by the board, unless something else comes after them, which nothing overtakes.
  w.asked = [];
  w.told = [];
  const handles = [KIND.read, KIND.fsync, KIND.read, KIND.read].map((kind) => w.x.hostile_submit(kind));
  assert.deepEqual(w.asked.map(({ op }) => op.name), ['read', 'fsync']);
  w.x.hostile_poll();
  assert.deepEqual([w.told, w.asked.map(({ op }) => op.name)], [[2], ['read', 'fsync', 'read', 'read']]);
  for (const { id } of w.asked) w.answers.push([id, 0]);
  w.x.hostile_poll();
  assert.deepEqual([w.told, handles.map((handle) => w.x.hostile_take(handle))], [[2, 0], [0, 0, 0, 0]]);

  assert.equal(w.board.length, BOARD_WORDS);
  onBoard(w);

  const missing = /not in flight/;
  breach(w, missing, () => { w.answers.push([0n, 0]); w.x.hostile_submit(KIND.fsync); drain(w); });
  breach(w, missing, () => { w.answers.push([0xffffffffffffffffn, 0]); w.x.hostile_submit(KIND.fsync); drain(w); });
  for (const id of [5n, 77n, 3000000n, 0xfffffffen, 1n << 32n])
    breach(w, missing, () => { w.answers.push([id, 0]); w.x.hostile_submit(KIND.fsync); drain(w); });
  breach(w, missing, () => { // twice, in one poll
    const handle = w.x.hostile_submit(KIND.fsync);
    const { id } = w.asked.at(-1);
    w.answers.push([id, 0], [id, 0]);
    w.x.hostile_poll();
    assert.equal(w.x.hostile_take(handle), 0);
    assert.equal(w.x.hostile_take(handle), NOTHING);
  });
  breach(w, missing, () => { // twice, when the slot is another operation's
    run(w, KIND.fsync, 0);
    const { id } = w.asked.at(-1);
    w.x.hostile_submit(KIND.fsync);
    w.answers.push([id, 0]);
    w.x.hostile_poll();
    assert.equal(w.x.hostile_in_flight(), 1);
    drain(w);
  });
  breach(w, missing, () => {
    w.x.hostile_submit(KIND.fsync);
    w.answers.push([w.asked.at(-1).id, 0, 1]); // reserved
    w.x.hostile_poll();
    drain(w);
  });
  { // more than there was room for: what is in the records counts, if it is anything
    const handle = w.x.hostile_submit(KIND.fsync), second = w.x.hostile_submit(KIND.fsync);
    const before = w.lines.length;
    w.answers.push([w.asked.at(-2).id, 0], [w.asked.at(-1).id, 0]);
    w.count = 0xffffffff;
    w.x.hostile_poll();
    assert.match(w.lines[before], /more completions than there was room/);
    assert.equal(w.x.hostile_take(handle), 0);
    assert.equal(w.x.hostile_take(second), 0);
    assert.equal(w.x.hostile_intact(), 1);
  }

  const larger = /more than it was lent/;
  const protocol = -65; // EPROTO of wasi-libc
  breach(w, larger, () => assert.equal(run(w, KIND.read, 257), protocol));
  breach(w, larger, () => assert.equal(run(w, KIND.fsync, 1), protocol));
  breach(w, larger, () => assert.equal(run(w, KIND.stat, 0x7fffffff), protocol));
  breach(w, larger, () => assert.equal(run(w, KIND.find_data, 2), protocol));
  const unknown = /no known error/;
  breach(w, unknown, () => assert.equal(run(w, KIND.read, -5000), protocol));
  breach(w, unknown, () => assert.equal(run(w, KIND.read, -(2 ** 31)), protocol));
  assert.equal(run(w, KIND.read, -ERRNO.EIO), -ERRNO.EIO, 'an error is none');

  const cannot = /what cannot be/;
  const entry = (record, length, kind = 1, name = 'a\0') => (view, bytes) => {
    bytes.fill(0);
    view.setUint16(0, record, true);
    view.setUint16(2, length, true);
    view.setUint32(4, kind, true);
    bytes.set(Buffer.from(name), 8);
  };
  assert.equal(run(w, KIND.list_dir, 16, entry(16, 1)), 16);
  for (const [bytes, fill] of [
    [16, entry(0, 1)], [12, entry(12, 1)], [16, entry(24, 1)], [16, entry(16, 8, 1, 'aaaaaaaa')], [16, entry(16, 0)],
    [16, entry(16, 1, 4)], [16, entry(16, 1, 1, 'aa')], [16, entry(16, 2, 1, 'a\0')], [16, entry(16, 2, 1, 'a/')],
    [16, entry(16, 65535)], [4, entry(16, 1)], [20, entry(16, 1)], [256, entry(65528, 1)],
  ])
    breach(w, cannot, () => assert.equal(run(w, KIND.list_dir, bytes, fill), protocol));
  const zero = (view, bytes) => bytes.fill(0);
  assert.equal(run(w, KIND.stat, 0, zero), 0);
  for (const [at, value] of [[40, 4], [44, 0o10000], [4, 0x80000000], [52, 3], [56, 131072]])
    breach(w, cannot, () =>
      assert.equal(run(w, KIND.stat, 0, (view, bytes) => { zero(view, bytes); view.setUint32(at, value, true); }), protocol));
  breach(w, cannot, () => assert.equal(run(w, KIND.find_data, 1, zero), protocol));
  breach(w, cannot, () => assert.equal(run(w, KIND.find_data, 1, (view) => view.setInt32(12, -1, true)), protocol));

  // A clock that steps back stands still.
  w.clock = 5000n;
  const now = w.x.hostile_now_ns();
  for (w.clock of [4999n, 1000n, 10n]) assert.equal(w.x.hostile_now_ns(), now);
  w.clock = 0xffffffffffffffffn;
  assert.equal(w.x.hostile_now_ns(), now);

  // Numbers of files are the module's: there are two, and a close gives one back.
  const second = run(w, KIND.open, 0);
  assert.ok(second >= 0);
  const third = w.x.hostile_submit(KIND.open);
  w.x.hostile_poll();
  assert.equal(w.x.hostile_take(third), -ERRNO.EMFILE);
  assert.equal(run(w, KIND.close, -ERRNO.EIO), -ERRNO.EIO);
  assert.equal(run(w, KIND.open, -ERRNO.ENOENT), -ERRNO.ENOENT);
  assert.ok(run(w, KIND.open, 0) >= 0);

  // What flies at the end is said, and stops the program.
  w.x.hostile_submit(KIND.open);
  w.x.hostile_submit(KIND.stat);
  assert.throws(() => w.x.hostile_destroy(), WebAssembly.RuntimeError);
  assert.match(w.lines.at(-1), /1 operations are in flight/);
}
// What a host says on the board is believed as little.
function onBoard(w) {
  const { board } = w, protocol = -65; // EPROTO of wasi-libc
  const tell = (...values) => {
    values.forEach((value, i) => (board[readAt(board[DONE] + i) + VALUE] = value));
    board[DONE] += values.length;
  };
  const submit = () => w.x.hostile_submit(KIND.read);
  const look = (...handles) => {
    w.x.hostile_poll();
    return handles.map((handle) => w.x.hostile_take(handle));
  };
  // Nobody is called for what is done there; what is not is told by the poll, unless somebody looks.
  w.told = [];
  const first = [submit(), submit(), submit()];
  assert.deepEqual([board[COUNT], board[DONE], w.x.hostile_unsubmitted()], [3, 0, 3]);
  assert.deepEqual([offsetOf(board, 0), board[readAt(0) + LENGTH], board[readAt(0) + MEMORY]],
    [5 * 2 ** 32, 256, w.x.hostile_buffer()]);
  tell(256, 0, -ERRNO.EIO);
  assert.deepEqual([look(...first), w.told, board[COUNT], board[DONE]], [[256, 0, -ERRNO.EIO], [], 0, 0]);
  board[WATCHED] = 1;
  const second = [submit(), submit()];
  assert.deepEqual([look(...second), w.told, w.x.hostile_unsubmitted()], [[NOTHING, NOTHING], [], 0]);
  tell(1);
  const third = submit();
  assert.deepEqual([look(...second, third), w.told, board[COUNT]], [[1, NOTHING, NOTHING], [], 3]);
  board[WATCHED] = 0;
  assert.deepEqual([look(...second, third), w.told], [[NOTHING, NOTHING, NOTHING], [2]]);
  for (const { id } of w.asked.slice(-2)) w.answers.push([id, 2]);
  assert.deepEqual([look(second[1], third), w.told, board[COUNT]], [[2, 2], [2, 0], 0]);
  // As many as there is room for: the others keep their places.
  const fsync = w.x.hostile_submit(KIND.fsync);
  board[WATCHED] = 1;
  const later = submit();
  assert.deepEqual([look(later), w.told.at(-1)], [[NOTHING], 1], 'something else is in flight');
  for (const { id } of w.asked.slice(-2)) w.answers.push([id, 0]);
  assert.deepEqual(look(fsync, later), [0, 0]);
  board[WATCHED] = 0;

  for (const value of [257, 2 ** 31 - 1, -5000, TAKEN + 1])
    breach(w, /more than it was lent|no known error/, () => {
      const handle = submit();
      tell(value);
      assert.deepEqual(look(handle), [protocol]);
    });
  for (const count of [2, 65, -1])
    breach(w, /more reads than there are, or fewer/, () => { // and none of them is believed
      const handle = submit();
      board[readAt(0) + VALUE] = 3;
      board[DONE] = count;
      assert.deepEqual(look(handle), [NOTHING]);
      drain(w);
      assert.equal(w.x.hostile_take(handle), 0);
    });
  breach(w, /more reads than there are, or fewer/, () => {
    const handles = [submit(), submit()];
    tell(3);
    board[WATCHED] = 1;
    assert.deepEqual(look(...handles), [3, NOTHING]);
    board[DONE] = 0;
    assert.deepEqual(look(...handles), [NOTHING, NOTHING]);
    board[WATCHED] = 0;
    tell(4);
    assert.deepEqual(look(...handles), [NOTHING, 4]);
  });
  for (const id of [0, 77, 0xfffffffe])
    breach(w, /not in flight/, () => { // the id is the module's
      const handle = submit(), real = board[readAt(0) + ID];
      board[readAt(0) + ID] = id;
      tell(3);
      assert.deepEqual(look(handle), [NOTHING]);
      w.x.hostile_submit(KIND.fsync);
      w.answers.push([BigInt(real >>> 0) | (BigInt(board[readAt(0) + ID + 1] >>> 0) << 32n), 0], [w.asked.at(-1).id, 0]);
      assert.deepEqual(look(handle), [0]);
    });
  { // what stands in its words for the host is nothing that the module goes by
    const handle = submit();
    board[COUNT] = 60;
    tell(5);
    assert.deepEqual(look(handle), [5]);
    const next = submit();
    assert.deepEqual([board[COUNT], board[DONE]], [1, 0]);
    board[COUNT] = -7;
    tell(6);
    assert.deepEqual([look(next), w.x.hostile_intact()], [[6], 1]);
  }
}
function drain(w) {
  w.answers.push([w.asked.at(-1).id, 0]);
  w.x.hostile_poll();
}
{
  const w = world({ features: 1n << BigInt(OP.open) });
  w.x.hostile_create();
  w.x.hostile_opened(run(w, KIND.open, 0));
  const handle = w.x.hostile_submit(KIND.fsync);
  w.x.hostile_poll();
  assert.equal(w.x.hostile_take(handle), -ERRNO.EOPNOTSUPP);
  assert.equal(w.asked.length, 1, 'the host never sees what it cannot do');
}

// ------------------------------------------------------------------ the bridge, against a module
{
  const memory = new WebAssembly.Memory({ initial: 1 });
  const lines = [];
  const bridge = new Bridge(memoryHost(), { log: (level, text) => lines.push(text) });
  const { tempest_host: host } = bridge.imports();
  const view = new DataView(memory.buffer);
  bridge.memory = memory;
  const REQUEST = 0, PATH = 200, ARRIVED = 1000, IO = 64;
  let id = 0n;
  const submit = (fields) => {
    new Uint8Array(memory.buffer, REQUEST, REQUEST_BYTES).fill(0);
    view.setBigUint64(REQUEST, ++id, true);
    for (const [at, value] of Object.entries(fields))
      if (typeof value === 'bigint') view.setBigUint64(Number(at), value, true);
      else view.setUint32(Number(at), value, true);
    host.submit(IO, REQUEST);
    assert.equal(host.poll(IO, ARRIVED, 10), 1);
    assert.equal(view.getBigUint64(ARRIVED, true), id);
    return view.getInt32(ARRIVED + 8, true);
  };
  new Uint8Array(memory.buffer, PATH).set(Buffer.from('/file'));
  const ALL_OF_IT = 1 | 2 | 4;
  assert.equal(submit({ 8: OP.open, 16: 3, 48: PATH, 52: 5, 68: ALL_OF_IT }), 0);
  assert.equal(submit({ 8: OP.write, 16: 3, 24: 65535, 28: 2 }), -ERRNO.EFAULT);
  assert.equal(submit({ 8: OP.write, 16: 3, 24: 0xffffffff, 28: 0xffffffff }), -ERRNO.EFAULT);
  assert.equal(submit({ 8: OP.read, 16: 3, 24: 65530, 28: 0xffffffff }), 0, 'a read is lent what there is');
  assert.equal(submit({ 8: OP.write, 16: 3, 24: PATH, 28: 5, 32: 2n ** 63n }), -ERRNO.EFBIG);
  assert.equal(submit({ 8: OP.truncate, 16: 3, 40: 2n ** 64n - 1n }), -ERRNO.EFBIG);
  assert.equal(submit({ 8: OP.open, 16: 4, 48: 65530, 52: 20, 68: 1 }), -ERRNO.EFAULT);
  assert.equal(submit({ 8: OP.open, 16: 4, 48: PATH, 52: 0, 68: 1 }), -ERRNO.ENOENT);
  assert.equal(submit({ 8: OP.open, 16: 4, 48: PATH, 52: 5000, 68: 1 }), -ERRNO.ENAMETOOLONG);
  assert.equal(submit({ 8: OP.open, 16: 4, 48: PATH, 52: 8, 68: 1 }), -ERRNO.EINVAL, 'NULs');
  assert.equal(submit({ 8: OP.open, 12: 4, 16: 4, 20: 3, 48: PATH, 52: 5, 68: 1 }), -ERRNO.EINVAL, 'a name with /');
  assert.equal(submit({ 8: OP.fstat, 16: 3, 24: PATH, 28: 79 }), -ERRNO.EFAULT, 'too small for a statx');
  assert.equal(submit({ 8: OP.stat, 24: PATH, 28: 80 }), -ERRNO.EIO, 'no path');
  assert.equal(submit({ 8: 4711 }), -ERRNO.ENOSYS);
  assert.equal(submit({ 8: OP.fallocate, 16: 3 }), -ERRNO.EOPNOTSUPP);
  assert.equal(submit({ 8: OP.fsync, 16: 99 }), -ERRNO.EBADF);
  assert.equal(submit({ 8: OP.cancel, 40: 99n }), -ERRNO.EALREADY);
  assert.throws(() => host.submit(IO, 65530), RangeError, 'no record: the module is told by an exception');
  assert.throws(() => host.log(3, 65530, 100), HostError);
  assert.throws(() => host.entropy(65530, 100), HostError);
  host.entropy(0, 65536);
  host.features(ABI_VERSION + 1);
  assert.match(lines.at(-1), /the module version/);
}

// A host gathers what begins together, and of what waits for its turn nothing: that may still be cancelled.
{
  const memory = new WebAssembly.Memory({ initial: 1 });
  const gathered = [], begun = [], ends = [];
  const start = ({ fd }) => begun.push(fd) && new Promise((resolve) => ends.push(resolve));
  const gather = (ops) => gathered.push(ops.map((op) => op.fd));
  const bridge = new Bridge({ parallel: 2, features: ['fsync'], session: () => ({ gather, start, end: () => {} }) });
  const { tempest_host: host } = bridge.imports();
  const view = new DataView(memory.buffer);
  bridge.memory = memory;
  const submit = (id, op, fd, target = 0n) => {
    view.setBigUint64(0, id, true);
    view.setUint32(8, op, true);
    view.setUint32(16, fd, true);
    view.setBigUint64(40, target, true);
    host.submit(64, 0);
  };
  for (let fd = 1; fd <= 5; fd++) submit(BigInt(fd), OP.fsync, fd);
  host.poll(64, 1000, 10);
  assert.deepEqual(gathered, [[1, 2]]);
  submit(6n, OP.cancel, 0, 3n);
  for (const end of ends.slice(0, 2)) end(0);
  await new Promise(setImmediate);
  assert.deepEqual(gathered, [[1, 2]]);
  assert.deepEqual(begun, [1, 2, 4, 5]);
  // A poll without room for all leaves the rest, and what comes later is behind it.
  const poll = (max) => Array.from({ length: host.poll(64, 1000, max) }, (_, i) => view.getUint32(1000 + 16 * i, true));
  assert.deepEqual([poll(1), poll(2)], [[3], [6, 1]]);
  for (const end of ends.slice(2)) end(0);
  await new Promise(setImmediate);
  assert.deepEqual([bridge.pending, poll(10), poll(10), bridge.pending], [true, [2, 4, 5], [], false]);
}

// ------------------------------------------------------------------ a host that cannot close
{
  const lines = [], ended = [], stops = [];
  const host = { features: ['open'], parallel: 1, session: () => ({ start: () => 0, end: () => { ended.push(0); throw new Error('no'); } }) };
  const bridge = new Bridge(host, { log: (level, text) => lines.push(`${level}: ${text}`) });
  bridge.memory = new WebAssembly.Memory({ initial: 1 });
  bridge.onStop = (error) => stops.push(error.message);
  for (const io of [1, 2]) bridge.submit(io, 0);
  bridge.stop(new Error('the module trapped'));
  assert.deepEqual([ended.length, bridge.sessions.size, stops, bridge.stopped.message], [2, 0, ['the module trapped'], 'the module trapped']);
  assert.equal(lines.length, 2);
  assert.match(lines[1], /^error: .*could not be closed: no$/);
}

// ------------------------------------------------------------------ versions and imports
{
  // (module (memory (export "memory") 1) (func (export "tempest_abi") (result i32) i32.const 77))
  const other = new WebAssembly.Module(Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 5,
    3, 1, 0, 1, 7, 24, 2, 6, 109, 101, 109, 111, 114, 121, 2, 0, 11, 116, 101, 109, 112, 101, 115, 116, 95, 97, 98, 105, 0, 0,
    10, 7, 1, 5, 0, 65, 205, 0, 11]));
  await assert.rejects(instantiate(other, memoryHost()), /the module version 77/);
  const none = new WebAssembly.Module(Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0]));
  await assert.rejects(instantiate(none, memoryHost()), /exports no tempest_abi/);
}
for (const file of [counterFile, path.join(bin, 'machines.wasm'), path.join(bin, 'hostile.wasm')]) {
  const imported = WebAssembly.Module.imports(new WebAssembly.Module(fs.readFileSync(file)));
  const names = imported.map(({ module: from, name }) => `${from}.${name}`);
  const allowed = ['features', 'submit', 'poll', 'monotonic', 'real', 'entropy', 'log'].map((name) => `tempest_host.${name}`);
  assert.deepEqual(names.filter((name) => !allowed.includes(name)), [], `${file} imports what it should not`);
}

// ------------------------------------------------------------------ the driver
{
  const exports = (tick) => ({ tempest_tick: tick, tempest_timeout_ns: () => -1n });
  const bridge = new Bridge({ features: [] });
  await assert.rejects(new Driver({ bridge, exports: exports(() => 4) }).start(), /stuck/);
  await assert.rejects(new Driver({ bridge, exports: exports(() => { throw new Error('trapped'); }) }).start(), /trapped/);
  let ticks = 0; // one timer, and one tick for many wakes
  const timed = { tempest_tick: () => (++ticks === 2 ? 5 : 2), tempest_timeout_ns: () => 3000000n };
  const driver = new Driver({ bridge, exports: timed });
  driver.wake();
  driver.wake();
  await driver.start();
  assert.equal(ticks, 2);
}
// Some ticks in a row are told the same time, if their host says so, unless a millisecond has gone by; whoever else asks
// is told what it is.
for (const [clockTicks, wanted] of [[3, [3, 6, 7, 10]], [undefined, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]]]) {
  const bridge = new Bridge({ features: [], clockTicks });
  const told = [], real = Date.now, { monotonic } = bridge.imports().tempest_host;
  let wall = 1;
  Date.now = () => wall;
  const tick = () => {
    if (told.length === 7) wall--; // the second of three; it may be set back
    told.push(monotonic());
    assert.equal(monotonic(), told.at(-1));
    return told.length === 12 ? 5 : 0;
  };
  await new Driver({ bridge, exports: { tempest_tick: tick, tempest_timeout_ns: () => -1n } }).start();
  const outside = [monotonic(), monotonic()];
  Date.now = real;
  const steps = [];
  for (const [i, time] of told.entries()) if (i > 0 && time !== told[i - 1]) steps.push(i);
  assert.deepEqual(steps, wanted);
  assert.ok(told.every((time, i) => i === 0 || time >= told[i - 1]));
  assert.ok(outside[0] > told.at(-1) && outside[1] > outside[0]);
}
console.log('every breach is met');
