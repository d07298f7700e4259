# Guests: modules for WebAssembly that are built while the host is.
#
#   grete_wasm_guest(TARGET SOURCES ... [OPTIONS ...])   C++, by clang-19, a WASI reactor
#
# Each sets the target's property GRETE_WASM to the module's path.

function(grete_wasm_guest target)
  cmake_parse_arguments(ARG "" "" "SOURCES;OPTIONS" ${ARGN})
  set(module ${CMAKE_CURRENT_BINARY_DIR}/${target}.wasm)
  list(TRANSFORM ARG_SOURCES PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  add_custom_command(OUTPUT ${module}
    COMMAND ${CMAKE_CXX_COMPILER} --target=wasm32-wasi -mexec-model=reactor -std=c++20 -O2
      -fno-exceptions -fno-rtti -mbulk-memory -Wall -Wextra -Werror -Wl,--strip-all
      -I${PROJECT_SOURCE_DIR} ${ARG_OPTIONS} ${ARG_SOURCES} -o ${module}
    DEPENDS ${ARG_SOURCES}
    COMMENT "Building the guest ${target}.wasm"
    VERBATIM)
  add_custom_target(${target} DEPENDS ${module})
  set_target_properties(${target} PROPERTIES GRETE_WASM ${module})
endfunction()
