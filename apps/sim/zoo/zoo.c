#include "apps/sim/zoo/zoo.h"

extern const struct tp_scenario zoo_01_bug, zoo_01_twin;
extern const struct tp_scenario zoo_02_bug, zoo_02_twin;
extern const struct tp_scenario zoo_03_bug, zoo_03_twin;
extern const struct tp_scenario zoo_04_bug, zoo_04_twin;
extern const struct tp_scenario zoo_05_bug, zoo_05_twin;
extern const struct tp_scenario zoo_06_bug, zoo_06_twin;
extern const struct tp_scenario zoo_07_bug, zoo_07_twin;
extern const struct tp_scenario zoo_08_bug, zoo_08_twin;
extern const struct tp_scenario zoo_09_bug, zoo_09_twin;
extern const struct tp_scenario zoo_10_bug, zoo_10_twin;
extern const struct tp_scenario zoo_11_bug, zoo_11_twin;
extern const struct tp_scenario zoo_12_bug, zoo_12_twin;
extern const struct tp_scenario zoo_13_bug, zoo_13_twin;
extern const struct tp_scenario zoo_14_bug, zoo_14_twin;
extern const struct tp_scenario zoo_15_bug, zoo_15_twin;
extern const struct tp_scenario zoo_16_bug, zoo_16_twin;
extern const struct tp_scenario zoo_17_bug, zoo_17_twin;
extern const struct tp_scenario zoo_18_bug, zoo_18_twin;
extern const struct tp_scenario zoo_19_bug, zoo_19_twin;
extern const struct tp_scenario zoo_20_bug, zoo_20_twin;

const struct zoo_bug zoo_bugs[] = {
    {1, "01_retry.c", "PostgreSQL, fsyncgate", &zoo_01_bug, &zoo_01_twin},
    {2, "02_ignored.c", "redis 8111", &zoo_02_bug, &zoo_02_twin},
    {3, "03_rename.c", "litestream 1344", &zoo_03_bug, &zoo_03_twin},
    {4, "04_pointer.c", "leveldb 195", &zoo_04_bug, &zoo_04_twin},
    {5, "05_new_log.c", "leveldb 196", &zoo_05_bug, &zoo_05_twin},
    {6, "06_torn_page.c", "etcd 16596", &zoo_06_bug, &zoo_06_twin},
    {7, "07_zero_tail.c", "etcd 6378, 14098", &zoo_07_bug, &zoo_07_twin},
    {8, "08_two_logs.c", "rocksdb 12489", &zoo_08_bug, &zoo_08_twin},
    {9, "09_read_error.c", "rocksdb 6288", &zoo_09_bug, &zoo_09_twin},
    {10, "10_recovery.c", "turso 4899", &zoo_10_bug, &zoo_10_twin},
    {11, "11_root.c", "LMDB with WRITEMAP", &zoo_11_bug, &zoo_11_twin},
    {12, "12_short_write.c", "nixl 1696", &zoo_12_bug, &zoo_12_twin},
    {13, "13_vote.c", "tikv 1610", &zoo_13_bug, &zoo_13_twin},
    {14, "14_empty_file.c", "ZooKeeper 2332", &zoo_14_bug, &zoo_14_twin},
    {15, "15_middle.c", "FAST'18, PAR", &zoo_15_bug, &zoo_15_twin},
    {16, "16_padding.c", "tigerbeetle 2681", &zoo_16_bug, &zoo_16_twin},
    {17, "17_forever.c", "Raft without pre-vote", &zoo_17_bug, &zoo_17_twin},
    {18, "18_reused_fd.c", "redis 8751", &zoo_18_bug, &zoo_18_twin},
    {19, "19_marker.c", "Ceph 3721", &zoo_19_bug, &zoo_19_twin},
    {20, "20_redo.c", "Berkeley DB test suite", &zoo_20_bug, &zoo_20_twin},
};

const uint32_t zoo_bug_count = sizeof zoo_bugs / sizeof *zoo_bugs;
