// pace.mjs MODULE NATIVE [SEEDS] [ROUNDS]: how long the simulator's module takes for what the same code takes natively.
// NATIVE is the program of pace.c (cmake --build --preset release --target wasm-pace): it lives as long as this one
// does and is asked in turn, so both are warm, and the machine is as busy for one as for the other. What is compared is
// the processor's time of the same seeds of the same scenarios through the same engine. What a first round takes more,
// in which an engine like V8 compiles again what is called often, is said apart, and so is what loading the module takes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { argv, stdout } from 'node:process';
import { createInterface } from 'node:readline';

import { Engine } from '../../apps/sim/engine/engine.mjs';

const [file, native, seeds = '5', rounds = '9'] = argv.slice(2);
const GROUPS = [['kv', /^kv$/], ['log3', /^log3$/], ['copy', /^copy$/], ['zoo', /^zoo-/]];
const WARM = 3; // rounds that do not count

const bytes = readFileSync(file);
let began = performance.now();
const module = new WebAssembly.Module(bytes);
const compiled = performance.now() - began;
began = performance.now();
const engine = new Engine(module, (level, text) => stdout.write(`log ${level}: ${text}\n`));
const made = performance.now() - began;

const program = spawn(native, { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface({ input: program.stdout })[Symbol.asyncIterator]();

async function natively(how, name) {
    program.stdin.write(`${how} ${name} 1 ${seeds}\n`);
    const { value, done } = await answers.next();
    assert.ok(!done, `${native} has ended`);
    const [us, events, ...traces] = value.split(' ');
    return { us: Number(us), events: Number(events), traces };
}

// The traces are asked for outside of what is measured: natively nobody writes a state as JSON.
function inHere(name) {
    const traces = [];
    let us = 0;
    for (let seed = 1; seed <= Number(seeds); seed++) {
        const before = process.cpuUsage();
        engine.open(name, seed);
        while (!engine.over) {
            engine.step(5000);
        }
        const spent = process.cpuUsage(before);
        us += spent.user + spent.system;
        traces.push(engine.state().trace);
    }
    return { us, traces };
}

const middle = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const two = (number) => number.toFixed(2);
const column = (us) => `${(us / 1000).toFixed(1)} ms`.padStart(9);

stdout.write(`to compile ${compiled.toFixed(1)} ms, to make an instance ${made.toFixed(1)} ms; seeds 1 to ${seeds}, ` +
    `medians of ${rounds} rounds; the ratio of the engine here to the engine natively, its middle half, of the best\n`);
stdout.write('            events   tempest-sim    engine   in here   ratio             best   first round\n');
const names = engine.list().scenarios.map((scenario) => scenario.name);
const sums = [];
for (const [group, pattern] of GROUPS) {
    const members = names.filter((name) => pattern.test(name));
    const taken = { run: [], engine: [], here: [] };
    let events, first;
    assert.ok(members.length > 0);
    for (let round = -WARM; round < Number(rounds); round++) {
        const sum = { run: 0, engine: 0, here: 0 };
        events = 0;
        for (const name of members) {
            const run = await natively('run', name), same = await natively('engine', name), here = inHere(name);
            assert.deepEqual(same.traces, run.traces);
            assert.deepEqual(here.traces, run.traces);
            sum.run += run.us;
            sum.engine += same.us;
            sum.here += here.us;
            events += run.events;
        }
        first ??= sum.here / sum.engine;
        if (round >= 0) {
            for (const [key, us] of Object.entries(sum)) {
                taken[key].push(us);
            }
        }
    }
    const ratios = taken.here.map((us, i) => us / taken.engine[i]).sort((a, b) => a - b);
    const half = [ratios[ratios.length >> 2], ratios[Math.ceil(ratios.length * 3 / 4) - 1]].map(two).join(' to ');
    const best = Math.min(...taken.here) / Math.min(...taken.engine);
    sums.push([best, middle(ratios)]);
    stdout.write(`${group.padEnd(8)} ${String(events).padStart(9)}     ${column(middle(taken.run))} ${column(middle(taken.engine))} ` +
        `${column(middle(taken.here))}    ${two(middle(ratios))} ${half.padStart(14)}   ${two(best)}          ${two(first)}\n`);
}
const mean = (which) => Math.exp(sums.reduce((sum, row) => sum + Math.log(row[which]), 0) / sums.length);
stdout.write(`all four, as a geometric mean: ${two(mean(1))} by the medians, ${two(mean(0))} by the best; the goal is 1.5\n`);
engine.close();
program.stdin.end();
