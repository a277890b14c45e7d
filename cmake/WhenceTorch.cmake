# LibTorch: PyTorch 2.13 as pip installs it, Debian's libtorch-dev (1.13, 2.6), or any other between. To build with the PyTorch of a
# Python: -DCMAKE_PREFIX_PATH=$(python3 -c 'import torch; print(torch.utils.cmake_prefix_path)').
#
# That folder holds TorchConfig.cmake, but not what it searches for: Caffe2Config.cmake and the libraries, which CMake would
# then find among the system's packages, where these are of another version than the headers. So the search
# begins in the folder above, and a program tells which library was found in the end.
include(CheckCXXSourceRuns)

function(whence_find_torch)
  set(folders ${CMAKE_PREFIX_PATH} $ENV{CMAKE_PREFIX_PATH} ${Torch_DIR}/..)
  string(REPLACE ":" ";" folders "${folders}")
  foreach(folder IN LISTS folders)
    if(EXISTS ${folder}/Torch/TorchConfig.cmake)
      cmake_path(ABSOLUTE_PATH folder BASE_DIRECTORY ${CMAKE_SOURCE_DIR} NORMALIZE)
      string(REGEX REPLACE "/(share|lib|lib/[^/]+)/cmake/?$" "" prefix ${folder})
      list(PREPEND CMAKE_PREFIX_PATH ${prefix})
    endif()
  endforeach()
  # A profiler's library, which pip's PyTorch has inside its own; TorchConfig warns that it is not beside it.
  set(kineto_LIBRARY "inside of torch_cpu")
  find_package(Torch REQUIRED)
  # Its other variables stay in this function: all uses are by the target torch.
  cmake_path(SET prefix NORMALIZE ${TORCH_INSTALL_PREFIX})
  set(WHENCE_TORCH_PREFIX ${prefix} PARENT_SCOPE)
  set(TORCH_CXX_FLAGS ${TORCH_CXX_FLAGS} PARENT_SCOPE)
endfunction()

# Both outcomes depend on the folder alone, so they are cached with it.
function(whence_check_torch prefix)
  if(WHENCE_TORCH_CHECKED STREQUAL prefix)
    return()
  endif()
  set(source ${CMAKE_BINARY_DIR}/CMakeFiles/whence_torch_version.cpp)
  file(WRITE ${source} [[
#include <dlfcn.h>
#include <torch/version.h>

#include <iostream>
#include <string>
namespace at {
std::string show_config();
}
int main() {
  Dl_info info{};
  dladdr(reinterpret_cast<void*>(&at::show_config), &info);
  const std::string config = at::show_config(), key = "TORCH_VERSION=";
  const auto begin = config.find(key);
  const std::string version = begin == std::string::npos ? "unknown" : config.substr(begin + key.size(), config.find(',', begin) - begin - key.size());
  std::cout << TORCH_VERSION << ';' << version << ';' << info.dli_fname;
}
]])
  # By their files: the target torch names others, which a project of its own lacks.
  get_target_property(include torch INTERFACE_INCLUDE_DIRECTORIES)
  get_target_property(torch_cpu torch_cpu LOCATION)
  get_target_property(c10 c10 LOCATION)
  cmake_path(GET torch_cpu PARENT_PATH folder)
  file(REAL_PATH ${folder} folder)
  file(REAL_PATH ${prefix} root)
  cmake_path(IS_PREFIX root ${folder} within)
  if(NOT within)
    message(FATAL_ERROR "The headers of LibTorch were found in ${root}, its library in ${folder}: empty this build folder (cmake --fresh) and name one folder with -DCMAKE_PREFIX_PATH")
  endif()
  try_run(code compiled ${CMAKE_BINARY_DIR}/CMakeFiles/whence_torch_version ${source}
          CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${include}" "-DCMAKE_CXX_FLAGS=${TORCH_CXX_FLAGS}" -DCMAKE_CXX_STANDARD=20
          LINK_LIBRARIES ${torch_cpu} ${c10} ${CMAKE_DL_LIBS} COMPILE_OUTPUT_VARIABLE compiler RUN_OUTPUT_VARIABLE facts)
  if(NOT compiled OR NOT code EQUAL 0)
    message(FATAL_ERROR "The LibTorch in ${prefix} builds no program that runs; name another one with -DCMAKE_PREFIX_PATH:\n${compiler}${facts}")
  endif()
  list(POP_FRONT facts headers library file)
  string(REGEX REPLACE "^([0-9]+\\.[0-9]+).*" "\\1" headers_release "${headers}")
  string(REGEX REPLACE "^([0-9]+\\.[0-9]+).*" "\\1" library_release "${library}")
  if(NOT headers_release STREQUAL library_release)
    message(FATAL_ERROR "The headers in ${prefix} are LibTorch ${headers}, the library ${file} is ${library}: empty this build folder (cmake --fresh) and name one folder with -DCMAKE_PREFIX_PATH")
  endif()
  message(STATUS "LibTorch ${library} in ${prefix}")
  set(WHENCE_TORCH_CHECKED ${prefix} CACHE INTERNAL "Folder of the LibTorch whose headers and library were compared")
  set(WHENCE_TORCH_VERSION ${library} CACHE INTERNAL "Its version")
endfunction()

# pip names the Python to build for, and its PyTorch is the one that the module will run with.
if(WHENCE_MODULE_ONLY AND NOT CMAKE_PREFIX_PATH MATCHES "torch" AND NOT Torch_DIR)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  execute_process(COMMAND ${Python3_EXECUTABLE} -c "import torch; print(torch.utils.cmake_prefix_path)"
                  OUTPUT_VARIABLE torch_folder OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "${Python3_EXECUTABLE} has no PyTorch: install torch first, and give pip --no-build-isolation")
  endif()
  list(PREPEND CMAKE_PREFIX_PATH ${torch_folder})
endif()
whence_find_torch()
whence_check_torch(${WHENCE_TORCH_PREFIX})
# pip's PyTorch brings an OpenMP of its own. One process must have one: programs load the first that their run path has, which is
# this one, so it is also the one they are linked with.
if(EXISTS ${WHENCE_TORCH_PREFIX}/lib/libgomp.so.1)
  set(OpenMP_gomp_LIBRARY ${WHENCE_TORCH_PREFIX}/lib/libgomp.so.1 CACHE FILEPATH "The OpenMP that LibTorch loads" FORCE)
endif()
