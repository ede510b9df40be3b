// bench_browser.mjs BIN [ROUNDS]: what 4 KiB cost on the private file system of a browser, through a module and its
// host, beside the browser's own calls, in one worker. The best of interleaved rounds: what is measured is a few
// microseconds, and whatever else the machine does adds to it.
import fs from 'node:fs';
import path from 'node:path';
import { makeProfile, prepare, ROOT, serveFiles, startBrowser } from './browser.mjs';

const [, , bin, rounds = '30'] = process.argv;
const COUNT = 300;
const parts = await prepare();
const profile = makeProfile();
const { server, url } = await serveFiles((name) => {
  if (name === '/bench.wasm') return { file: path.join(bin, 'bench.wasm') };
  const file = path.join(ROOT, path.normalize(name));
  return /^\/(tests\/wasm|io\/wasm\/host)\/[a-z_]+\.(mjs|html)$/.test(name) ? { file } : undefined;
});

let answer;
try {
  const browser = await startBrowser(parts, profile);
  const page = await browser.context.newPage();
  await page.goto(`${url}/tests/wasm/conformance_browser.html`);
  answer = await page.evaluate((order) => new Promise((resolve) => {
    const worker = new Worker('./bench_browser_worker.mjs', { type: 'module' });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => resolve({ error: event.message });
    worker.postMessage(order);
  }), { rounds: Number(rounds), count: COUNT });
  await browser.close();
} finally {
  server.close();
  fs.rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
}
if (answer.error) {
  console.log(`the bench failed: ${answer.error}`);
  process.exit(1);
}
console.log('us each             bare   one at a time   32 at a time');
for (const { name, ...figures } of answer.rows) {
  const [bare, one, many] = [figures.bare, figures.one, figures.many].map((us) => Math.min(...us));
  const column = (us) => `${us.toFixed(1).padStart(7)} ${(us / bare).toFixed(2)}x`;
  console.log(`${name.padEnd(17)} ${bare.toFixed(1).padStart(6)}   ${column(one)}   ${column(many)}`);
}
const [one, many] = [answer.idle.one, answer.idle.many].map((us) => Math.min(...us).toFixed(1).padStart(7));
console.log(`without a file             ${one}         ${many}`);
