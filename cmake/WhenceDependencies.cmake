# Everything whence is built from. All of it is in Debian's packages; scripts/packages lists them by name.
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Torch REQUIRED)
find_package(tomlplusplus REQUIRED)
if(PROJECT_NAME STREQUAL "whence")  # the program's own, not needed where the installed library is used
  find_package(CLI11 REQUIRED)
endif()
find_package(PkgConfig REQUIRED)
pkg_check_modules(cairo REQUIRED IMPORTED_TARGET cairo)
