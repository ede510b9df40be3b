// traces.mjs MODULE NATIVE SEEDS: every scenario gives in the module the trace that it gives natively, event
// for event; the module imports nothing but the log. NATIVE is the program of traces.c.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { argv, stdout } from 'node:process';

import { Engine } from '../../apps/sim/engine/engine.mjs';

const [file, native, seeds] = argv.slice(2);
const module = new WebAssembly.Module(readFileSync(file));

const imports = WebAssembly.Module.imports(module).map((i) => `${i.kind} ${i.module}.${i.name}`);
assert.deepEqual([...new Set(imports)], ['function tempest_host.log']);

const ran = spawnSync(native, [seeds], { encoding: 'utf8', maxBuffer: 1 << 26 });
assert.equal(ran.status, 0, ran.stderr);
const nativeLines = ran.stdout.trimEnd().split('\n');
const engine = new Engine(module, (level, text) => stdout.write(`log ${level}: ${text}\n`));
const names = engine.list().scenarios.map((s) => s.name);
let runs = 0, differ = 0, failed = 0;

// One instance for all: a run leaves nothing behind.
for (const line of nativeLines) {
    const [name, seed] = line.split(' ');
    engine.open(name, seed);
    while (!engine.over) {
        engine.step(5000);
    }
    const { verdict, trace, events } = engine.state();
    const here = `${name} ${seed} ${verdict} ${trace} ${events}`;
    runs++;
    failed += verdict === 'passed' ? 0 : 1;
    if (here !== line) {
        differ++;
        stdout.write(`natively ${line}\nin here  ${here}\n`);
    }
}
engine.close();
stdout.write(`${runs} runs of ${names.length} scenarios, ${failed} of which failed; ${differ} differ\n`);
assert.equal(runs, names.length * Number(seeds));
assert.ok(runs >= 100 && failed > 0);
assert.equal(differ, 0);
