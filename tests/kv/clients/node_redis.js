// node_redis.js: node-redis (the package `redis`) as it comes, in RESP2 and in RESP3.
"use strict";
const assert = require("node:assert");
const { find, refused, run, port, secretPort } = require("./library.js");
const { createClient, RESP_TYPES } = find("redis");

async function open(options) {
    const client = createClient({ socket: { port, reconnectStrategy: false }, ...options });
    client.on("error", () => {});
    await client.connect();
    return client;
}

async function speak(client) {
    const other = await open();

    assert.strictEqual(await client.flushAll(), "OK");
    assert.strictEqual(await client.ping(), "PONG");
    assert.strictEqual(await client.set("greeting", "hello world", { EX: 100 }), "OK");
    assert.strictEqual(await client.get("greeting"), "hello world");
    assert.strictEqual(await client.get("nobody"), null);
    assert.strictEqual(await client.ttl("greeting"), 100);
    assert.deepStrictEqual(await client.mGet(["greeting", "nobody"]), ["hello world", null]);
    const bytes = Buffer.from([0, 13, 10, 255]);
    await client.set("bytes", bytes);
    const raw = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    assert.deepStrictEqual(await raw.get("bytes"), bytes);

    const sums = await Promise.all(Array.from({ length: 2000 }, () => client.incr("n")));
    assert.deepStrictEqual(sums, Array.from({ length: 2000 }, (_, i) => i + 1));

    assert.deepStrictEqual(await client.multi().set("a", "1").incr("a").get("a").exec(), ["OK", 2, "2"]);
    await client.watch("a");
    await other.set("a", "7");
    await assert.rejects(client.multi().set("a", "8").exec(), { name: "Error" });
    assert.strictEqual(await client.get("a"), "7");

    await refused(client.incr("greeting"), /^ERR value is not an integer or out of range$/);
    await refused(client.sendCommand(["GET"]), /^ERR wrong number of arguments for 'get' command$/);
    await refused(client.lPush("a", "b"), /^ERR unknown command 'LPUSH'/);

    const found = new Set();
    await Promise.all(Array.from({ length: 500 }, (_, i) => client.set(`key:${i}`, String(i))));
    for await (const keys of client.scanIterator({ MATCH: "key:*", COUNT: 50 })) keys.forEach((key) => found.add(key));
    assert.strictEqual(found.size, 500);
    client.destroy();
    other.destroy();
}

run("node-redis", async () => {
    await speak(await open());
    await speak(await open({ RESP: 3 }));
    const secret = { socket: { port: secretPort, reconnectStrategy: false } };
    const stranger = await open(secret);
    await refused(stranger.get("a"), /^NOAUTH/);
    stranger.destroy();
    await refused(open({ ...secret, password: "wrong" }), /^WRONGPASS/);
    for (const RESP of [2, 3]) {
        const friend = await open({ ...secret, RESP, password: "open sesame" });
        assert.strictEqual(await friend.set("a", "1"), "OK");
        friend.destroy();
    }
});
