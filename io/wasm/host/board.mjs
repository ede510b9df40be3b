// io/wasm/host/board.mjs - the board of an Io (struct tp_wasm_board): reads of which no call tells.
//
// Between two short reads in a row there is only this and the module's tick, and both cost the more the more different
// code they are: the browser and its system, who are called for a read, leave little of it in the nearest caches. So what
// most reads need is kept together here, and small.
import { HostError, readableAt, valueOf } from './abi.mjs';

const READS = 64, READ_WORDS = 8, FIRST = 4, WORDS = FIRST + READS * READ_WORDS;
const COUNT = 0, DONE = 1, WATCHED = 2; // words of a board
const ID = 0, OFFSET = 2, FD = 4, MEMORY = 5, LENGTH = 6, VALUE = 7; // and of a read, from the one where it begins
const TAKEN = -(2 ** 31);
const NO_FD = 0xffffffff;

// As readRequest() makes one.
const operation = (id, fd, bytes, offset) => ({
  name: 'read', flags: 0, fd, fd2: NO_FD, bytes, offset, length: 0, target: null, path: null, path2: null, mode: 0, options: 0,
  run: null, id,
});

export class Board {
  /** `bytes` of the module's memory are its place. */
  constructor(session, memory, { byteOffset, length }) {
    if (length !== WORDS * 4 || byteOffset % 4 !== 0) throw new HostError('EINVAL');
    this.session = session;
    this.work = session.work;
    this.queue = session.queue;
    this.now = session.readsNow; // it may be that they are done at once
    this.memory = memory;
    this.at = byteOffset;
    this.renew();
  }

  // Views of the memory, at first and when it has become larger.
  renew() {
    const { buffer } = this.memory;
    this.words = new Int32Array(buffer, this.at, WORDS);
    // What a read was lent last, by its place here: a machine lends the same memory again and again.
    const none = new Uint8Array(buffer, 0, 0);
    this.lent = Array.from({ length: READS }, () => ({ at: 0, length: 0, bytes: none }));
    return this.words;
  }

  /** Says that somebody looks here after each tick, or does no longer. */
  watch(on) {
    const words = this.words.length === 0 ? this.renew() : this.words;
    words[WATCHED] = on ? 1 : 0;
  }

  /** Does the reads that stand here, or makes operations of them. How many have completed. They come after what was
   *  submitted before them, so they are done at once if that has begun. */
  look() {
    const { words } = this, first = words[DONE], count = Math.min(words[COUNT], READS);
    if (!(first < count)) return words.length === 0 ? this.lookAgain() : 0;
    if (!this.now || this.queue.length > 0 || first < 0) return this.take(Math.max(first, 0), count);
    const { work, lent } = this;
    for (let i = first; i < count; i++) {
      const read = FIRST + i * READ_WORDS, { at, length, bytes } = lent[i], low = words[read + OFFSET];
      let value;
      try {
        if (at === words[read + MEMORY] && length === words[read + LENGTH] && words[read + OFFSET + 1] === 0 && low >= 0)
          value = work.readNow(words[read + FD], bytes, low); // as most are
        else value = work.readNow(words[read + FD], this.lentTo(i), this.offset(read));
      } catch (error) {
        value = valueOf(error);
      }
      if (value === null) return i - first + this.take(i, count);
      words[read + VALUE] = value;
    }
    words[DONE] = count;
    return count - first;
  }

  // The views had lost their memory.
  lookAgain() {
    this.renew();
    return this.look();
  }

  // Makes operations of those from `first` on, which are not done at once. How many were no good.
  take(first, count) {
    const { words, session } = this;
    let refused = 0;
    for (let i = first; i < count; i++) {
      const read = FIRST + i * READ_WORDS, id = [words[read + ID] >>> 0, words[read + ID + 1] >>> 0];
      words[read + VALUE] = TAKEN;
      try {
        session.take(operation(id, words[read + FD] >>> 0, this.lentTo(i), this.offset(read)));
      } catch (error) {
        words[read + VALUE] = valueOf(error);
        refused++;
      }
    }
    words[DONE] = count;
    session.begin();
    return refused;
  }

  // An exact number, or Infinity.
  offset(read) {
    const high = this.words[read + OFFSET + 1] >>> 0, low = this.words[read + OFFSET] >>> 0;
    return high < 1 << 21 ? high * 2 ** 32 + low : Infinity;
  }

  lentTo(i) {
    const { words } = this, lent = this.lent[i], read = FIRST + i * READ_WORDS;
    const at = words[read + MEMORY], length = words[read + LENGTH];
    if (lent.at === at && lent.length === length) return lent.bytes;
    lent.bytes = readableAt(this.memory, at >>> 0, length >>> 0);
    lent.at = at;
    lent.length = length;
    return lent.bytes;
  }
}
