# How this project declares libraries, tests, fuzzers, benches and guest modules.
#
#   grete_library(NAME [FREESTANDING] SOURCES ... DEPS ...)
#   grete_test(NAME SOURCES ... DEPS ... [LABELS ...])    gtest, run by ctest
#   grete_fuzzer(NAME SOURCES ... DEPS ... [CORPUS DIR])  libFuzzer (preset fuzz); elsewhere the
#                                                         corpus is replayed as a ctest
#   grete_bench(NAME SOURCES ... DEPS ...)                Google Benchmark
#   grete_guest(NAME SOURCES ... DEPS ...)                a filter on sdk/cpp: NAME.wasm (preset wasm)
#
# FREESTANDING code is compiled without exceptions and RTTI, natively and to wasm.

add_library(grete_flags INTERFACE)
target_compile_features(grete_flags INTERFACE cxx_std_23)
target_compile_options(grete_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -Wno-sign-conversion -Wimplicit-fallthrough -Werror -fno-strict-aliasing)
target_include_directories(grete_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/gen)
if(GRETE_SANITIZE)
  target_compile_options(grete_flags INTERFACE -fsanitize=${GRETE_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(grete_flags INTERFACE -fsanitize=${GRETE_SANITIZE})
endif()
if(GRETE_FUZZ)
  target_compile_options(grete_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  # SSE4.2 holds the CRC-32C instruction; every server since 2009 has it.
  target_compile_options(grete_flags INTERFACE -msse4.2)
endif()

function(grete_library name)
  cmake_parse_arguments(ARG "FREESTANDING" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC grete_flags ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
  if(ARG_FREESTANDING)
    target_compile_options(${name} PRIVATE -fno-exceptions -fno-rtti)
  endif()
endfunction()

function(grete_test name)
  if(NOT BUILD_TESTING)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE grete_flags ${ARG_DEPS} GTest::gtest_main GTest::gmock)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "unit;${ARG_LABELS}" TIMEOUT 300)
endfunction()

function(grete_fuzzer name)
  if(NOT BUILD_TESTING)
    return()
  endif()
  cmake_parse_arguments(ARG "" "CORPUS" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE grete_flags ${ARG_DEPS})
  if(GRETE_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    # tools/fuzz reads this list: the program and its seeds.
    file(APPEND ${PROJECT_BINARY_DIR}/fuzzers.txt "${name}\t${ARG_CORPUS}\n")
  else()
    target_link_libraries(${name} PRIVATE grete_fuzz_replay)
    add_test(NAME ${name} COMMAND ${name} ${ARG_CORPUS})
    set_tests_properties(${name} PROPERTIES LABELS "unit;fuzz" TIMEOUT 300)
  endif()
endfunction()

function(grete_bench name)
  if(NOT GRETE_BENCHES)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE grete_flags ${ARG_DEPS} benchmark::benchmark_main)
endfunction()

function(grete_guest name)
  if(NOT CMAKE_SYSTEM_NAME STREQUAL "WASI")
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name}_module ${ARG_SOURCES})
  target_link_libraries(${name}_module PRIVATE grete_sdk_guest ${ARG_DEPS})
  target_compile_options(${name}_module PRIVATE -fno-exceptions -fno-rtti)
  target_link_options(${name}_module PRIVATE -mexec-model=reactor -Wl,--strip-all -Wl,--gc-sections
    -Wl,-z,stack-size=262144 -Wl,--stack-first)
  set_target_properties(${name}_module PROPERTIES OUTPUT_NAME ${name}
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/modules)
  if(NOT TARGET modules)
    add_custom_target(modules)
  endif()
  add_dependencies(modules ${name}_module)
endfunction()
