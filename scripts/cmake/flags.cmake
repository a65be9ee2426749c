# Flags of our own code, as a target so that they reach neither packages nor the code of users.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
add_library(streamrun_flags INTERFACE)
target_compile_options(streamrun_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow
  # g++ 12 reports values inside std::variant that are never read, and copies between std::strings that do not
  # overlap (GCC bug 105651) or overflow; the sanitizers and clang-tidy look for real ones.
  -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow
  "-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=")
if(STREAMRUN_WERROR)
  target_compile_options(streamrun_flags INTERFACE -Werror)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  # The oldest machine that a binary must run on; wider code is chosen at run time.
  target_compile_options(streamrun_flags INTERFACE -march=x86-64-v2)
endif()
if(STREAMRUN_SANITIZE)
  add_compile_options(-fsanitize=${STREAMRUN_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${STREAMRUN_SANITIZE})
endif()
# streamrun_no_pointer_checks(target): what of UBSan costs most of the time to compile and finds little that
# AddressSanitizer does not. For code that is not the engine's.
function(streamrun_no_pointer_checks target)
  if(STREAMRUN_SANITIZE MATCHES "undefined")
    target_compile_options(${target} PRIVATE -fno-sanitize=null,vptr,object-size,alignment,pointer-overflow)
  endif()
endfunction()
# Files of a target may be compiled together, which takes half of the time: all of them with sanitizers, which make the
# headers dear (CMAKE_UNITY_BUILD), else those that no speed depends on. The release build has the engine's alone, so
# that each includes what it uses.
set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)
if(CMAKE_UNITY_BUILD)
  # It holds the file that includes the others for the one that was meant.
  target_compile_options(streamrun_flags INTERFACE -Wno-subobject-linkage)
endif()
# streamrun_compiled_together(target)
function(streamrun_compiled_together target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON)
  target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
endfunction()
# streamrun_compiled_alone(files): they share a name of an unnamed namespace with another file of their target.
function(streamrun_compiled_alone)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()
