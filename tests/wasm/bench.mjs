// bench.mjs BIN [ROUNDS]: what an operation costs through the host of Node, and how large the modules are.
// Medians of interleaved rounds; `fs.promises` does the same reads beside it, one at a time.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { Driver, instantiate } from '../../io/wasm/host/bridge.mjs';
import { memoryHost } from '../../io/wasm/host/memory.mjs';
import { nodeHost } from '../../io/wasm/host/node.mjs';

const [, , bin, rounds = '5'] = process.argv;
const BLOCK = 4096, BLOCKS = 1024, COUNT = 2000;
const module = await WebAssembly.compile(fs.readFileSync(path.join(bin, 'bench.wasm')));
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tempest-bench-'));
const file = path.join(folder, 'file');
fs.writeFileSync(file, new Uint8Array(BLOCK * BLOCKS));
const inMemory = memoryHost();
const disk = inMemory.session();
disk.start({ name: 'open', path: Buffer.from('/file'), flags: 0, fd: 0, options: 7 });
disk.start({ name: 'write', fd: 0, bytes: new Uint8Array(BLOCK * BLOCKS), offset: 0 });

async function onHost(host, at, writes, depth) {
  const program = await instantiate(module, host, { imports: { bench: { begun() {}, ended() {} } } });
  const { exports } = program;
  new TextEncoder().encodeInto(`${at}\0`, new Uint8Array(exports.memory.buffer, exports.bench_path(), 1024));
  assert.equal(exports.bench_start(writes, depth, COUNT), 0);
  const driver = new Driver(program);
  const start = performance.now();
  await driver.start();
  const us = ((performance.now() - start) * 1000) / COUNT;
  assert.equal(exports.bench_result(), 0);
  return { us, ticks: driver.ticks };
}

async function promises() {
  const handle = await fs.promises.open(file);
  const bytes = new Uint8Array(BLOCK);
  const start = performance.now();
  for (let i = 0; i < COUNT; i++) await handle.read(bytes, 0, BLOCK, ((i * 389) % BLOCKS) * BLOCK);
  const us = ((performance.now() - start) * 1000) / COUNT;
  await handle.close();
  return { us, ticks: COUNT };
}

const rows = [['fs.promises, read, 1 at a time', promises]];
for (const depth of [1, 32])
  for (const writes of [0, 1])
    rows.push([`Node, ${writes ? 'write' : 'read'}, ${depth} at a time`, () => onHost(nodeHost(), file, writes, depth)]);
rows.push(['memory, read, 32 at a time', () => onHost(inMemory, '/file', 0, 32)]);
const results = rows.map(() => []);
for (let round = 0; round < Number(rounds); round++)
  for (const [i, [, run]] of rows.entries()) results[i].push(await run());
for (const [i, [name]] of rows.entries()) {
  const sorted = results[i].sort((a, b) => a.us - b.us);
  const { us, ticks } = sorted[sorted.length >> 1];
  console.log(`${name.padEnd(32)} ${us.toFixed(1).padStart(7)} us  ${ticks} ticks for ${COUNT}`);
}
const modules = fs.readdirSync(bin).filter((name) => name.endsWith('.wasm')).map((name) => path.join(bin, name));
for (const file of [...modules, path.join(bin, '../web-counter/counter.wasm')].filter((name) => fs.existsSync(name))) {
  const bytes = fs.readFileSync(file);
  console.log(`${path.basename(file).padEnd(32)} ${bytes.length} bytes, ${zlib.gzipSync(bytes).length} compressed`);
}
fs.rmSync(folder, { recursive: true });
