// counter.mjs FOLDER: the example page in a browser. What was counted is there after a reload, a restart and
// a killed browser; a second tab and a browser that keeps nothing are told so.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { makeProfile, prepare, serveFiles, startBrowser } from './browser.mjs';

const folder = process.argv[2];
const parts = await prepare();
const profile = makeProfile();
const REFUSES = `Object.defineProperty(navigator.storage, 'getDirectory',
  { value: () => Promise.reject(new DOMException('not here', 'SecurityError')) });\n`;
const { server, url } = await serveFiles((name) => {
  const refused = name.startsWith('/refused/');
  const file = path.join(folder, path.normalize(name.replace(/^\/refused\//, '/')).replace(/\/$/, '/index.html'));
  return { file, before: refused && name.endsWith('worker.mjs') ? REFUSES : '' };
});

async function visit(context, at = '/') {
  const page = await context.newPage();
  page.on('pageerror', (error) => assert.fail(`the page failed: ${error}`));
  await page.goto(url + at);
  return page;
}
const shows = (page, value) =>
  page.waitForFunction((wanted) => document.getElementById('value').textContent === wanted, String(value));
async function count(page, clicks) {
  for (let i = 0; i < clicks; i++) await page.click('#add');
}
async function complains(page, code, text) {
  await page.waitForFunction((wanted) => document.getElementById('says').dataset.code === wanted, code);
  assert.match(await page.textContent('#says'), text);
  assert.ok(await page.isDisabled('#add'));
}

try {
  let browser = await startBrowser(parts, profile);
  let page = await visit(browser.context, '/refused/');
  await complains(page, 'EACCES', /does not let this page keep files/);
  await page.close();
  page = await visit(browser.context);
  await shows(page, 0);
  await count(page, 5);
  await shows(page, 5);
  await page.reload();
  await shows(page, 5);
  await complains(await visit(browser.context), 'EBUSY', /another tab/);
  await count(page, 1); // the first one goes on
  await shows(page, 6);
  await browser.close();

  browser = await startBrowser(parts, profile);
  page = await visit(browser.context);
  await shows(page, 6);
  await count(page, 3);
  await shows(page, 9);
  await browser.kill();

  browser = await startBrowser(parts, profile);
  page = await visit(browser.context);
  await shows(page, 9);
  await count(page, 1);
  await shows(page, 10);
  await browser.close();
  console.log('reload, restart, kill, second tab, refusal: as they should be');
} finally {
  server.close();
  fs.rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
}
process.exit(0);
