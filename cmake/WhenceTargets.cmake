# whence_library(NAME SOURCES... DEPENDS...) declares one package of the library (a folder of src/) as the static
# library whence_NAME, alias whence::NAME. All packages share the precompiled header of whence_core.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE_PROGRAM})
endif()

if(WHENCE_SANITIZE)
  # ASan already slows the tests; -O1 keeps them usable. OpenMP's own threads are not instrumented, so no TSan here.
  add_compile_options(-O1 -g1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize=vptr
                      -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
endif()

# What GCC compiles quickly with. From GCC 13 on, -O1 leaves out two of x86's settings, without which the precompiled header does
# not fit; other processors have no such options.
include(CheckCXXCompilerFlag)
check_cxx_compiler_flag(-munroll-only-small-loops WHENCE_UNROLLS_SMALL_LOOPS)
set(quick_options -O1)
if(WHENCE_UNROLLS_SMALL_LOOPS)
  list(APPEND quick_options -munroll-only-small-loops -mvzeroupper)
endif()
set(quick_options "$<$<CONFIG:Release>:${quick_options}>")

function(whence_compile_options target)
  # A square root that sets no errno is one that all lanes of a vector can take at once.
  target_compile_options(${target} PRIVATE -fno-math-errno -Wall -Wextra -Wpedantic -Wshadow -Wconversion -fpch-preprocess
                                           $<$<BOOL:${WHENCE_WERROR}>:-Werror> "$<$<BOOL:${WHENCE_QUICK}>:${quick_options}>")
  # ATen's headers are checked at every use of their inline templates; -Wshadow and -Wconversion only look at ours.
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src)
endfunction()

# Tests and command-line code are compiled once and run for moments: optimising them further takes longer than it saves.
function(whence_compile_quickly target)
  target_compile_options(${target} PRIVATE "${quick_options}")
  # Programs would get -fPIE, with which the libraries' precompiled header does not fit.
  if(CMAKE_POSITION_INDEPENDENT_CODE)
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
endfunction()

function(whence_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
  add_library(whence_${name} STATIC ${ARG_SOURCES})
  add_library(whence::${name} ALIAS whence_${name})
  target_include_directories(whence_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                                                   $<INSTALL_INTERFACE:include>)
  target_compile_features(whence_${name} PUBLIC cxx_std_20)
  target_link_libraries(whence_${name} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE})
  set_target_properties(whence_${name} PROPERTIES EXPORT_NAME ${name})
  whence_compile_options(whence_${name})
  if(name STREQUAL "core")
    target_precompile_headers(whence_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src/core/precompiled.h)
  else()
    target_precompile_headers(whence_${name} REUSE_FROM whence_core)
  endif()
  set_property(GLOBAL APPEND PROPERTY WHENCE_LIBRARIES whence_${name})
endfunction()
