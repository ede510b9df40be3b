# planted.cmake - bugs that the simulation must find.
#
#   kv_planted(NAME FILE SOUND BROKEN SEEDS [LABEL...])
#
# adds the test kv-planted-NAME: the words SOUND in a source of the project, which are there exactly
# once, are replaced by BROKEN in a copy of it, the copy is linked in its place, and the search of
# planted.c must find something wrong among so many seeds. A change of the source that removes these
# words stops the configuration: a bug that is not planted is not found.
# What is found is wrong in every build, so the dev build alone looks for it.
if(TP_SANITIZE OR NOT TP_CHECKED)
  return()
endif()

function(kv_planted name file sound broken seeds)
  set(source ${PROJECT_SOURCE_DIR}/${file})
  set(copy ${CMAKE_CURRENT_BINARY_DIR}/planted/${name}.c)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(READ ${source} text)
  string(FIND "${text}" "${sound}" first)
  string(FIND "${text}" "${sound}" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    message(FATAL_ERROR "kv_planted(${name}): ${file} has these words never or twice:\n${sound}")
  endif()
  string(REPLACE "${sound}" "${broken}" text "${text}")
  set(before "")
  if(EXISTS ${copy})
    file(READ ${copy} before)
  endif()
  if(NOT before STREQUAL text)
    file(WRITE ${copy} "${text}")
  endif()
  cmake_path(GET source PARENT_PATH room)
  set_source_files_properties(${copy} PROPERTIES INCLUDE_DIRECTORIES ${room})
  tp_test(kv-planted-${name} SOURCES sim/planted.c ${copy} LABELS sim ${ARGN} SIM LIBRARIES tempest-kv-sim
    PkgConfig::TEMPEST_XXHASH ARGS ${seeds})
endfunction()

# A reply leaves before its record is durable; a reply that waits for the next group leaves with this one; a read
# waits for nothing; a segment is not durable in its directory; a torn tail is believed; a write that has failed
# counts; what was changed behind the back of a snapshot is trimmed with it; a record is replayed on what has it already.
kv_planted(early-reply apps/kv/client.c
  "if (lsn <= tp_journal_durable_lsn(server->hook.journal))" "if (true)" 150)
kv_planted(wrong-sync apps/kv/client.c
  "tp_connection_release(connection, tp_journal_durable_lsn(journal))"
  "tp_connection_release(connection, tp_journal_lsn(journal))" 500)
kv_planted(dirty-read apps/kv/execute.c "else if (call->engine->config.dirty_reads)" "else" 500)
kv_planted(no-directory-sync sm/journal_maker.c
  "TP_AWAIT(cx, tp_fsync(cx, m->dir, 0), &result);" "result.value = 0;" 150)
kv_planted(torn-tail sm/journal_window.c
  "return tp_journal_group_check(w->bytes, &w->group) ?" "return true ?" 500)
kv_planted(failed-write sm/journal_writer.c "if (j->write.result < 0) {" "if (false) {" 500)
kv_planted(early-trim apps/kv/snapshot.c "s->head.start_lsn + 1" "s->end.end_lsn + 1" 500)
kv_planted(replay-twice apps/kv/store.c "return entry->loaded && entry->lsn >= lsn;" "return false;" 1500 slow)
