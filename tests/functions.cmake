# tests/functions.cmake - how every directory of tests/ adds a test.
#
#   tp_test(NAME            the test and its program; say what is tested: virtual-disk, law-3
#     SOURCES file...       relative to the caller's directory
#     [LABELS label...]     unit (the default), io, sim, fuzz, bench, docs; and, by duration,
#                           long (over 20 s: not in --quick) or slow (over 5 minutes: --all only)
#     [LIBRARIES target...] more to link than tempest
#     [ARGS argument...]    what the program is called with
#     [ENVIRONMENT X=y...]
#     [TIMEOUT seconds]     300, or 7200 for slow
#     [CRITERION]           link Criterion and the main() of tests/criterion_main.c, under which a
#                           program without a test fails and one whose tests all skip is skipped
#     [SIM]                 link tempest-sim (VirtualIo) too
#     [DEATH]               it provokes reports of sanitizers: do not take them for failures
#     [SERIAL]              nothing else runs beside it
#     [MEMCHECK]            runs again as NAME.memcheck under Valgrind in the dev build
#     [MEMCHECK_SLOW])      so too, in --all only: the sanitizers reach the same code
#
# A test fails when it exits with neither 0 nor 77 (skipped), or when a sanitizer reports
# something: Criterion by itself passes a test that leaks. Programs link the static libraries and
# may include internal headers, from the root: #include "io/loans.h". They run in the build
# directory of the caller, so scratch files stay under build/.
#
#   tp_script(NAME COMMAND command... [LABELS label...] [TIMEOUT seconds] [ENVIRONMENT X=y...] [SERIAL])
#
# adds a test that is a command; it may exit with 77 and a line that says what is missing.

set(TP_REPORTS "LeakSanitizer: detected;runtime error:;ERROR: AddressSanitizer")
set(TP_TESTS_DIR ${CMAKE_CURRENT_LIST_DIR})

# The duration, as a label, of what runs again where io_uring is forbidden: in the dev build, and in
# the others with --all.
set(TP_REFUSED slow)
if(TP_LINT)
  set(TP_REFUSED long)
endif()

# The duration of what is long and sees no more in the dev build than in the two others, which check more and
# are what is shipped; and of what a sanitizer, or the optimiser, adds nothing to: all run with --all.
set(TP_AGAIN_DEBUG "")
set(TP_AGAIN_SANITIZED "")
set(TP_AGAIN_RELEASE "")
if(TP_LINT)
  set(TP_AGAIN_DEBUG slow)
elseif(TP_SANITIZE)
  set(TP_AGAIN_SANITIZED slow)
else()
  set(TP_AGAIN_RELEASE slow)
endif()

# Valgrind and a sanitizer exclude each other, and what it says is readable in a debug build only.
find_program(TP_VALGRIND valgrind)
set(TP_MEMCHECK OFF)
if(TP_VALGRIND AND NOT TP_SANITIZE AND CMAKE_BUILD_TYPE STREQUAL Debug)
  set(TP_MEMCHECK ON)
endif()

# Properties that all tests share.
function(tp_test_properties name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL;DEATH" "TIMEOUT" "LABELS;ENVIRONMENT")
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
    if(slow IN_LIST arg_LABELS)
      set(arg_TIMEOUT 7200)
    endif()
  endif()
  # What may take longest starts first, so that nothing is left to run alone at the end.
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} COST ${arg_TIMEOUT}
    SKIP_RETURN_CODE 77)
  set(environment "UBSAN_OPTIONS=print_stacktrace=1" ${arg_ENVIRONMENT})
  set_tests_properties(${name} PROPERTIES ENVIRONMENT "${environment}")
  if(arg_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
  endif()
  if(NOT arg_DEATH)
    set_tests_properties(${name} PROPERTIES FAIL_REGULAR_EXPRESSION "${TP_REPORTS}")
  endif()
endfunction()

function(tp_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "CRITERION;SIM;DEATH;SERIAL;MEMCHECK;MEMCHECK_SLOW" "TIMEOUT"
    "SOURCES;LABELS;LIBRARIES;ARGS;ENVIRONMENT")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "tp_test(${name}): not understood: '${arg_UNPARSED_ARGUMENTS}', or no SOURCES")
  endif()

  add_executable(test-${name} ${arg_SOURCES})
  set_target_properties(test-${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/bin)
  target_link_libraries(test-${name} PRIVATE tempest-flags ${arg_LIBRARIES})
  if(arg_SIM)
    target_link_libraries(test-${name} PRIVATE tempest-sim-static)
  endif()
  target_link_libraries(test-${name} PRIVATE tempest-static)
  if(arg_CRITERION)
    target_link_libraries(test-${name} PRIVATE tempest-criterion)
  endif()

  set(shared LABELS ${arg_LABELS} ENVIRONMENT ${arg_ENVIRONMENT})
  foreach(option DEATH SERIAL)
    if(arg_${option})
      list(APPEND shared ${option})
    endif()
  endforeach()
  add_test(NAME ${name} COMMAND test-${name} ${arg_ARGS} WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  tp_test_properties(${name} ${shared} TIMEOUT ${arg_TIMEOUT})

  if((arg_MEMCHECK OR arg_MEMCHECK_SLOW) AND TP_MEMCHECK)
    set(duration long)
    if(arg_MEMCHECK_SLOW)
      set(duration slow)
    endif()
    add_test(NAME ${name}.memcheck WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}
      COMMAND ${TP_TESTS_DIR}/memcheck.sh $<TARGET_FILE:test-${name}> ${arg_ARGS})
    tp_test_properties(${name}.memcheck ${shared} TIMEOUT 600)
    set_tests_properties(${name}.memcheck PROPERTIES LABELS "${arg_LABELS};${duration}"
      FAIL_REGULAR_EXPRESSION "ERROR SUMMARY: [1-9]")
  endif()
endfunction()

function(tp_script name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "TIMEOUT" "COMMAND;LABELS;ENVIRONMENT")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_COMMAND)
    message(FATAL_ERROR "tp_script(${name}): not understood: '${arg_UNPARSED_ARGUMENTS}', or no COMMAND")
  endif()
  add_test(NAME ${name} COMMAND ${arg_COMMAND} WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  set(serial "")
  if(arg_SERIAL)
    set(serial SERIAL)
  endif()
  tp_test_properties(${name} LABELS ${arg_LABELS} ENVIRONMENT ${arg_ENVIRONMENT}
    TIMEOUT ${arg_TIMEOUT} ${serial})
endfunction()
