// library.js: what the tests of both npm clients share.
"use strict";
const assert = require("node:assert");

// The library, from build/clients; exits with 77 when it was not installed.
function find(name) {
    try {
        return require(require.resolve(name, { paths: [process.env.KV_CLIENTS] }));
    } catch (error) {
        if (error.code !== "MODULE_NOT_FOUND") throw error;
        console.log(`skipped: ${name} is not in build/clients (npm, or its registry, was not there)`);
        process.exit(77);
    }
}

// The promise must be refused with an error that says this.
async function refused(promise, pattern) {
    await assert.rejects(promise, (error) => pattern.test(error.message) || assert.fail(`it says: ${error.message}`));
}

// Runs a test, and fails when it has not ended after a minute.
function run(name, test) {
    const patience = setTimeout(() => {
        console.log(`${name} hangs`);
        process.exit(1);
    }, 60000);
    test().then(
        () => {
            clearTimeout(patience);
            console.log(`${name}: it works`);
        },
        (error) => {
            console.log(error);
            process.exit(1);
        },
    );
}

module.exports = { find, refused, run, port: Number(process.env.KV_PORT), secretPort: Number(process.env.KV_SECRET_PORT) };
