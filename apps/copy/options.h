/** apps/copy/options.h - the command line of tempest-copy. */
#ifndef TEMPEST_APPS_COPY_OPTIONS_H
#define TEMPEST_APPS_COPY_OPTIONS_H

#include "apps/common/backend.h"
#include "apps/copy/copy.h"

enum copy_world {
    COPY_SYSTEM,  /* the files of this machine */
    COPY_VIRTUAL, /* a disk in memory, onto which SRC is loaded first */
};

struct copy_options {
    struct copy_settings settings; /* its arrays point into argv and `sources` */
    const char **sources;
    enum copy_world world;
    enum app_backend backend; /* to the files of this machine */
    uint64_t seed;            /* of the virtual world */
    bool seed_given;
    uint32_t power_cuts; /* runs that end in one; 0: an ordinary copy */
    bool quiet, stats, no_sync;
};

/** What to do next. */
enum copy_todo {
    COPY_GO,
    COPY_EXIT,  /* --help or --version: said, nothing is left to do */
    COPY_USAGE, /* wrong usage: said */
};

/** Reads the command line; copy_options_deinit() frees what it made, whatever it gave. */
enum copy_todo copy_options_parse(int argc, char **argv, struct copy_options *ret_options);

void copy_options_deinit(struct copy_options *options);

#endif
