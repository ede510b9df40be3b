"""Redis is the oracle: the engine answers what it answers, byte for byte, and so does the program.

    main.py ENGINE SCRATCH written                     scripts by hand, and malformed requests
    main.py ENGINE SCRATCH random FIRST COUNT [again]  random scripts, by seed; with `again` the log
                                                       lacks room now and then

ENGINE may be tempest-kv itself, which is spoken to over TCP.
Exceptions are in compare.py. Exits with 77 when there is no Redis 7.0.
"""

import os
import random
import sys
import time

import generate
import written
from peer import Program, Server, find_redis
from run import Difference, Pair, run_raw, run_script, run_walk

RANDOM_LENGTH = 1500


def clear(servers):
    pair = Pair(servers)
    pair.command([b"FLUSHALL"])
    pair.close()


def time_passes(servers):
    """What expires while nobody looks is gone for whoever looks next."""
    steps = [b"SET a v PX 30", b"SET b v PX 30", b"SET c v", b"SET d v PX 30", b"WATCH d"]
    after = [b"GET a", b"TTL a", b"EXISTS a b c", b"SETNX b w", b"PTTL b", b"INCRBY a 5", b"RENAME d e",
             b"KEYS *", b"MULTI", b"GET c", b"EXEC", b"RANDOMKEY"]
    pair = Pair(servers)
    for step in steps:
        pair.command(step.split())
    time.sleep(0.2)
    for step in after:
        pair.command(step.split())
    pair.close()


def is_saved(client):
    client.send(b"INFO persistence\r\n")
    return b"rdb_bgsave_in_progress:0" in client.reply()


def saving(servers):
    """Snapshots, one at a time."""
    pair = Pair(servers)
    for steps in ([b"SAVE", b"LASTSAVE", b"BGSAVE"], [b"BGSAVE SCHEDULE"], [b"MULTI", b"BGSAVE", b"EXEC"]):
        for step in steps:
            pair.command(step.split())
        for client in pair.clients:
            while not is_saved(client):
                time.sleep(0.05)
    pair.close()


def shut_down(servers):
    """SHUTDOWN replies nothing, and ends it."""
    pair = Pair(servers)
    pair.command([b"SHUTDOWN", b"NOSAVE"])
    assert pair.closed
    pair.close()


def many_keys(servers):
    """SCAN gives all keys, whatever the options."""
    pair = Pair(servers)
    for begin in range(0, 5000, 500):
        words = [word for i in range(begin, begin + 500) for word in (b"key:%d" % i, b"%d" % i)]
        pair.command([b"MSET", *words])
    pair.command([b"DBSIZE"])
    pair.close()
    for options in ([], [b"COUNT", b"1"], [b"COUNT", b"100", b"MATCH", b"*7*"], [b"COUNT", b"100000"],
                    [b"MATCH", b"key:1?"], [b"TYPE", b"string", b"COUNT", b"77"], [b"TYPE", b"hash"]):
        run_walk(servers, 0, options)


class Servers(list):
    """Both, until the end of the block, however that comes."""

    def __init__(self, redis, engine, **settings):
        if os.path.basename(engine) == "tempest-kv":
            super().__init__([Program(engine, **settings)])
        else:
            super().__init__([Server("engine", engine, **settings)])
        self.append(Server("redis", redis, **settings))
        self.status = 1

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.status = max([server.stop() for server in self])


def run_written(redis, engine):
    replies = 0
    with Servers(redis, engine) as servers:
        for name in written.SCRIPTS:
            for seed in range(3):
                clear(servers)
                for hello in (b"2", b"3"):
                    prefix = [("1", [b"HELLO", hello])]
                    replies += run_script(servers, prefix + written.steps_of(name), seed)
            print(f"{name}: the same")
        for seed in (None, 1, 2, 3):
            for data in written.RAW:
                run_raw(servers, data, seed)
        print(f"{len(written.RAW)} streams of bytes: the same")
        for check in (time_passes, many_keys, saving, shut_down):
            clear(servers)
            check(servers)
    with Servers(redis, engine, secret=True) as secret:
        # One by one: Redis closes on a stranger for whom more than 1 KiB of replies waits.
        replies += run_script(secret, written.steps_of(written.STRANGER), 1, together=1)
        for data in written.RAW_STRANGER:
            run_raw(secret, data)
    print(f"{replies} replies: the same")
    return max(servers.status, secret.status)


def run_random(redis, engine, first, count, options):
    replies = 0
    with Servers(redis, engine, **({"options": options} if options else {})) as servers:
        for seed in range(first, first + count):
            clear(servers)
            steps = generate.script(random.Random(seed), RANDOM_LENGTH)
            replies += run_script(servers, steps, seed)
    print(f"{replies} replies: the same")
    return servers.status


def main():
    engine, scratch, mode = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3]
    redis = find_redis()
    if redis is None:
        print("skipped: there is no Redis 7.0 here")
        return 77
    os.makedirs(scratch, exist_ok=True)
    os.chdir(scratch)
    try:
        if mode == "written":
            return run_written(redis, engine)
        options = ["again=7"] if "again" in sys.argv[6:] else []
        return run_random(redis, engine, int(sys.argv[4]), int(sys.argv[5]), options)
    except Difference as error:
        print(error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
