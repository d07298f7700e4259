# The compression libraries for WebAssembly, from the sources that tools/codecs/fetch gets.
# Sets codec_libraries.
execute_process(COMMAND ${PROJECT_SOURCE_DIR}/tools/codecs/prefix
  OUTPUT_VARIABLE codecs OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
if(NOT EXISTS ${codecs}/done)
  message(FATAL_ERROR "The compression libraries' sources are missing: run tools/setup guests")
endif()

# Others' code: no warnings, no asserts (they would want stderr).
function(codec_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;INCLUDES;DEFINITIONS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} SYSTEM PUBLIC ${ARG_INCLUDES})
  target_compile_definitions(${name} PRIVATE NDEBUG ${ARG_DEFINITIONS})
  target_compile_options(${name} PRIVATE -w -O2 -ffunction-sections -fdata-sections)
endfunction()

set(zlib_sources adler32 crc32 deflate inffast inflate inftrees trees zutil)
list(TRANSFORM zlib_sources REPLACE "(.+)" "${codecs}/zlib/\\1.c")
codec_library(codec_zlib SOURCES ${zlib_sources} INCLUDES ${codecs}/zlib)

set(lz4_sources lz4 lz4frame lz4hc xxhash)
list(TRANSFORM lz4_sources REPLACE "(.+)" "${codecs}/lz4/\\1.c")
codec_library(codec_lz4 SOURCES ${lz4_sources} INCLUDES ${codecs}/lz4
  DEFINITIONS XXH_NAMESPACE=LZ4_)

file(GLOB zstd_sources ${codecs}/zstd/common/*.c ${codecs}/zstd/compress/*.c
  ${codecs}/zstd/decompress/*.c)
codec_library(codec_zstd SOURCES ${zstd_sources} INCLUDES ${codecs}/zstd
  DEFINITIONS ZSTD_DISABLE_ASM=1 ZSTD_LEGACY_SUPPORT=0 DYNAMIC_BMI2=0
    # Level 3 needs none of these, and they are half of a module.
    ZSTD_EXCLUDE_GREEDY_BLOCK_COMPRESSOR ZSTD_EXCLUDE_LAZY_BLOCK_COMPRESSOR
    ZSTD_EXCLUDE_LAZY2_BLOCK_COMPRESSOR ZSTD_EXCLUDE_BTLAZY2_BLOCK_COMPRESSOR
    ZSTD_EXCLUDE_BTOPT_BLOCK_COMPRESSOR ZSTD_EXCLUDE_BTULTRA_BLOCK_COMPRESSOR)

set(HAVE_SYS_UIO_H_01 1)
configure_file(${codecs}/snappy/snappy-stubs-public.h.in
  ${CMAKE_CURRENT_BINARY_DIR}/snappy/snappy-stubs-public.h)
set(snappy_sources snappy snappy-sinksource snappy-stubs-internal)
list(TRANSFORM snappy_sources REPLACE "(.+)" "${codecs}/snappy/\\1.cc")
codec_library(codec_snappy SOURCES ${snappy_sources}
  INCLUDES ${codecs}/snappy ${CMAKE_CURRENT_BINARY_DIR}/snappy
  DEFINITIONS HAVE_BUILTIN_EXPECT=1 HAVE_BUILTIN_CTZ=1 HAVE_ATTRIBUTE_ALWAYS_INLINE=1)

# Kafka's default level of lz4 is the fast one: what else is linked need not be fast, but small.
set_source_files_properties(${codecs}/lz4/lz4hc.c PROPERTIES COMPILE_OPTIONS -Oz)

set(codec_libraries codec_zlib codec_lz4 codec_zstd codec_snappy)
