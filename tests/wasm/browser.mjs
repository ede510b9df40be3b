// tests/wasm/browser.mjs - what the tests in a browser share: the browser, and who serves it.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TYPES = { '.html': 'text/html', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };

/** Ends the test as skipped. */
export function skip(why) {
  console.log(`skipped: ${why}`);
  process.exit(77);
}

/** playwright-core and the browser's path; without them the test is skipped. */
export async function prepare() {
  const executable = ['chromium', 'chromium-browser', 'google-chrome']
    .flatMap((name) => process.env.PATH.split(':').map((folder) => path.join(folder, name)))
    .find((file) => fs.existsSync(file));
  if (!executable) skip('there is no chromium');
  const library = path.join(ROOT, 'build/clients/node_modules/playwright-core/index.mjs');
  if (!fs.existsSync(library)) skip('there is no playwright-core (apps/setup.sh --tests)');
  return { executable, playwright: (await import(pathToFileURL(library))).chromium };
}

/** Serves files: `find` gives {file, before} for a path of a URL, or nothing. Loopback only. */
export async function serveFiles(find) {
  const server = http.createServer((request, response) => {
    const { file, before = '' } = find(new URL(request.url, 'http://x').pathname) ?? {};
    if (!file || !fs.existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, {
      'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream',
      'cross-origin-opener-policy': 'same-origin', // for shared memory
      'cross-origin-embedder-policy': 'require-corp',
    });
    response.end(Buffer.concat([Buffer.from(before), fs.readFileSync(file)]));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}

export const makeProfile = () => fs.mkdtempSync(path.join(os.tmpdir(), 'tempest-browser-'));

/** Starts a browser on a profile. kill() is -9, for it and its processes; close() the good end. */
export async function startBrowser({ executable, playwright }, profile) {
  const child = spawn(executable, ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
    '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'],
    { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  const gone = new Promise((resolve) => child.on('exit', resolve));
  const address = await new Promise((resolve, reject) => {
    let text = '';
    child.stderr.on('data', (part) => {
      text += part;
      const found = /DevTools listening on (ws:\S+)/.exec(text);
      if (found) resolve(found[1]);
    });
    gone.then(() => reject(new Error(`the browser does not start:\n${text}`)));
  });
  const browser = await playwright.connectOverCDP(address);
  const context = browser.contexts()[0];
  const end = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch { /* it has gone already */ }
  };
  process.on('exit', end);
  return {
    context,
    async kill() {
      end();
      await gone;
    },
    async close() {
      const session = await browser.newBrowserCDPSession();
      await session.send('Browser.close').catch(() => {});
      await gone;
      end();
    },
  };
}
