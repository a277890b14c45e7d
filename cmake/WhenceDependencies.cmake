# Everything whence is built from. All of it is in Debian's packages; scripts/packages lists them by name.
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Torch REQUIRED)
if(PROJECT_NAME STREQUAL "whence")  # not needed by a program that only uses the installed library
  find_package(tomlplusplus REQUIRED)
  find_package(CLI11 REQUIRED)
endif()
find_package(PkgConfig REQUIRED)
pkg_check_modules(cairo REQUIRED IMPORTED_TARGET cairo)
