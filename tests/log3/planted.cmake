# planted.cmake - bugs that the scenario log3 must find: see tests/planted.
if(NOT TP_PLANTS)
  return()
endif()

set(log3 apps/sim/scenarios/log3)

# What is said before it is durable: a vote; that a follower has entries.
tp_plant(log3 early-vote ${log3}/election.c
  "tp_sometimes(!answer.yes && message->pre, \"one who would not be elected is told so\");
    raft->host.sends(raft->host.context, message->from, &answer, true);"
  "raft->host.sends(raft->host.context, message->from, &answer, !PLANTED(early-vote));" 2000 long)
tp_plant(log3 early-matched ${log3}/replication.c
  "                 \"a follower's log conflicts with the leader's\");
    raft->host.sends(raft->host.context, message->from, &answer, true);"
  "                 \"a follower's log conflicts with the leader's\");
    raft->host.sends(raft->host.context, message->from, &answer, !PLANTED(early-matched));" 2000)
# What is taken for committed: with one node's word too few.
tp_plant(log3 minority ${log3}/replication.c "if (count >= LOG3_MAJORITY && index > best)"
  "if (count >= LOG3_MAJORITY - PLANTED(minority) && index > best)" 2000)
# What conflicts is not cut off: an entry that is there is taken for the leader's.
tp_plant(log3 kept-tail ${log3}/replication.c
  "            log3_entries_term(&raft->entries, index + 1) != entry.term &&"
  "            (PLANTED(kept-tail) ? index == raft->entries.last
                                : log3_entries_term(&raft->entries, index + 1) != entry.term) &&" 2000)
# Votes: for one who lacks entries; for two in a term; that are not kept.
tp_plant(log3 any-candidate ${log3}/election.c "    return ask->index_term > term ||"
  "    return PLANTED(any-candidate) || ask->index_term > term ||" 2000)
tp_plant(log3 two-votes ${log3}/election.c "if (raft->vote != LOG3_NOBODY && raft->vote != ask->from)"
  "if (!PLANTED(two-votes) && raft->vote != LOG3_NOBODY && raft->vote != ask->from)" 2000)
tp_plant(log3 unkept-vote ${log3}/raft.c "    if (!keep(raft, &record, &lsn))
        return false;
    raft->term = term;"
  "    if (!PLANTED(unkept-vote) && !keep(raft, &record, &lsn))
        return false;
    raft->term = term;" 2000)
# Clients: an append that counts again when it is asked for again; a snapshot without the numbers of the clients.
tp_plant(log3 counted-twice ${log3}/state.c "    if (entry->seq <= state->clients[entry->client].seq)
        return 0;"
  "    if (!PLANTED(counted-twice) && entry->seq <= state->clients[entry->client].seq)
        return 0;" 2000)
tp_plant(log3 numberless-snapshot ${log3}/state.c "at = log3_put(at, state->clients[i].seq, 8);"
  "at = log3_put(at, PLANTED(numberless-snapshot) ? 0 : state->clients[i].seq, 8);" 2000 long)
# What is forgotten: before the snapshot is durable; with the entries behind it.
tp_plant(log3 early-forget ${log3}/raft.c "    if (keep_lsn == 0 || keep_lsn > durable_lsn ||"
  "    if (keep_lsn == 0 || (!PLANTED(early-forget) && keep_lsn > durable_lsn) ||" 5000 slow)
tp_plant(log3 forgotten-tail ${log3}/raft.c "    if (entries->last > entries->base &&
        log3_entries_at"
  "    if (!PLANTED(forgotten-tail) && entries->last > entries->base &&
        log3_entries_at" 2000)

# An entry of an earlier term is committed because a majority has it: figure 8 of the paper.
tp_plant(log3 figure-8 ${log3}/replication.c
  "    if (log3_entries_term(&raft->entries, index) == raft->term)
        log3_raft_commit(raft, index);"
  "    if (PLANTED(figure-8) || log3_entries_term(&raft->entries, index) == raft->term)
        log3_raft_commit(raft, index);" 2000 long)
# Reads: of a leader that does not know yet what is committed; of one that need not be it any more; of what is not
# committed.
tp_plant(log3 early-leader ${log3}/replication.c
  "        log3_entries_term(&raft->entries, raft->commit) != raft->term)"
  "        (!PLANTED(early-leader) &&
         log3_entries_term(&raft->entries, raft->commit) != raft->term))" 2000)
tp_plant(log3 old-leader ${log3}/session.c "    if (!log3_raft_confirmed(raft, session->round) ||"
  "    if ((!PLANTED(old-leader) && !log3_raft_confirmed(raft, session->round)) ||" 2000 long)
tp_plant(log3 dirty-count ${log3}/session.c "    answer(session, true, raft->state.count);"
  "    answer(session, true,
           raft->state.count + (PLANTED(dirty-count) ? raft->entries.last - raft->state.index : 0));" 2000)

tp_plant_program(log3 SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/planted.c LIBRARIES tempest-sim-scenarios)
