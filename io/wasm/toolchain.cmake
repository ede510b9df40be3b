# For wasm32, with a Clang of the host and a wasi-libc: a module asks for nothing but what it says
# itself. `cmake --preset wasm` uses it; docs/wasm.md says what comes out.
#
# What may be set: TP_WASM_CLANG, a clang; TP_WASI_INCLUDE and TP_WASI_LIB, the headers and libc.a.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(TP_WASM ON)

# Said once, in one place: what is missing, and how it comes here.
function(tp_wasm_needs what)
  message(FATAL_ERROR "wasm: ${what} is not here. apps/setup.sh --wasm installs it "
    "(Debian: clang lld llvm wasi-libc libclang-rt-14-dev-wasm32).")
endfunction()

find_program(TP_WASM_CLANG NAMES clang clang-20 clang-19 clang-18 clang-17 clang-16 clang-15 clang-14)
find_program(TP_WASM_LD NAMES wasm-ld wasm-ld-20 wasm-ld-19 wasm-ld-18 wasm-ld-17 wasm-ld-16 wasm-ld-15 wasm-ld-14)
# GNU ar makes an archive without an index of what is in such objects.
find_program(TP_WASM_AR NAMES llvm-ar llvm-ar-20 llvm-ar-19 llvm-ar-18 llvm-ar-17 llvm-ar-16 llvm-ar-15 llvm-ar-14)
find_program(TP_WASM_RANLIB NAMES llvm-ranlib llvm-ranlib-20 llvm-ranlib-19 llvm-ranlib-18 llvm-ranlib-17
  llvm-ranlib-16 llvm-ranlib-15 llvm-ranlib-14)
foreach(program CLANG LD AR RANLIB)
  if(NOT TP_WASM_${program})
    string(TOLOWER ${program} name)
    tp_wasm_needs("the program ${name} of LLVM")
  endif()
endforeach()

# Not needed: a module that is to be fast takes some percent less with it (docs/wasm.md).
find_program(TP_WASM_OPT NAMES wasm-opt)

foreach(root /usr /usr/share/wasi-sysroot /opt/wasi-sdk/share/wasi-sysroot)
  foreach(folder include/wasm32-wasi wasm32-wasi/include include)
    if(NOT TP_WASI_INCLUDE AND EXISTS ${root}/${folder}/wasi/api.h)
      set(TP_WASI_INCLUDE ${root}/${folder})
    endif()
  endforeach()
  if(NOT TP_WASI_LIB AND EXISTS ${root}/lib/wasm32-wasi/libc.a)
    set(TP_WASI_LIB ${root}/lib/wasm32-wasi)
  endif()
endforeach()
if(NOT TP_WASI_INCLUDE OR NOT TP_WASI_LIB)
  tp_wasm_needs("wasi-libc")
endif()

# Without these there is no 64-bit multiplication into 128 bits, for one.
execute_process(COMMAND ${TP_WASM_CLANG} --target=wasm32-wasi -print-libgcc-file-name
  OUTPUT_VARIABLE TP_WASM_BUILTINS OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT EXISTS "${TP_WASM_BUILTINS}")
  tp_wasm_needs("the library of builtins of Clang for wasm32 (${TP_WASM_BUILTINS})")
endif()

set(CMAKE_C_COMPILER ${TP_WASM_CLANG})
set(CMAKE_C_COMPILER_TARGET wasm32-wasi)
set(CMAKE_AR ${TP_WASM_AR})
set(CMAKE_RANLIB ${TP_WASM_RANLIB})
set(CMAKE_EXECUTABLE_SUFFIX .wasm)
set(CMAKE_EXECUTABLE_SUFFIX_C .wasm)
# The compiler's own headers and those of wasi-libc: never the host's (see also modules.cmake).
set(CMAKE_C_STANDARD_INCLUDE_DIRECTORIES ${TP_WASI_INCLUDE})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE NEVER)
