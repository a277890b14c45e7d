# Everything whence is built from. All of it is in Debian's packages (scripts/packages lists them by name); LibTorch may be another one.
find_package(Threads REQUIRED)
include(${CMAKE_CURRENT_LIST_DIR}/WhenceTorch.cmake)
find_package(OpenMP REQUIRED COMPONENTS CXX)  # without it LibTorch's inline at::parallel_for is a plain loop
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_package(CURL REQUIRED)
find_package(LibArchive REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)
if(PROJECT_NAME STREQUAL "whence")  # the program's own, not needed where the installed library is used
  find_package(CLI11 REQUIRED)
endif()
find_package(PkgConfig REQUIRED)
pkg_check_modules(cairo REQUIRED IMPORTED_TARGET cairo)
pkg_check_modules(turbojpeg REQUIRED IMPORTED_TARGET libturbojpeg)
