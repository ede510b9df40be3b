// ioredis.js: ioredis as it comes. It speaks RESP2 only.
"use strict";
const assert = require("node:assert");
const { find, refused, run, port, secretPort } = require("./library.js");
const Redis = find("ioredis");

run("ioredis", async () => {
    const client = new Redis({ port });
    const other = new Redis({ port, db: 2 });

    assert.strictEqual(await client.ping(), "PONG");
    assert.strictEqual(await client.set("greeting", "hello world", "EX", 100), "OK");
    assert.strictEqual(await client.get("greeting"), "hello world");
    assert.strictEqual(await client.get("nobody"), null);
    assert.strictEqual(await client.ttl("greeting"), 100);
    assert.deepStrictEqual(await client.mget("greeting", "nobody"), ["hello world", null]);
    const bytes = Buffer.from([0, 13, 10, 255]);
    await client.set("bytes", bytes);
    assert.deepStrictEqual(await client.getBuffer("bytes"), bytes);
    assert.strictEqual(await other.dbsize(), 0);

    // What is asked without waiting goes out together, by itself and as a pipeline.
    const sums = await Promise.all(Array.from({ length: 2000 }, () => client.incr("n")));
    assert.deepStrictEqual(sums, Array.from({ length: 2000 }, (_, i) => i + 1));
    const replies = await client.pipeline().set("a", 1).incr("greeting").get("a").exec();
    assert.deepStrictEqual(replies[0], [null, "OK"]);
    assert.match(replies[1][0].message, /^ERR value is not an integer/);
    assert.deepStrictEqual(replies[2], [null, "1"]);

    assert.deepStrictEqual(await client.multi().incr("a").get("a").exec(), [[null, 2], [null, "2"]]);
    await client.watch("a");
    const intruder = client.duplicate();
    await intruder.set("a", 7);
    assert.strictEqual(await client.multi().set("a", 8).exec(), null);
    assert.strictEqual(await client.get("a"), "7");

    await refused(client.incr("greeting"), /^ERR value is not an integer or out of range$/);
    await refused(client.call("GET"), /^ERR wrong number of arguments for 'get' command$/);
    await refused(client.lpush("a", "b"), /^ERR unknown command 'lpush'/);

    const found = new Set();
    for (let i = 0; i < 500; i++) client.set(`key:${i}`, i);
    for await (const keys of client.scanStream({ match: "key:*", count: 50 })) keys.forEach((key) => found.add(key));
    assert.strictEqual(found.size, 500);

    const stranger = new Redis({ port: secretPort });
    stranger.on("error", (error) => assert.match(error.message, /^NOAUTH/));
    await refused(stranger.get("a"), /^NOAUTH/);
    const friend = new Redis({ port: secretPort, password: "open sesame" });
    assert.strictEqual(await friend.set("a", 1), "OK");
    for (const each of [client, other, intruder, stranger, friend]) each.disconnect();
});
