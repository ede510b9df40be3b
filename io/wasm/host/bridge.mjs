// io/wasm/host/bridge.mjs - between a module and its host: the imports, and who drives the exports.
//
// A host is an object with
//   features       names of OP that it can do
//   parallel       how many operations of an Io it is given at a time
//   clockTicks     how many ticks in a row may have the same time, if more than one: see now()
//   session()      -> an object that does them for one Io: start(op) gives the value that the operation
//                  completes with, or a promise of it, or throws; end() closes all that is open;
//                  gather(ops), if there is one, sees beforehand what is going to be started, if that is more than one;
//                  readNow(fd, bytes, offset), if there is one, does a read and gives its value, or null: it is to be started
// The bridge begins operations in the order in which they were submitted, turns what goes wrong into the
// operation's error, stops those that have not begun, and says through `onArrival` when the first of some
// completions has come.
import {
  ABI_VERSION, bytesAt, HostError, OP, readRequest, requestId, valueOf, writeCompletion,
} from './abi.mjs';
import { Board } from './board.mjs';

const LEVELS = ['debug', 'info', 'warn', 'error'];

export class Bridge {
  constructor(host, { log = (level, text) => console[level](text) } = {}) {
    this.host = host;
    this.log = log;
    this.memory = null; // the module's, once there is one
    this.tick = null; // its tempest_tick, for the driver
    this.onArrival = () => {};
    this.stopped = null; // the error with which the module has stopped
    this.onStop = () => {}; // it has, with this error
    this.sessions = new Map(); // by the Io: Session
    this.boards = []; // theirs
    this.io = -1; // whose was asked for last
    this.session = null;
    this.clockMs = 0; // what the module was last told, in two units
    this.clockNs = 0n;
    this.clockWall = 0;
    this.clockGood = 0; // ticks for which that is good, this one included
    this.clockTicks = host.clockTicks ?? 1;
    this.ticking = false; // the driver is
    this.can = new Set(host.features);
    this.features = BigInt(ABI_VERSION) << 48n;
    for (const name of host.features) this.features |= 1n << BigInt(OP[name]);
  }

  /** Whether a poll would find something. */
  get pending() {
    for (const session of this.sessions.values()) if (session.arrived > 0) return true;
    return false;
  }

  imports() {
    return {
      tempest_host: {
        features: (version) => {
          if (version !== ABI_VERSION)
            this.log('error', `this host speaks version ${ABI_VERSION} of tempest_host, the module version ${version}`);
          return this.features;
        },
        submit: (io, pointer) => this.submit(io >>> 0, pointer >>> 0),
        poll: (io, pointer, max) => this.poll(io >>> 0, pointer >>> 0, max >>> 0),
        monotonic: () => this.now(),
        real: () => BigInt(Date.now()) * 1000000n, // performance's would miss steps and a machine's sleep
        entropy: (pointer, length) => this.entropy(pointer >>> 0, length >>> 0),
        log: (level, pointer, length) => this.log(LEVELS[level] ?? 'error', this.text(pointer >>> 0, length >>> 0)),
      },
    };
  }

  /** The time that the module is told. To look at the clock takes a browser a good part of a short read, and what it
   *  says goes in steps of 5 or 100 us, so some ticks of a row that the driver makes have the same, as long as the
   *  cheaper clock of milliseconds has not moved on. */
  now() {
    if (this.clockGood > 0 && Date.now() === this.clockWall) return this.clockNs;
    this.clockMs = performance.now();
    this.clockWall = Date.now();
    this.clockGood = this.ticking ? this.clockTicks : 0;
    return (this.clockNs = BigInt(Math.round(this.clockMs * 1e6)));
  }

  text(pointer, length) {
    return new TextDecoder().decode(bytesAt(this.memory, pointer, length).slice());
  }

  entropy(pointer, length) {
    const bytes = bytesAt(this.memory, pointer, length);
    for (let at = 0; at < length; at += 65536) { // the most that one call gives
      const part = new Uint8Array(Math.min(65536, length - at));
      crypto.getRandomValues(part);
      bytes.set(part, at);
    }
  }

  // That of an Io; one is made if there is none.
  sessionOf(io) {
    if (this.io === io) return this.session;
    let session = this.sessions.get(io);
    if (session === undefined) this.sessions.set(io, (session = new Session(this)));
    this.io = io;
    this.session = session;
    return session;
  }

  submit(io, pointer) {
    const session = this.sessionOf(io), id = requestId(this.memory, pointer);
    try {
      const op = readRequest(this.memory, pointer);
      if (op.name === 'cancel') session.arrive(id, session.stop(op.target));
      else if (op.name === 'end') this.end(io, session);
      else if (op.name === 'begin') this.addBoard(session, op);
      else session.take(op);
    } catch (error) {
      session.arrive(id, valueOf(error));
    }
  }

  addBoard(session, { bytes }) {
    if (session.board !== null) throw new HostError('EALREADY');
    session.board = new Board(session, this.memory, bytes);
    this.boards.push(session.board);
  }

  poll(io, pointer, max) {
    const session = this.sessionOf(io);
    session.board?.look();
    if (session.queue.length > 0) session.begin();
    return session.arrived > 0 ? this.hand(session, pointer, max) : 0;
  }

  /** Does the reads that stand on the boards, or begins them. How many have completed. */
  look() {
    let done = 0;
    for (let i = 0; i < this.boards.length; i++) done += this.boards[i].look();
    return done;
  }

  /** Says that the driver is ticking, and calls look() after each tick, or no longer does. */
  watch(on) {
    this.ticking = on;
    for (const board of this.boards) board.watch(on);
  }

  // Hands over what has arrived. How many.
  hand(session, pointer, max) {
    const { ids, values } = session, count = Math.min(max, session.arrived);
    for (let i = 0; i < count; i++) writeCompletion(this.memory, pointer, i, ids[i], values[i]);
    session.arrived -= count;
    if (session.arrived > 0) for (const list of [ids, values]) list.splice(0, count);
    return count;
  }

  /** Begins what was submitted, as a poll does. */
  begin() {
    for (const session of this.sessions.values()) session.begin();
  }

  end(io, session) {
    this.sessions.delete(io);
    this.boards = this.boards.filter((board) => board !== session.board);
    this.io = -1;
    session.queue.length = 0;
    session.work.end();
  }

  /** The module has stopped: what it has open is closed, and what has not begun never does. A host that cannot close
   *  something is said to the log: why the module has stopped is what counts. */
  stop(error) {
    this.stopped ??= error;
    for (const [io, session] of this.sessions) {
      try {
        this.end(io, session);
      } catch (other) {
        this.log('error', `what the module has open could not be closed: ${other.message ?? other}`);
      }
    }
    this.onStop(error);
  }
}

// What one Io has submitted.
class Session {
  constructor(bridge) {
    this.bridge = bridge;
    this.work = bridge.host.session();
    this.parallel = bridge.host.parallel;
    this.readsNow = this.work.readNow !== undefined && bridge.can.has('read'); // what a board tells is done at once
    this.board = null; // once the Io has said where it is
    this.queue = []; // ops that have not begun
    this.running = 0;
    // Not yet handed over: so many of these. The lists keep their length, since to empty one costs more than to fill it.
    this.arrived = 0;
    this.ids = [];
    this.values = [];
  }

  // It begins in a poll, or as soon as there is its turn.
  take(op) {
    if (!this.bridge.can.has(op.name)) throw new HostError('EOPNOTSUPP');
    this.queue.push(op);
  }

  begin() {
    if (this.queue.length === 1 && this.running < this.parallel) return this.run(this.queue.pop()); // without copies
    let begun = 0;
    while (begun < this.queue.length && this.running < this.parallel) {
      // Only what begins now: what stays in the queue may be stopped, and its memory be another's then.
      const part = this.queue.slice(begun, begun + this.parallel - this.running);
      if (part.length > 1) this.work.gather?.(part);
      for (const op of part) this.run(op);
      begun += part.length;
    }
    this.queue.splice(0, begun);
  }

  run(op) {
    const { id } = op;
    let value;
    try {
      value = this.work.start(op);
    } catch (error) {
      value = valueOf(error);
    }
    if (typeof value === 'number') {
      this.arrive(id, value);
      return;
    }
    this.running++;
    const ended = (count) => {
      this.running--;
      this.arrive(id, count);
      this.begin();
    };
    value.then(ended, (error) => ended(valueOf(error)));
  }

  stop(id) {
    const at = this.queue.findIndex(({ id: other }) => other[0] === id[0] && other[1] === id[1]);
    if (at < 0) return valueOf(new HostError('EALREADY'));
    this.queue.splice(at, 1);
    this.arrive(id, valueOf(new HostError('ECANCELED')));
    return 0;
  }

  arrive(id, value) {
    if (id[0] === 0 && id[1] === 0) return; // nobody's
    this.values[this.arrived] = value;
    this.ids[this.arrived] = id;
    if (++this.arrived === 1 && !this.bridge.ticking) this.bridge.onArrival(); // else the driver looks
  }
}

/** Makes an instance of `module` (a WebAssembly.Module) on `host`; `imports` are added, or take the place
 *  of the bridge's. The module must export its memory, or import `imports.env.memory`. */
export async function instantiate(module, host, { log, imports = {} } = {}) {
  const bridge = new Bridge(host, { log });
  const instance = await WebAssembly.instantiate(module, { ...bridge.imports(), ...imports });
  const { exports } = instance;
  bridge.memory = exports.memory ?? imports.env?.memory;
  if (typeof exports.tempest_abi !== 'function') throw new Error('this module has no WasmIo: it exports no tempest_abi');
  if (exports.tempest_abi() !== ABI_VERSION)
    throw new Error(`this host speaks version ${ABI_VERSION} of tempest_host, the module version ${exports.tempest_abi()}`);
  exports._initialize?.();
  bridge.tick = exports.tempest_tick ?? null;
  return { bridge, exports: guarded(exports, bridge) };
}

// Nobody calls a module again that has been left in the midst of a call: its files are closed.
function guarded(exports, bridge) {
  const guard = (call) => (...args) => {
    if (bridge.stopped !== null) throw bridge.stopped;
    try {
      return call(...args);
    } catch (error) {
      bridge.stop(error);
      throw error;
    }
  };
  return Object.fromEntries(Object.entries(exports).map(([name, it]) => [name, typeof it === 'function' ? guard(it) : it]));
}

// enum tp_progress
const PROGRESS = 0, STUCK = 4, FINISHED = 5;

// Ticks go on for so long while there is something to do, before others have their turn; that takes a browser 40 us. The
// clock is looked at once in so many, since to do so takes as long as a good part of a tick.
const TICKS_MS = 4, LOOK_TICKS = 8;

// Comes back in a moment, after everything else that is due: setTimeout(0) would be 4 ms in a browser.
function makeYield() {
  if (typeof setImmediate === 'function') return (callback) => setImmediate(callback);
  const channel = new MessageChannel();
  const callbacks = [];
  channel.port1.onmessage = () => callbacks.shift()();
  return (callback) => {
    callbacks.push(callback);
    channel.port2.postMessage(0);
  };
}

/** Drives a module until its machines have ended: resolves then, and rejects when they are stuck or the
 *  module has stopped (it must not be called again). Whoever calls another export of the module that
 *  submits something or wakes a machine calls wake() afterwards. */
export class Driver {
  constructor({ bridge, exports }) {
    this.exports = exports;
    this.bridge = bridge;
    this.later = makeYield();
    this.onTick = null; // called after each, if there is one
    this.due = false; // a tick is scheduled
    this.over = false;
    this.timer = null;
    this.ticks = 0;
    this.finished = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
    bridge.onArrival = () => this.wake();
    bridge.onStop = (error) => this.over || this.end(this.reject, error);
  }

  start() {
    this.wake();
    return this.finished;
  }

  /** One tick for all that arrives until then. */
  wake() {
    if (this.due || this.over) return;
    this.due = true;
    this.later(() => this.tick());
  }

  end(settle, value) {
    this.over = true;
    clearTimeout(this.timer);
    settle(value);
  }

  tick() {
    if (this.over) return;
    const { bridge } = this, tick = bridge.tick ?? this.exports.tempest_tick;
    let began = 0;
    this.due = false;
    bridge.watch(true);
    try {
      for (let count = 1; ; count++) {
        this.ticks++;
        bridge.clockGood--;
        const progress = tick();
        if (this.onTick !== null) this.onTick();
        if (this.over) return;
        // What a host does at once is there for the next tick.
        if (bridge.look() === 0 && progress !== PROGRESS && this.rests(progress)) return;
        if (count % LOOK_TICKS !== 0) continue;
        const now = Date.now();
        if (count === LOOK_TICKS) began = now;
        else if (now < began || now >= began + TICKS_MS) return this.wake();
      }
    } catch (error) {
      if (bridge.tick !== null && bridge.stopped === null) bridge.stop(error); // nobody else has seen it
      if (!this.over) this.end(this.reject, error);
    } finally {
      bridge.watch(false);
      bridge.clockGood = 0; // time goes by until the next
    }
  }

  // Whether nothing is to be done for the moment, or any more.
  rests(progress) {
    if (progress === FINISHED) this.end(this.resolve);
    else if (progress === STUCK) this.end(this.reject, new Error('stuck: machines wait and nothing can wake them'));
    else if (this.bridge.pending) return false;
    else this.arm(this.exports.tempest_timeout_ns());
    return true;
  }

  arm(timeoutNs) {
    clearTimeout(this.timer);
    this.timer = null;
    if (timeoutNs === 0n) return this.wake();
    if (timeoutNs < 0n) return;
    const ms = Math.min(Math.ceil(Number(timeoutNs) / 1e6), 0x7fffffff);
    this.timer = setTimeout(() => this.wake(), ms);
  }
}
