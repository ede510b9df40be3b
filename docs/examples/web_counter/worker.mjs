// worker.mjs - runs the counter in a dedicated worker, which alone may have synchronous access to files.
import { Driver, instantiate } from './host/bridge.mjs';
import { opfsHost } from './host/opfs.mjs';

// Before the first await, or what the page says meanwhile is lost.
const clicks = [];
let click = () => clicks.push(0);
onmessage = () => click();

async function main() {
  const module = await WebAssembly.compileStreaming(fetch('./counter.wasm'));
  const program = await instantiate(module, await opfsHost({ directory: 'tempest-counter' }));
  const { exports } = program;
  const driver = new Driver(program);
  const tell = () => postMessage({ value: exports.counter_value(), state: exports.counter_state(), error: exports.counter_error() });
  new TextEncoder().encodeInto('/log\0', new Uint8Array(exports.memory.buffer, exports.counter_directory(), 1024));
  const error = exports.counter_start();
  if (error < 0) throw new Error(`the counter cannot be started (${error})`);
  click = () => {
    exports.counter_add();
    driver.wake();
  };
  clicks.forEach(click);
  driver.onTick = tell;
  await driver.start();
}

main().catch((error) => postMessage({ problem: error.message, code: error.code ?? 'EIO' }));
