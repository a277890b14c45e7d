# cmake --install: the program, the library with its headers, and a package that find_package(whence) finds.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_property(libraries GLOBAL PROPERTY WHENCE_LIBRARIES)
install(TARGETS whence_program RUNTIME)
install(TARGETS ${libraries} whence_all EXPORT whenceTargets)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/whence TYPE INCLUDE)
install(EXPORT whenceTargets NAMESPACE whence:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/whence)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/whenceConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/whenceConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/whence)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/whenceConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/whenceConfig.cmake ${PROJECT_BINARY_DIR}/whenceConfigVersion.cmake
              ${PROJECT_SOURCE_DIR}/cmake/WhenceDependencies.cmake ${PROJECT_SOURCE_DIR}/cmake/WhenceTorch.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/whence)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/recipes DESTINATION ${CMAKE_INSTALL_DATADIR}/whence)
