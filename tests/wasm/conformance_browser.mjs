// conformance_browser.mjs MODULE [--only PART]... [--table FILE]: the suite in a browser, on its private file system.
//
// What differs there by nature is listed here, and must differ: a name that passes has no place in the list.
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makeProfile, prepare, ROOT, serveFiles, startBrowser } from './browser.mjs';

const DIFFERS = {
  sparse_file_uses_less_than_its_size: 'a browser does not tell what a file uses',
  create_dir_mode: 'there are no modes',
  create_dir_in_mode: 'there are no modes',
};
for (const name of ['open_in_renamed_directory', 'rename_directory', 'rename_directory_over_empty',
  'rename_directory_to_another', 'rename_directory_out_of_itself_goes', 'rename_open_directory',
  'rename_over_open_empty_directory', 'rename_under_open_file', 'rename_directory_with_slash', 'rename_in_directory'])
  DIFFERS[name] = 'a browser does not rename directories';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', multiple: true, default: [] }, table: { type: 'string' } },
});
const parts = await prepare();
const profile = makeProfile();
const PAGE = path.join(ROOT, 'tests/wasm/conformance_browser.html');
const { server, url } = await serveFiles((name) => {
  if (name === '/conformance.wasm') return { file: positionals[0] };
  const file = path.join(ROOT, path.normalize(name));
  return /^\/(tests\/wasm|io\/wasm\/host)\/[a-z_]+\.(mjs|html)$/.test(name) ? { file } : undefined;
});
const counts = { pass: 0, fail: 0, skip: 0, differ: 0 };
const lines = ['| subject | program | wasm (browser) |', '|---|---|---|'];
let ended = false;
try {
  const browser = await startBrowser(parts, profile);
  const page = await browser.context.newPage();
  const over = new Promise((resolve) => {
    page.exposeFunction('told', ([what, name, result, lacking, subject]) => {
      if (what === 'print') process.stdout.write(name);
      else if (what === 'result') {
        const word = result === 1 && DIFFERS[name] ? 'differ' : result === 0 && DIFFERS[name] ? 'fail' : ['pass', 'fail', 'skip'][result];
        counts[word]++;
        lines.push(`| ${subject} | \`${name}\` | ${word} |`);
        if (word !== 'pass') console.log(`opfs: ${name}: ${{ skip: `skipped: no ${lacking}`, differ: DIFFERS[name], fail: 'failed' }[word]}`);
      } else {
        ended = what === 'end' && name === 0;
        if (!ended) console.log(what, name);
        resolve();
      }
    });
  });
  await page.goto(`${url}/tests/wasm/${path.basename(PAGE)}`);
  await page.evaluate((only) => {
    const worker = new Worker('./browser_host.mjs', { type: 'module' });
    worker.onmessage = ({ data }) => window.told(data);
    worker.onerror = (event) => window.told(['failed', event.message]);
    worker.postMessage({ pages: 1024, only });
  }, options.only);
  await over;
  await browser.close();
} finally {
  server.close();
  fs.rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
}
if (ended && options.table) fs.writeFileSync(options.table, `${lines.join('\n')}\n`);
console.log(`${counts.pass} passed, ${counts.fail} failed, ${counts.skip} skipped, ${counts.differ} differ`);
process.exit(ended && counts.fail === 0 && counts.pass > 0 ? 0 : 1);
