# Guests: modules for WebAssembly that are built while the host is.
#
#   grete_cpp_guest(TARGET SOURCES ... [OPTIONS ...])   C++, by clang-19, a WASI reactor
#   grete_go_guest(TARGET FOLDER)                       Go, a folder with go.mod
#   grete_rust_guest(TARGET FOLDER)                     Rust, a folder with Cargo.toml
#
# Each sets the target's property GRETE_WASM to the module's path.

function(grete_cpp_guest target)
  cmake_parse_arguments(ARG "" "" "SOURCES;OPTIONS" ${ARGN})
  set(module ${CMAKE_CURRENT_BINARY_DIR}/${target}.wasm)
  list(TRANSFORM ARG_SOURCES PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  grete_guest_target(${target} ${module} "${ARG_SOURCES}"
    ${CMAKE_CXX_COMPILER} --target=wasm32-wasi -mexec-model=reactor -std=c++20 -O2
    -fno-exceptions -fno-rtti -mbulk-memory -Wall -Wextra -Werror -Wl,--strip-all
    -I${PROJECT_SOURCE_DIR} ${ARG_OPTIONS} ${ARG_SOURCES} -o ${module})
endfunction()

function(grete_go_guest target folder)
  set(module ${CMAKE_CURRENT_BINARY_DIR}/${target}.wasm)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.go ${folder}/go.mod ${folder}/go.sum)
  grete_guest_target(${target} ${module} "${sources}"
    ${CMAKE_COMMAND} -E env GOOS=wasip1 GOARCH=wasm ${PROJECT_SOURCE_DIR}/tools/guests/go
    build -C ${folder} -buildmode=c-shared -trimpath "-ldflags=-s -w" -o ${module} .)
endfunction()

function(grete_rust_guest target folder)
  set(module ${CMAKE_CURRENT_BINARY_DIR}/${target}.wasm)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS
    ${folder}/src/*.rs ${folder}/Cargo.toml ${folder}/Cargo.lock)
  grete_guest_target(${target} ${module} "${sources}"
    ${PROJECT_SOURCE_DIR}/tools/guests/rust ${folder} ${CMAKE_CURRENT_BINARY_DIR}/${target}.cargo
    ${module})
endfunction()

function(grete_guest_target target module sources)
  add_custom_command(OUTPUT ${module} COMMAND ${ARGN} DEPENDS ${sources}
    COMMENT "Building the guest ${target}.wasm" VERBATIM)
  add_custom_target(${target} DEPENDS ${module})
  set_target_properties(${target} PROPERTIES GRETE_WASM ${module})
endfunction()
