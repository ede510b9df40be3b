// io/wasm/host/abi.mjs - the records and numbers of io/wasm/abi.h, for hosts.
//
// Nothing of the module is believed: a record, a path or a buffer that does not lie in its memory is
// an error of the one operation (-EFAULT), as it is with a system call.

export const ABI_VERSION = 3;
export const REQUEST_BYTES = 72;
export const COMPLETION_BYTES = 16;
const STATX_BYTES = 80;
const PATH_MAX = 4096;
const NAME_MAX = 255;

// enum tp_wasm_op
export const OP = Object.freeze({
  open: 1, close: 2, read: 3, write: 4, fsync: 5, fstat: 6, truncate: 7, fallocate: 8, find_data: 9,
  set_mode: 10, list_dir: 11, stat: 12, rename: 13, remove: 14, create_dir: 15, create_dir_all: 16,
  remove_dir: 17, sync_dir: 18, symlink: 19, read_link: 20, lock: 21, cancel: 22, end: 23, begin: 24,
});
const NAMES = [];
for (const [name, number] of Object.entries(OP)) NAMES[number] = name;

export const FLAG = Object.freeze({ dataOnly: 1, noFollow: 2, inDir: 4, keepSize: 8 });
export const OPEN = Object.freeze({
  read: 1, write: 2, create: 4, createNew: 8, truncate: 16, direct: 32, dsync: 64,
});
export const FILE = Object.freeze({ other: 0, regular: 1, directory: 2, symlink: 3 });

// The errors, by wasi-libc's numbers; the last two are io/base.h's own.
export const ERRNO = Object.freeze({
  E2BIG: 1, EACCES: 2, EADDRINUSE: 3, EAGAIN: 6, EALREADY: 7, EBADF: 8, EBUSY: 10, ECANCELED: 11, EDEADLK: 16,
  EDQUOT: 19, EEXIST: 20, EFAULT: 21, EFBIG: 22, EILSEQ: 25, EINTR: 27, EINVAL: 28, EIO: 29,
  EISDIR: 31, ELOOP: 32, EMFILE: 33, EMLINK: 34, ENAMETOOLONG: 37, ENFILE: 41, ENODEV: 43, ENOENT: 44,
  ENOLCK: 46, ENOMEM: 48, ENOSPC: 51, ENOSYS: 52, ENOTDIR: 54, ENOTEMPTY: 55, EOPNOTSUPP: 58,
  ENOTTY: 59, ENXIO: 60, EOVERFLOW: 61, EPERM: 63, EPIPE: 64, ERANGE: 68, EROFS: 69, ESPIPE: 70,
  ESTALE: 72, ETIMEDOUT: 73, ETXTBSY: 74, EXDEV: 75, ENODATA: 1061, ESHUTDOWN: 1108,
});

/** An error that an operation completes with. */
export class HostError extends Error {
  constructor(code, message = code) {
    super(message);
    this.code = code;
  }
}

/** What an operation completes with that failed with `error`: a HostError, or one of Node's. */
export function valueOf(error) {
  const code = error?.code === 'ENOTSUP' ? 'EOPNOTSUPP' : error?.code;
  return -(Object.hasOwn(ERRNO, code) ? ERRNO[code] : ERRNO.EIO);
}

/** `length` bytes of the module's memory. A range that is not in it throws. */
export function bytesAt(memory, pointer, length) {
  if (pointer + length > memory.buffer.byteLength) throw new HostError('EFAULT');
  return new Uint8Array(memory.buffer, pointer, length);
}

// Views of a memory, made once for many operations: one of all of it, which says itself what is outside, and those of
// lent memory, by where they begin: a machine lends the same buffers again and again, and a view takes as long to make
// as a short read does. To ask a memory for its buffer does, too, so it is asked when a view has lost it, or when
// others may have made it larger.
const LENT_VIEWS = 256;
const seen = { memory: null, all: null, bytes: new Uint8Array(0), isShared: false, lent: [] };

function look(memory) {
  const { buffer } = memory;
  seen.memory = memory;
  seen.all = new DataView(buffer);
  seen.bytes = new Uint8Array(buffer);
  seen.isShared = typeof SharedArrayBuffer === 'function' && buffer instanceof SharedArrayBuffer;
  seen.lent = new Array(LENT_VIEWS).fill(null);
}

function viewOfAll(memory) {
  if (seen.memory !== memory || seen.bytes.length === 0 || (seen.isShared && seen.all.buffer !== memory.buffer)) look(memory);
  return seen.all;
}

function lentAt(memory, pointer, length) {
  viewOfAll(memory);
  const place = (pointer ^ pointer >>> 6 ^ pointer >>> 12) & (LENT_VIEWS - 1), view = seen.lent[place];
  if (view !== null && view.byteOffset === pointer && view.byteLength === length) return view;
  return (seen.lent[place] = bytesAt(memory, pointer, length));
}

// A read may be lent more than there is, and comes short; the system does not mind either.
export const readableAt = (memory, pointer, length) =>
  lentAt(memory, pointer, Math.min(length, Math.max(viewOfAll(memory).byteLength - pointer, 0)));

/** A copy of a path; it may lie in shared memory, which not everything can read from. */
function pathAt(memory, pointer, length, isName) {
  const copy = bytesAt(memory, pointer, length).slice();
  if (length === 0) throw new HostError('ENOENT');
  if (length >= PATH_MAX || (isName && length > NAME_MAX)) throw new HostError('ENAMETOOLONG');
  if (copy.includes(0)) throw new HostError('EINVAL');
  if (isName && (copy.includes(47) || (copy[0] === 46 && (length === 1 || (length === 2 && copy[1] === 46)))))
    throw new HostError('EINVAL');
  return copy;
}

/** Its id, so that there is somebody to tell when the rest is no good. All of the request must be there. */
export function requestId(memory, pointer) {
  const view = viewOfAll(memory);
  view.getUint8(pointer + REQUEST_BYTES - 1);
  return idAt(view, pointer);
}

// The two halves of an id, the lower one first. Not a BigInt: that would be memory for every operation.
function idAt(view, at) {
  return [view.getUint32(at, true), view.getUint32(at + 4, true)];
}

// An exact number, or Infinity.
function u64At(view, at) {
  const high = view.getUint32(at + 4, true);
  return high < 1 << 21 ? high * 2 ** 32 + view.getUint32(at, true) : Infinity;
}

/** Reads all of a request. Offsets and lengths become numbers where they are exact ones, and Infinity beyond.
 *  `bytes` is the lent memory itself. */
export function readRequest(memory, pointer) {
  const view = viewOfAll(memory);
  const name = NAMES[view.getUint32(pointer + 8, true)];
  if (name === undefined) throw new HostError('ENOSYS');
  const at = view.getUint32(pointer + 24, true), length = view.getUint32(pointer + 28, true);
  const bytes = name === 'read' ? readableAt(memory, at, length) : lentAt(memory, at, length);
  const op = {
    name, flags: view.getUint32(pointer + 12, true), fd: view.getUint32(pointer + 16, true),
    fd2: view.getUint32(pointer + 20, true), bytes, offset: u64At(view, pointer + 32),
    length: u64At(view, pointer + 40), target: name === 'cancel' ? idAt(view, pointer + 40) : null,
    path: null, path2: null, mode: view.getUint32(pointer + 64, true), options: view.getUint32(pointer + 68, true),
    run: null, id: idAt(view, pointer),
  };
  const isName = (op.flags & FLAG.inDir) !== 0;
  const path = view.getUint32(pointer + 48, true), path2 = view.getUint32(pointer + 56, true);
  if (path !== 0) op.path = pathAt(memory, path, view.getUint32(pointer + 52, true), isName);
  if (path2 !== 0) op.path2 = pathAt(memory, path2, view.getUint32(pointer + 60, true), isName && name === 'rename');
  return op;
}

/** Writes the i-th completion of those at `pointer`. */
export function writeCompletion(memory, pointer, i, id, value) {
  const view = viewOfAll(memory), at = pointer + i * COMPLETION_BYTES;
  view.setUint32(at, id[0], true);
  view.setUint32(at + 4, id[1], true);
  view.setInt32(at + 8, value, true);
  view.setUint32(at + 12, 0, true);
}

const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Fills a struct tp_statx. size, allocated, inode, device and modified are BigInts. */
export function writeStatx(bytes, stat) {
  const view = viewOf(bytes);
  if (bytes.length < STATX_BYTES) throw new HostError('EFAULT');
  bytes.fill(0, 0, STATX_BYTES);
  view.setBigUint64(0, stat.size, true);
  view.setBigUint64(8, stat.allocated, true);
  view.setBigUint64(16, stat.inode, true);
  view.setBigUint64(24, stat.device, true);
  view.setBigInt64(32, stat.modified, true);
  view.setUint32(40, stat.kind, true);
  view.setUint32(44, stat.mode, true);
  view.setUint32(48, stat.links, true);
  view.setUint32(52, stat.direct ?? 0, true);
  view.setUint32(56, stat.direct ?? 0, true);
}

/** A directory that is being read: entries {name: Uint8Array, kind}, handed out in pieces. */
export class Listing {
  constructor(entries) {
    this.entries = entries;
    this.next = 0;
  }

  /** Packs the next entries as struct tp_dir_entry. Bytes; 0: that was all. */
  pack(bytes) {
    const view = viewOf(bytes);
    let used = 0;
    for (; this.next < this.entries.length; this.next++) {
      const { name, kind } = this.entries[this.next];
      const record = (8 + name.length + 1 + 7) & ~7;
      if (used + record > bytes.length) break;
      view.setUint16(used, record, true);
      view.setUint16(used + 2, name.length, true);
      view.setUint32(used + 4, kind, true);
      bytes.set(name, used + 8);
      bytes.fill(0, used + 8 + name.length, used + record);
      used += record;
    }
    if (used === 0 && this.next < this.entries.length) throw new HostError('EINVAL');
    return used;
  }
}
