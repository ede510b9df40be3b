#include "apps/sim/zoo/zoo.h"

extern const struct tp_scenario zoo_03_bug, zoo_03_twin;
extern const struct tp_scenario zoo_04_bug, zoo_04_twin;
extern const struct tp_scenario zoo_05_bug, zoo_05_twin;
extern const struct tp_scenario zoo_06_bug, zoo_06_twin;
extern const struct tp_scenario zoo_07_bug, zoo_07_twin;
extern const struct tp_scenario zoo_08_bug, zoo_08_twin;
extern const struct tp_scenario zoo_10_bug, zoo_10_twin;
extern const struct tp_scenario zoo_11_bug, zoo_11_twin;
extern const struct tp_scenario zoo_14_bug, zoo_14_twin;
extern const struct tp_scenario zoo_19_bug, zoo_19_twin;
extern const struct tp_scenario zoo_20_bug, zoo_20_twin;

const struct zoo_bug zoo_bugs[] = {
    {3, "03_rename.c", "litestream 1344", &zoo_03_bug, &zoo_03_twin},
    {4, "04_pointer.c", "leveldb 195", &zoo_04_bug, &zoo_04_twin},
    {5, "05_new_log.c", "leveldb 196", &zoo_05_bug, &zoo_05_twin},
    {6, "06_torn_page.c", "etcd 16596", &zoo_06_bug, &zoo_06_twin},
    {7, "07_zero_tail.c", "etcd 6378, 14098", &zoo_07_bug, &zoo_07_twin},
    {8, "08_two_logs.c", "rocksdb 12489", &zoo_08_bug, &zoo_08_twin},
    {10, "10_recovery.c", "turso 4899", &zoo_10_bug, &zoo_10_twin},
    {11, "11_root.c", "LMDB with WRITEMAP", &zoo_11_bug, &zoo_11_twin},
    {14, "14_empty_file.c", "ZooKeeper 2332", &zoo_14_bug, &zoo_14_twin},
    {19, "19_marker.c", "Ceph 3721", &zoo_19_bug, &zoo_19_twin},
    {20, "20_redo.c", "Berkeley DB test suite", &zoo_20_bug, &zoo_20_twin},
};

const uint32_t zoo_bug_count = sizeof zoo_bugs / sizeof *zoo_bugs;
