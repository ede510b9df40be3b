# io/wasm/modules.cmake - what differs in a build for wasm32, and how a module is made.

# The compiler of a folder is that of its first configuration.
if(DEFINED CACHE{TP_WASM_CLANG} AND NOT TP_WASM_CLANG STREQUAL CMAKE_C_COMPILER)
  message(FATAL_ERROR "wasm: this folder was configured for ${CMAKE_C_COMPILER}, and not for ${TP_WASM_CLANG}: "
    "configure it anew, by cmake --fresh.")
endif()

# xxhash.h alone: the directory that it is in holds the host's headers.
find_path(TP_XXHASH_DIR xxhash.h PATHS /usr/local/include /usr/include /opt/homebrew/include REQUIRED)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/xxhash)
file(CREATE_LINK ${TP_XXHASH_DIR}/xxhash.h ${PROJECT_BINARY_DIR}/xxhash/xxhash.h SYMBOLIC)
add_library(tempest-xxhash INTERFACE)
target_include_directories(tempest-xxhash SYSTEM INTERFACE ${PROJECT_BINARY_DIR}/xxhash)

# No headers of the host's. (Not a flag of the toolchain: these go to the linker too, which warns of it.)
target_compile_options(tempest-flags INTERFACE -nostdlibinc)

# What every engine has that has the other things a host needs (SIMD came last: Node 16.4, Chromium 91,
# Firefox 89, Safari 16.4). A module is optimised as a whole; what the linker calls by itself must not be (see
# io/wasm/CMakeLists.txt).
target_compile_options(tempest-flags INTERFACE -msimd128 -msign-ext -mnontrapping-fptoint -flto)
target_link_options(tempest-flags INTERFACE -flto -Wl,--lto-O2)

# tp_wasm_module(NAME SOURCES file... [LIBRARIES target...] PAGES n [STACK bytes] [FAST]): NAME.wasm, a
# reactor: it exports what its sources mark, memory, and _initialize(), which comes first. Its memory
# has n pages of 64 KiB and never another size, since growing detaches every view of it that a host
# holds. The stack (256 KiB unless said otherwise) comes first, so that one that overflows traps.
# A FAST one is optimised further, which makes it larger and takes a while: an engine puts no function
# into another, so more of that is done here, and wasm-opt goes over the result where there is one. It is told
# that nobody reads or writes the first KiB, where the stack ends: then what is added to an address can be a part
# of the instruction, since a sum that wraps round would lead there.
function(tp_wasm_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "FAST" "PAGES;STACK" "SOURCES;LIBRARIES")
  if(NOT arg_STACK)
    set(arg_STACK 262144)
  endif()
  math(EXPR bytes "${arg_PAGES} * 65536")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE tempest-flags ${arg_LIBRARIES} tempest-wasm-system)
  # Debug information goes, names stay: a trap says in which function. (-O0 is for the driver only,
  # which else calls a wasm-opt that it finds, and that takes the names.)
  target_link_options(${name} PRIVATE -O0 -mexec-model=reactor -L${TP_WASI_LIB}
    -Wl,--stack-first -Wl,-z,stack-size=${arg_STACK} -Wl,--initial-memory=${bytes}
    -Wl,--max-memory=${bytes} -Wl,--strip-debug -Wl,--fatal-warnings)
  if(arg_FAST)
    target_link_options(${name} PRIVATE -Wl,-mllvm,-inline-threshold=500)
  endif()
  if(arg_FAST AND TP_WASM_OPT)
    add_custom_command(TARGET ${name} POST_BUILD VERBATIM COMMAND ${TP_WASM_OPT} -O3 -g --low-memory-unused
      --enable-bulk-memory --enable-simd --enable-sign-ext --enable-nontrapping-float-to-int --enable-mutable-globals
      $<TARGET_FILE:${name}> -o $<TARGET_FILE:${name}>)
  endif()
endfunction()
