// tests/wasm/remote.mjs - a module in one thread and its host in another, which share the memory.
//
// For programs that run to their end in one call and so must block: an import is a request in a mailbox,
// and the module's thread sleeps until the host's has answered it. The host's stays at the mailbox for as
// long as requests follow each other, and goes back to its own events when the module waits for one. Host
// and bridge are those that are shipped. Works alike in Node's threads and in a browser's workers.
import { Bridge } from '../../io/wasm/host/bridge.mjs';

// Words of the mailbox.
const REQUEST = 0, ANSWERED = 1, LISTENING = 2, VALUE = 3, ARGUMENTS = 4;
export const MAILBOX_BYTES = 28;
const SUBMIT = 1, POLL = 2, WAIT = 3;
const PATIENCE_MS = 2;

/** In the host's thread: answers what `remoteImports` asks. Returns the function that is to be called when
 *  the message ['knock'] comes. */
export function serve(bridge, memory, mailbox) {
  const words = new Int32Array(mailbox);
  let sleeping = false; // the module waits for a completion
  let timer = null;
  const answer = (value) => {
    words[VALUE] = value;
    Atomics.store(words, ANSWERED, 1);
    Atomics.notify(words, ANSWERED);
  };
  const wakeUp = () => {
    if (!sleeping) return;
    sleeping = false;
    clearTimeout(timer);
    answer(0);
    listen();
  };
  const handle = (request, io, pointer, max) => {
    if (request === SUBMIT) answer(bridge.submit(io, pointer) ?? 0);
    else if (request === POLL) answer(bridge.poll(io, pointer, max));
    else {
      bridge.begin();
      if (bridge.pending || io === 0) return answer(0);
      sleeping = true;
      timer = io < 0 ? null : setTimeout(wakeUp, io);
    }
  };
  const listen = () => {
    Atomics.store(words, LISTENING, 1);
    while (!sleeping) {
      Atomics.wait(words, REQUEST, 0, PATIENCE_MS);
      const request = Atomics.exchange(words, REQUEST, 0);
      if (request === 0) break;
      handle(request, words[ARGUMENTS], ...Array.from(words.subarray(ARGUMENTS + 1), (word) => word >>> 0));
    }
    Atomics.store(words, LISTENING, 0);
    if (Atomics.load(words, REQUEST) !== 0) listen();
  };
  bridge.memory = memory;
  bridge.onArrival = () => queueMicrotask(wakeUp); // what else arrives now, arrives before
  return () => {
    if (Atomics.load(words, REQUEST) !== 0) listen();
  };
}

/** In the module's thread: the imports. `post` sends a message to the host's thread. */
export function remoteImports(features, memory, mailbox, post) {
  const words = new Int32Array(mailbox);
  const call = (request, ...args) => {
    args.forEach((value, i) => (words[ARGUMENTS + i] = value));
    Atomics.store(words, ANSWERED, 0);
    Atomics.store(words, REQUEST, request);
    Atomics.notify(words, REQUEST);
    if (Atomics.load(words, LISTENING) === 0) post(['knock']);
    while (Atomics.load(words, ANSWERED) === 0) Atomics.wait(words, ANSWERED, 0); // an old notify may wake it
    return words[VALUE];
  };
  const print = (text) => post(['print', text]);
  const local = new Bridge({ features }, { log: (level, text) => print(`${level}: ${text}\n`) });
  local.memory = memory;
  return {
    env: { memory },
    tempest_host: {
      ...local.imports().tempest_host,
      submit: (io, request) => void call(SUBMIT, io, request),
      poll: (...args) => call(POLL, ...args),
    },
    tempest_test: { wait: (ns) => void call(WAIT, ns < 0n ? -1 : Math.ceil(Number(ns) / 1e6)) },
  };
}
