// tests/wasm/conformance_worker.mjs - the thread in which the suite runs; for Node and for a browser.
import { remoteImports } from './remote.mjs';

const inNode = typeof process === 'object';
const threads = inNode ? await import('node:worker_threads') : null;
if (inNode) globalThis.crypto ??= (await import('node:crypto')).webcrypto; // for Node 18
const post = inNode ? (message) => threads.parentPort.postMessage(message) : (message) => postMessage(message);

async function main({ module, memory, mailbox, features, root, only }) {
  const { exports } = await WebAssembly.instantiate(module, remoteImports(features, memory, mailbox, post));
  const bytes = () => new Uint8Array(memory.buffer);
  const text = (at) => {
    const end = bytes().indexOf(0, at);
    return new TextDecoder().decode(bytes().slice(at, end));
  };
  exports._initialize();
  if (root.length >= exports.conformance_root_max()) throw new Error('the root has too long a path');
  bytes().set(new TextEncoder().encode(`${root}\0`), exports.conformance_root());
  for (let index = 0, at; (at = exports.conformance_name(index)) !== 0; index++) {
    const name = text(at);
    if (only.length > 0 && !only.some((part) => name.includes(part))) continue;
    const result = exports.conformance_run_program(index);
    post(['result', name, result, text(exports.conformance_skipped()), text(exports.conformance_subject(index))]);
  }
  post(['end', exports.conformance_violations()]);
}

if (inNode) await main(threads.workerData);
else onmessage = (event) => main(event.data).catch((error) => post(['failed', String(error.stack)]));
