#!/usr/bin/env node
// run.mjs MODULE list | MODULE SCENARIO [--seeds A..B | --tape FILE] [--profile P] [--faults +x,-y] [--json]
// The simulator's module in Node: a line a run, as `tempest-sim replay` prints it.
import { readFileSync } from 'node:fs';
import { argv, exit, stderr, stdout } from 'node:process';

import { Engine } from './engine.mjs';

const usage = 'usage: run.mjs MODULE list\n' +
    '       run.mjs MODULE SCENARIO [--seeds A..B | --tape FILE] [--profile P] [--faults +x,-y] [--json]\n';

function readArguments(words) {
    const found = { seeds: [1n, 1n], how: {} };
    for (let i = 0; i < words.length; i++) {
        const [word, value] = [words[i], words[i + 1]];
        if (word === '--json') {
            found.json = true;
        } else if (value !== undefined && word === '--seeds') {
            const [first, last = first] = value.split('..').map(BigInt);
            if (first < 0n || last < first || last >= 2n ** 64n) {
                throw new Error(`${value} are no seeds`);
            }
            found.seeds = [first, last];
            i++;
        } else if (value !== undefined && word === '--tape') {
            found.how.tape = readFileSync(value);
            i++;
        } else if (value !== undefined && (word === '--profile' || word === '--faults')) {
            found.how[word.slice(2)] = value;
            i++;
        } else {
            throw new Error(`${word} is not understood`);
        }
    }
    return found;
}

function run(module, scenario, seed, options) {
    const engine = new Engine(module);
    const began = performance.now();
    let state;
    try {
        engine.open(scenario, seed, options.how);
        while (!engine.over) {
            engine.step(100000);
        }
        state = engine.state();
    } catch (error) {
        if (!(error instanceof WebAssembly.RuntimeError)) {
            throw error;
        }
        state = { verdict: 'stopped', message: engine.said || error.message };
    }
    return { ...state, seed: String(seed), wall_ms: performance.now() - began };
}

function print(scenario, state, json) {
    const { verdict, message, trace, phase, operations, events, now_ns, seed, wall_ms } = state;
    if (json) {
        stdout.write(JSON.stringify({ scenario, seed, verdict, message, trace_hash: trace, operations, events,
            virtual_ns: now_ns, wall_ms }) + '\n');
    } else if (verdict === 'stopped') {
        stdout.write(`${scenario}: stopped, ${message}\n`);
    } else {
        stdout.write(`${scenario}: ${verdict}, trace ${trace}, ended in ${phase}, ${operations} operations\n`);
    }
}

function main(words) {
    if (words.length < 2) {
        stderr.write(usage);
        return 2;
    }
    const module = new WebAssembly.Module(readFileSync(words[0]));
    const [, scenario, ...rest] = words;
    if (scenario === 'list') {
        stdout.write(new Engine(module).list().scenarios.map((s) => `${s.name}  ${s.summary}\n`).join(''));
        return 0;
    }
    const options = readArguments(rest);
    let failed = 0;
    for (let seed = options.seeds[0]; seed <= options.seeds[1]; seed++) {
        const state = run(module, scenario, seed, options);
        failed += state.verdict === 'passed' ? 0 : 1;
        print(scenario, state, options.json);
    }
    return failed === 0 ? 0 : 1;
}

try {
    exit(main(argv.slice(2)));
} catch (error) {
    stderr.write(`run.mjs: ${error.message}\n`);
    exit(2);
}
