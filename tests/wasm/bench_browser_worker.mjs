// tests/wasm/bench_browser_worker.mjs - in a worker of a browser: 4 KiB through the module, and by the bare calls.
import { Driver, instantiate } from '../../io/wasm/host/bridge.mjs';
import { opfsHost } from '../../io/wasm/host/opfs.mjs';

const BLOCK = 4096, BLOCKS = 1024, PLACE = 389; // as in bench_module.c
const KINDS = { read: 0, write: 1, 'write and flush': 2 };
const SHARE = { read: 20, write: 4, 'write and flush': 0.2 }; // how many, of those that are ordered

// What the browser's own calls take, in us each.
async function bare(name, count) {
  const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('bench');
  const handle = await (await root.getFileHandle('file')).createSyncAccessHandle();
  const bytes = new Uint8Array(BLOCK);
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    const at = ((i * PLACE) % BLOCKS) * BLOCK;
    if (name === 'read') handle.read(bytes, { at });
    else handle.write(bytes, { at });
    if (name === 'write and flush') handle.flush();
  }
  const us = ((performance.now() - start) * 1000) / count;
  handle.close();
  return us;
}

async function through(module, host, name, depth, count) {
  let start, end; // without opening and closing
  const bench = { begun: () => (start = performance.now()), ended: () => (end = performance.now()) };
  const program = await instantiate(module, host, { imports: { bench } });
  const { exports } = program;
  new TextEncoder().encodeInto('/file\0', new Uint8Array(exports.memory.buffer, exports.bench_path(), 1024));
  if (exports.bench_start(KINDS[name], depth, count) !== 0) throw new Error('the bench does not start');
  await new Driver(program).start();
  if (exports.bench_result() !== 0) throw new Error(`${name}: ${exports.bench_result()}`);
  return ((end - start) * 1000) / count;
}

// Everything but a file: what module, bridge and driver cost by themselves.
const idleHost = () => ({
  features: ['open', 'close', 'read'],
  parallel: 64,
  clockTicks: 8, // as that of the files
  session: () => ({ start: () => 0, readNow: (fd, bytes) => bytes.length, end() {} }),
});

onmessage = async ({ data: { rounds, count } }) => {
  try {
    const module = await WebAssembly.compileStreaming(fetch('/bench.wasm'));
    const host = await opfsHost({ directory: 'bench' });
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('bench');
    const handle = await (await root.getFileHandle('file', { create: true })).createSyncAccessHandle();
    handle.write(new Uint8Array(BLOCK * BLOCKS), { at: 0 });
    handle.close();
    const rows = Object.keys(KINDS).map((name) => ({ name, bare: [], one: [], many: [] }));
    const idle = { one: [], many: [] };
    for (let round = 0; round < rounds; round++) {
      for (const row of rows) {
        const times = Math.round(count * SHARE[row.name]);
        const turns = [
          async () => row.bare.push(await bare(row.name, times)),
          async () => row.one.push(await through(module, host, row.name, 1, times)),
          async () => row.many.push(await through(module, host, row.name, 32, times)),
        ];
        // Who writes first finds clean pages, so they take turns at that, too.
        for (let i = 0; i < turns.length; i++) await turns[(round + i) % turns.length]();
      }
    }
    // A page has one host, and code that has seen one only is faster: so this comes last.
    for (let round = 0; round < rounds; round++) {
      idle.one.push(await through(module, idleHost(), 'read', 1, count * SHARE.read));
      idle.many.push(await through(module, idleHost(), 'read', 32, count * SHARE.read));
    }
    postMessage({ rows, idle });
  } catch (error) {
    postMessage({ error: error.message });
  }
};
