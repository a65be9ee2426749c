# `cmake --install`: the binary, and the engine as a package for people's own jobs: find_package(streamrun), then link
# streamrun::streamrun and hand a table of jobs to streamrun_main.
include(CMakePackageConfigHelpers)

add_library(streamrun_package INTERFACE)
target_link_libraries(streamrun_package INTERFACE
  streamrun_cli streamrun_api streamrun_connectors_file streamrun_connectors_kafka streamrun_connectors_generator streamrun_connectors_print)
target_compile_features(streamrun_package INTERFACE cxx_std_20)
set_target_properties(streamrun_package PROPERTIES EXPORT_NAME streamrun)
install(TARGETS streamrun_package EXPORT streamrun)
install(TARGETS streamrun RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/streamrun)
install(EXPORT streamrun FILE streamrunTargets.cmake NAMESPACE streamrun:: DESTINATION ${package_folder})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/streamrunConfig.cmake.in
  ${PROJECT_BINARY_DIR}/streamrunConfig.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/streamrunConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/streamrunConfig.cmake ${PROJECT_BINARY_DIR}/streamrunConfigVersion.cmake
  DESTINATION ${package_folder})
