# planted.cmake - bugs that the scenario kv must find: see tests/planted.
if(NOT TP_PLANTS)
  return()
endif()

# What is acknowledged: before it is durable; with the group that follows; a read of what is not
# durable; a write that has failed; a part of a group; a change that found no room.
tp_plant(kv early-reply apps/kv/client.c
  "if (lsn <= tp_journal_durable_lsn(server->hook.journal))"
  "if (PLANTED(early-reply) || lsn <= tp_journal_durable_lsn(server->hook.journal))" 300)
tp_plant(kv wrong-sync apps/kv/client.c
  "tp_connection_release(connection, tp_journal_durable_lsn(journal))"
  "tp_connection_release(connection, PLANTED(wrong-sync) ? tp_journal_lsn(journal) : tp_journal_durable_lsn(journal))"
  10000 slow)
tp_plant(kv dirty-read apps/kv/execute.c "else if (call->engine->config.dirty_reads)"
  "else if (PLANTED(dirty-read) || call->engine->config.dirty_reads)" 2000)
tp_plant(kv failed-write sm/journal_writer.c "if (j->write.result < 0) {"
  "if (!PLANTED(failed-write) && j->write.result < 0) {" 1000)
tp_plant(kv short-write sm/journal_transfer.c "if (t->done == t->len || (value == 0 && !t->writing))"
  "if (t->done == t->len || (value == 0 && !t->writing) || (PLANTED(short-write) && t->writing && value > 0))" 3000)
tp_plant(kv full-acknowledged apps/kv/change.c "    if (error < 0)
        return error;
    change->open = true;"
  "    kv_planted_unlogged = PLANTED(full-acknowledged) && error == -ENOSPC;
    if (error < 0 && !kv_planted_unlogged)
        return error;
    change->open = true;" 3000)
tp_plant(kv full-acknowledged apps/kv/change.c "    if (change->record.len == 0) {
"
  "    if (kv_planted_unlogged)
        return 0;
    if (change->record.len == 0) {
" 3000)

# What the log and its recovery do: a segment that is not durable in its directory; a sum that is
# not checked, so that a torn tail is believed; a record too few; what was read from a cache.
tp_plant(kv no-directory-sync sm/journal_maker.c
  "TP_AWAIT(cx, tp_fsync(cx, m->dir, 0), &result);"
  "TP_AWAIT(cx, PLANTED(no-directory-sync) ? tp_timer(cx, 0) : tp_fsync(cx, m->dir, 0), &result);" 1000)
tp_plant(kv torn-tail sm/journal_window.c "return tp_journal_group_check(w->bytes, &w->group) ?"
  "return PLANTED(torn-tail) || tp_journal_group_check(w->bytes, &w->group) ?" 3000)
tp_plant(kv off-by-one apps/kv/storage.c ".from_lsn = s->loader.head.start_lsn + 1,"
  ".from_lsn = s->loader.head.start_lsn + 1 + PLANTED(off-by-one)," 100)
tp_plant(kv no-recovery-sync sm/journal_recovery.c "if (!r->read_only) {"
  "if (!r->read_only && !PLANTED(no-recovery-sync)) {" 3000)

# Snapshots: renamed before they are durable, or before their directory is; the log is trimmed first, or too far; a
# snapshot is ahead of the log; a record is replayed on what has it already.
tp_plant(kv unsynced-snapshot sm/staged.c "if (staged->durability != TP_DURABLE_NOT && !staged->synced) {"
  "if (staged->durability != TP_DURABLE_NOT && !staged->synced && !PLANTED(unsynced-snapshot)) {" 3000)
tp_plant(kv unsynced-rename sm/staged.c "if (staged->durability == TP_DURABLE) {"
  "if (staged->durability == TP_DURABLE && !PLANTED(unsynced-rename)) {" 3000)
tp_plant(kv trim-first apps/kv/snapshot.c
  "        TP_AWAIT(cx, tp_staged_commit(cx, &s->staged, TP_MODE_DEFAULT, TP_DURABLE),"
  "        if (PLANTED(trim-first))
            tp_journal_trim(s->journal, s->head.start_lsn + 1);
        TP_AWAIT(cx, tp_staged_commit(cx, &s->staged, TP_MODE_DEFAULT, TP_DURABLE)," 3000)
tp_plant(kv early-trim apps/kv/snapshot.c "    tp_journal_trim(s->journal, s->head.start_lsn + 1);
    release(s);"
  "    tp_journal_trim(s->journal, (PLANTED(early-trim) ? s->end.end_lsn : s->head.start_lsn) + 1);
    release(s);" 5000 slow)
tp_plant(kv snapshot-ahead apps/kv/snapshot.c "s->end.end_lsn)) != -EAGAIN);"
  "PLANTED(snapshot-ahead) ? 0 : s->end.end_lsn)) != -EAGAIN);" 5000 slow)
tp_plant(kv replay-twice apps/kv/store.c "return entry->loaded && entry->lsn >= lsn;"
  "return !PLANTED(replay-twice) && entry->loaded && entry->lsn >= lsn;" 5000 slow)

# Commands and connections: a part of a command or of a transaction is logged; WATCH does not see that a key was removed;
# a reply overtakes the one before it; one of those who wait is not woken; a send is taken for whole.
tp_plant(kv half-logged apps/kv/change.c "    error = kv_record_add(&change->record, effect);"
  "    error = PLANTED(half-logged) && change->record.len > 0 ? 0 : kv_record_add(&change->record, effect);" 1000)
tp_plant(kv half-mset apps/kv/cmd_string.c "i < call->argc; i += 2)
        kv_call_set("
  "i < call->argc; i += 2)
        if (!PLANTED(half-mset) || i == 1)
            kv_call_set(" 300)
tp_plant(kv blind-watch apps/kv/engine.c "    if (key.bytes != NULL)
        kv_watches_touch"
  "    struct kv_view view;

    if (key.bytes != NULL && (!PLANTED(blind-watch) || engine->watches.count == 0 || kv_store_get(engine->store, db, key, &view)))
        kv_watches_touch" 3000)
tp_plant(kv overtaken-reply apps/kv/client.c
  "(void)tp_connection_write(connection, reply->bytes, reply->len);"
  "if (PLANTED(overtaken-reply) && kv_planted_overtakes(connection, reply->bytes, reply->len))
        return;
    (void)tp_connection_write(connection, reply->bytes, reply->len);
    if (kv_planted_overtaken == connection) {
        (void)tp_connection_write(connection, kv_planted_late, kv_planted_late_len);
        kv_planted_overtaken = NULL;
    }" 3000)
tp_plant(kv lost-wake sm/journal_writer.c "while (tp_wait_list_wake_first(&batch->durable) != NULL)"
  "while (tp_wait_list_wake_first(&batch->durable) != NULL && !PLANTED(lost-wake))" 5000 slow)
tp_plant(kv short-send sm/output.c "    tp_assert(bytes <= output->flying);
    output->flying = 0;"
  "    if (PLANTED(short-send) && bytes > 0)
        bytes = output->flying;
    output->flying = 0;" 3000)

# More of the same: replies that were held are let go when the log has failed; a removal is not logged; a segment is not
# durable before its name; WATCH sees nothing; the walk of a snapshot leaves the last database out; a start trims all
# of the log.
tp_plant(kv unsaid-failure apps/kv/client.c "        else
            say_unknown(client);"
  "        else if (PLANTED(unsaid-failure))
            (void)tp_connection_release(connection, UINT64_MAX);
        else
            say_unknown(client);" 1000)
tp_plant(kv unlogged-delete apps/kv/call.c "    struct kv_effect effect = kv_effect_del(call->session->db, key);

    kv_change_apply("
  "    struct kv_effect effect = kv_effect_del(call->session->db, key);

    if (PLANTED(unlogged-delete))
        kv_store_apply(call->engine->store, &effect, call->engine->change.lsn);
    else
        kv_change_apply(" 300)
tp_plant(kv unsynced-segment sm/journal_maker.c "TP_AWAIT(cx, tp_fsync(cx, m->fd, 0), &result);"
  "TP_AWAIT(cx, PLANTED(unsynced-segment) ? tp_timer(cx, 0) : tp_fsync(cx, m->fd, 0), &result);" 1000)
tp_plant(kv deaf-watch apps/kv/watch.c "            watch->watcher->broken = true;"
  "            watch->watcher->broken = !PLANTED(deaf-watch);" 1000)
tp_plant(kv short-walk apps/kv/snapshot.c "return s->db == KV_DBS;"
  "return s->db == KV_DBS - PLANTED(short-walk);" 1000)
tp_plant(kv boot-trim apps/kv/storage.c "tp_journal_trim(&s->journal, s->loader.head.start_lsn + 1);"
  "tp_journal_trim(&s->journal, PLANTED(boot-trim) ? tp_journal_lsn(&s->journal) + 1 : s->loader.head.start_lsn + 1);"
  1000)

# A sync that has failed is tried again, and what the second one says is trusted: of a snapshot, of a new segment, of what
# a recovery has read. (Of a directory it may be: what it did not make durable the next one does.)
tp_plant(kv second-sync sm/staged.c "        if (result.value < 0)
            return fail(staged, cx, TP_FSYNC, result.value);"
  "        if (PLANTED(second-sync) && result.value < 0)
            TP_AWAIT(cx, tp_fsync(cx, staged->fd, 0), &result);
        if (result.value < 0)
            return fail(staged, cx, TP_FSYNC, result.value);" 3000)
tp_plant(kv second-sync-segment sm/journal_maker.c "            m->error = result.value;
        }
        TP_AWAIT(cx, close_file(cx, m), &result);"
  "            if (PLANTED(second-sync-segment) && result.value < 0)
                TP_AWAIT(cx, tp_fsync(cx, m->fd, 0), &result);
            m->error = result.value;
        }
        TP_AWAIT(cx, close_file(cx, m), &result);" 3000)
tp_plant(kv second-sync-recovery sm/journal_recovery.c "            if (result.value < 0)
                return tp_end(machine, refuse(r, result.value, r->current.number, 0,
                                              \"a segment cannot be made durable\"));"
  "            if (PLANTED(second-sync-recovery) && result.value < 0)
                TP_AWAIT(cx, tp_fsync(cx, r->current.fd, 0), &result);
            if (result.value < 0)
                return tp_end(machine, refuse(r, result.value, r->current.number, 0,
                                              \"a segment cannot be made durable\"));" 5000 slow)

# What a dead process wrote behind the end of its log is believed; that a key has expired is not in the log.
tp_plant(kv discarded-groups sm/journal_recovery.c
  "if (r->has_next && r->next.segment.starts_log != 0 &&
        r->next.segment.before.offset"
  "if (!PLANTED(discarded-groups) && r->has_next && r->next.segment.starts_log != 0 &&
        r->next.segment.before.offset" 5000 slow)
tp_plant(kv unlogged-expiry apps/kv/change.c "    kv_change_apply(engine, effect);
    (void)kv_change_close(engine);"
  "    if (PLANTED(unlogged-expiry)) {
        struct kv_effect other = kv_effect_del(effect->db, kv_slice_text(\"\"));

        kv_store_apply(engine->store, effect, engine->change.lsn);
        (void)kv_record_add(&engine->change.record, &other);
    } else {
        kv_change_apply(engine, effect);
    }
    (void)kv_change_close(engine);" 5000 slow)

tp_plant_program(kv HEADER tests/kv/sim/planted.h SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/sim/planted.c LIBRARIES tempest-kv-sim)
