// board.mjs: reads that a module tells its host of on a board in its memory, from the host's side. What WasmIo makes of
// what a host writes there is in hostile.mjs.
import assert from 'node:assert/strict';
import { ERRNO, HostError, OP, REQUEST_BYTES } from '../../io/wasm/host/abi.mjs';
import { Board } from '../../io/wasm/host/board.mjs';
import { Bridge, Driver } from '../../io/wasm/host/bridge.mjs';

// A board in words, and where a read on it has what.
const BOARD_WORDS = 4 + 64 * 8, COUNT = 0, DONE = 1, WATCHED = 2;
const readAt = (i) => 4 + 8 * i;
const VALUE = 7, TAKEN = -(2 ** 31);

// Reads that stand on a board are done there, where the host can: not past what it cannot do at once, nor before what was
// submitted earlier. What a module writes there is looked at.
{
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
  const IO = 64, BOARD = 8192, REQUEST = 512, done = [];
  const readNow = (fd, bytes, offset) => {
    done.push(fd);
    if (fd === 13) throw new HostError('EIO');
    return fd === 14 ? null : bytes.length + offset;
  };
  const start = ({ name, fd, offset }) => done.push(`${name} ${fd} ${offset}`) && fd;
  const session = () => ({ readNow, start, end: () => {} });
  const bridge = new Bridge({ parallel: 8, features: ['read', 'fsync'], session });
  const { tempest_host: host } = bridge.imports();
  bridge.memory = memory;
  const words = () => new Int32Array(memory.buffer, BOARD, BOARD_WORDS);
  const submit = (op, fields, io = IO) => {
    const view = new DataView(memory.buffer);
    new Uint8Array(memory.buffer, REQUEST, REQUEST_BYTES).fill(0);
    for (const [at, value] of Object.entries({ 0: 99, 8: op, ...fields })) view.setUint32(REQUEST + Number(at), value, true);
    host.submit(io, REQUEST);
  };
  const poll = (io = IO) => Array.from({ length: host.poll(io, 1000, 10) }, (_, i) =>
    [0, 8].map((at) => new DataView(memory.buffer).getInt32(1000 + 16 * i + at, true)));
  const put = (reads) => {
    const board = words();
    done.length = 0;
    board.fill(0);
    reads.forEach(([fd, at = 0, length = 5, offset = 100n], i) => {
      const low = Number(BigInt.asIntN(32, offset)), high = Number(BigInt.asIntN(32, offset >> 32n));
      board.set([i + 1, 7, low, high, fd, at, length, 4711], readAt(i));
    });
    board[COUNT] = reads.length;
  };
  const values = (count) => Array.from({ length: count }, (_, i) => words()[readAt(i) + VALUE]);
  const look = (...reads) => {
    put(reads);
    const completed = bridge.look();
    assert.equal(words()[DONE], reads.length);
    return [completed, ...values(reads.length)];
  };

  for (const [fields, code] of [[{ 24: BOARD, 28: 4 }, 'EINVAL'], [{ 24: BOARD + 2, 28: 4 * BOARD_WORDS }, 'EINVAL'],
    [{ 24: 65536 - 100, 28: 4 * BOARD_WORDS }, 'EFAULT'], [{ 24: 0xfffffff0, 28: 4 * BOARD_WORDS }, 'EFAULT']]) {
    submit(OP.begin, fields);
    assert.deepEqual([bridge.look(), poll()], [0, [[99, -ERRNO[code]]]], 'that is no board');
  }
  submit(OP.begin, { 0: 0, 24: BOARD, 28: 4 * BOARD_WORDS });
  submit(OP.begin, { 24: BOARD, 28: 4 * BOARD_WORDS });
  assert.deepEqual(poll(), [[99, -ERRNO.EALREADY]], 'an Io has one');

  assert.deepEqual(look([1], [2, 65530, 99], [3, 65537, 1], [3, -1, -1], [13], [4, 65536, 1]),
    [6, 105, 106, -ERRNO.EFAULT, -ERRNO.EFAULT, -ERRNO.EIO, 100]);
  assert.deepEqual(done, [1, 2, 13, 4]);
  assert.deepEqual(look([1, 0, 6], [2, 65530, 5]), [2, 106, 105], 'other memory at the same place');
  assert.deepEqual(look([1, 0, 5, 2n ** 31n], [1, 0, 5, 2n ** 53n - 8n], [1, 0, 0, 2n ** 53n], [1, 0, 0, 2n ** 64n - 1n]).slice(0, 3),
    [4, (5 + 2 ** 31) | 0, -3]);
  assert.deepEqual([bridge.look(), done.length], [0, 4], 'each once');
  assert.deepEqual([look([14], [3], [3, 65537, 1]), done], [[1, TAKEN, TAKEN, -ERRNO.EFAULT], [14, 'read 14 100', 'read 3 100']]);
  assert.deepEqual([bridge.pending, poll()], [true, [[1, 14], [2, 3]]]);

  put([[1], [2]]); // behind what was submitted before
  submit(OP.fsync, { 16: 9 });
  assert.deepEqual([poll(), done, values(2)], [[[99, 9], [1, 1], [2, 2]], ['fsync 9 0', 'read 1 100', 'read 2 100'], [TAKEN, TAKEN]]);
  put([[1], [2], [3]]); // a poll looks, too
  words()[DONE] = 1;
  assert.deepEqual([poll(), done, values(3)], [[], [2, 3], [4711, 105, 105]]);

  for (const [count, first, wanted] of [[1000, 62, [0, 0]], [2 ** 31 - 1, 62, [0, 0]], [-1, 0, []], [1, -5, ['read 1 100']],
    [3, 1000, []], [1, -(2 ** 31), ['read 1 100']]]) {
    put([[1]]);
    words()[COUNT] = count;
    words()[DONE] = first;
    const before = new Uint8Array(memory.buffer.slice(BOARD + 4 * BOARD_WORDS));
    bridge.look();
    assert.deepEqual([done, new Uint8Array(memory.buffer, BOARD + 4 * BOARD_WORDS)], [wanted, before], 'nothing beside the board');
  }
  bridge.watch(true);
  assert.equal(words()[WATCHED], 1);
  bridge.watch(false);
  assert.equal(words()[WATCHED], 0);
  assert.deepEqual(look([1]), [1, 105]);
  memory.grow(1);
  assert.deepEqual(look([1], [2, 65537, 1]), [2, 105, 101], 'its memory may become larger');
  submit(OP.end, {});
  put([[1]]);
  assert.deepEqual([bridge.look(), done, bridge.boards.length], [0, [], 0], 'it is gone with its Io');

  const other = new Bridge({ parallel: 8, features: ['fsync'], session });
  const board = new Board(other.sessionOf(IO), memory, { byteOffset: BOARD, length: 4 * BOARD_WORDS });
  assert.deepEqual([board.look(), values(1), done], [1, [-ERRNO.EOPNOTSUPP], []], 'what it cannot do');
}

// The driver looks at the boards after each tick, and says so to the module for as long as it does.
{
  const memory = new WebAssembly.Memory({ initial: 1 }), board = new Int32Array(memory.buffer, 1024, BOARD_WORDS);
  const bridge = new Bridge({ features: ['read'], parallel: 1, session: () => ({ readNow: () => 3, end: () => {} }) });
  bridge.memory = memory;
  const session = bridge.sessionOf(64);
  bridge.addBoard(session, { bytes: new Uint8Array(memory.buffer, 1024, 4 * BOARD_WORDS) });
  const seen = [];
  const tick = () => {
    seen.push([board[WATCHED], board[DONE], board[readAt(0) + VALUE]]);
    board[DONE] = board[readAt(0) + VALUE] = 0;
    board[COUNT] = seen.length < 3 ? 1 : 0;
    return seen.length === 4 ? 5 : 1; // of itself the module only waits for I/O
  };
  const driver = new Driver({ bridge, exports: { tempest_tick: tick, tempest_timeout_ns: () => -1n } });
  setTimeout(() => {
    assert.deepEqual([seen.length, board[WATCHED]], [3, 0]);
    driver.wake();
  }, 20);
  await driver.start();
  assert.deepEqual(seen, [[1, 0, 0], [1, 1, 3], [1, 1, 3], [1, 0, 0]]);
  assert.equal(board[WATCHED], 0);
}
console.log('reads on boards');
