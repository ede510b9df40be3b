// blocks.mjs MODULE: memset(), memcpy(), memmove() and memcmp() of io/wasm/blocks.c beside what JavaScript does: every
// length on either side of what they distinguish, odd addresses, overlaps, and the bytes around.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const ROOM_BYTES = 1 << 18; // as in blocks_module.c
const LENGTHS = 640, PAGE = 4096, LARGE = 16 * PAGE; // as in blocks.c, and a bit above what is short there
const MARGIN = 512; // around what is written
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), {});
const { memory, memset, memcpy, memmove, memcmp, blocks_room: roomAt } = instance.exports;
instance.exports._initialize();
const at = roomAt(), room = new Uint8Array(memory.buffer, at, ROOM_BYTES);
const noise = Uint8Array.from(room, (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 24) | 1);
const wanted = new Uint8Array(ROOM_BYTES);

// From the same bytes, of which there are `size`, both must come to the same.
function compare(words, size, to, ours, theirs) {
  const found = room.subarray(0, size), expected = wanted.subarray(0, size);
  found.set(noise.subarray(0, size));
  expected.set(found);
  theirs(expected);
  assert.equal(ours(), at + to, `${words}: what it returns`);
  assert.equal(Buffer.compare(found, expected), 0, words);
}

function fills(to, value, len) {
  compare(`memset(${to}, ${value}, ${len})`, to + len + MARGIN, to, () => memset(at + to, value, len),
    (bytes) => bytes.fill(value & 0xff, to, to + len));
}

function copies(name, copy, to, from, len) {
  compare(`${name}(${to}, ${from}, ${len})`, Math.max(to, from) + len + MARGIN, to, () => copy(at + to, at + from, len),
    (bytes) => bytes.copyWithin(to, from, from + len));
}

for (let len = 0; len <= LENGTHS; len++) {
  for (let odd = 0; odd < 16; odd++) {
    for (const value of [0, 0x1a6]) fills(MARGIN + odd, value, len);
    for (const from of [0, 1, 7, 8, 15]) copies('memcpy', memcpy, MARGIN + odd, 2 * MARGIN + LENGTHS + from, len);
  }
  copies('memcpy', memcpy, MARGIN, MARGIN, len); // an assignment of a struct to itself
  for (let distance = -20; distance <= 20; distance++) copies('memmove', memmove, MARGIN + distance, MARGIN, len);
  for (const distance of [-300, -64, -33, 33, 64, 300]) copies('memmove', memmove, MARGIN + distance, MARGIN, len);
}

// Large tables: what is zero in them is only looked at.
for (const len of [LARGE - 1, LARGE, LARGE + 1, LARGE + PAGE - 1, LARGE + PAGE, LARGE + PAGE + 1]) {
  for (const to of [MARGIN, MARGIN + 1]) for (const value of [0, 0x1a6]) fills(to, value, len);
}
room.fill(0);
for (let byte = 0; byte < LARGE + PAGE + 3; byte += byte < PAGE ? 1 : 257) {
  const len = LARGE + PAGE + 3, place = MARGIN + 1 + byte;
  room[MARGIN] = room[MARGIN + 1 + len] = room[place] = 0x80;
  memset(at + MARGIN + 1, 0, len);
  assert.deepEqual([room[MARGIN], room[MARGIN + 1 + len], room[place]], [0x80, 0x80, 0], `one byte at ${byte} of a large table`);
}

// Bytes are compared without a sign, and the first that differs counts, of those that are to be looked at.
for (let len = 0; len <= 100; len++) {
  for (const [one, other] of [[0, 1024], [1, 1024], [9, 1027]]) {
    for (let first = 0; first <= len; first++) {
      for (const [low, high] of [[one, other], [other, one]]) {
        for (const place of [one, other]) room.set(noise.subarray(0, len + 1), place);
        room[low + first] = 0x01;
        room[high + first] = 0x80;
        if (first + 1 < len) [room[low + first + 1], room[high + first + 1]] = [0x80, 0x01];
        const order = first === len ? 0 : low === one ? -1 : 1;
        assert.equal(Math.sign(memcmp(at + one, at + other, len)), order, `memcmp of ${len}, the first at ${first}`);
      }
    }
  }
}
console.log('blocks are filled, copied and compared');
