// conformance.mjs MODULE [--host node|memory] [--dir DIR] [--only PART]... [--table FILE]
//
// Runs the conformance suite, compiled to wasm, on one of the hosts, in Node. Ends with a line that counts;
// status 0: all passed or were skipped for want of something that the caps lack, 1: something failed.
import fs from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { parseArgs } from 'node:util';
import { Bridge } from '../../io/wasm/host/bridge.mjs';
import { MAILBOX_BYTES, serve } from './remote.mjs';

const PAGES = 1024; // as the module is linked
const WORDS = ['pass', '**fail**', 'skip'];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    host: { type: 'string', default: 'node' },
    dir: { type: 'string', default: '.' },
    only: { type: 'string', multiple: true, default: [] },
    table: { type: 'string' },
  },
});
const { [`${options.host}Host`]: makeHost } = await import(`../../io/wasm/host/${options.host}.mjs`);
const host = makeHost();
const root = options.host === 'node' ? path.resolve(options.dir, `conformance-wasm-${process.pid}`) : '/conformance';
const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
const mailbox = new SharedArrayBuffer(MAILBOX_BYTES);
const answer = serve(new Bridge(host), memory, mailbox);
const counts = [0, 0, 0];
const lines = [`| subject | program | wasm (${options.host === 'node' ? 'Node' : options.host}) |`, '|---|---|---|']; // as tests/conformance/table.py reads them
let violations = -1;

process.umask(0o022); // what the programs expect
if (options.host === 'node') fs.mkdirSync(root);
const worker = new Worker(new URL('./conformance_worker.mjs', import.meta.url), {
  workerData: {
    module: await WebAssembly.compile(fs.readFileSync(positionals[0])),
    memory, mailbox, features: host.features, root, only: options.only,
  },
});
worker.on('message', (message) => {
  const [name, ...args] = message;
  if (name === 'print') process.stdout.write(args[0]);
  else if (name === 'end') [violations] = args;
  else if (name === 'result') {
    const [program, result, lacking, subject] = args;
    counts[result]++;
    lines.push(`| ${subject} | \`${program}\` | ${WORDS[result]} |`);
    if (result !== 0) console.log(`wasm: ${program}: ${result === 1 ? 'failed' : `skipped: no ${lacking}`}`);
  } else answer();
});
worker.on('error', (error) => console.log(error.stack));
worker.on('exit', () => {
  if (options.host === 'node') fs.rmSync(root, { recursive: true, force: true });
  if (options.table && violations === 0) fs.writeFileSync(options.table, `${lines.join('\n')}\n`);
  console.log(`${counts[0]} passed, ${counts[1]} failed, ${counts[2]} skipped`);
  if (violations !== 0) console.log(violations < 0 ? 'it did not come to its end' : `the host broke the rules ${violations} times`);
  process.exitCode = counts[1] > 0 || counts[0] === 0 || violations !== 0 ? 1 : 0;
});
