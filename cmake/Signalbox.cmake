# SPDX-License-Identifier: BSD-2-Clause
# What every layer's build shares.
find_package(PkgConfig REQUIRED)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(SIGNALBOX_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
if(SIGNALBOX_SANITIZE)
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined
        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=address,undefined)
endif()

# Our own code, not what Verilator generates, is held to these.
add_library(sb_warnings INTERFACE)
target_compile_options(sb_warnings INTERFACE -Wall -Wextra -Wconversion -Werror
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>)
target_compile_definitions(sb_warnings INTERFACE _GNU_SOURCE)

# sb_library(NAME SOURCES… [LINK LIBRARY…]): a layer's static library; its folder is its interface.
function(sb_library name)
    cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
    add_library(${name} STATIC ${arg_UNPARSED_ARGUMENTS})
    target_include_directories(${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_libraries(${name} PUBLIC ${arg_LINK} PRIVATE sb_warnings)
endfunction()

# sb_test(NAME LABELS label… COMMAND …  [TIMEOUT s] [PROPERTIES …]): a ctest with what all have.
# A sanitizer's report fails the test even where the test program itself ends with 0.
function(sb_test name)
    cmake_parse_arguments(arg "" "TIMEOUT" "LABELS;COMMAND;PROPERTIES" ${ARGN})
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 120)
    endif()
    add_test(NAME ${name} COMMAND ${arg_COMMAND})
    set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT}
        SKIP_RETURN_CODE 77
        FAIL_REGULAR_EXPRESSION "AddressSanitizer|LeakSanitizer|runtime error:")
    if(arg_PROPERTIES)
        set_tests_properties(${name} PROPERTIES ${arg_PROPERTIES})
    endif()
endfunction()

# sb_unit_test(NAME LABELS label… SOURCES … LINK …): a Criterion program, registered as one test, with label unit as well;
# target unit_tests builds all of them.
add_custom_target(unit_tests)
function(sb_unit_test name)
    cmake_parse_arguments(arg "" "TIMEOUT" "LABELS;SOURCES;LINK" ${ARGN})
    pkg_check_modules(CRITERION REQUIRED IMPORTED_TARGET criterion)
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE ${arg_LINK} PkgConfig::CRITERION sb_warnings)
    add_dependencies(unit_tests ${name})
    sb_test(${name} LABELS ${arg_LABELS} unit TIMEOUT ${arg_TIMEOUT}
        COMMAND ${name} --jobs 2 --xml=${CMAKE_BINARY_DIR}/junit/${name}.xml)
endfunction()

# sb_fuzz_test(NAME SOURCES … [INCLUDE folder…] [SECONDS n] [LINK flag…] [ARGS …]): a libFuzzer program of clang, run
# for a bounded time from a fixed seed. It compiles the production files itself, with coverage and sanitizers.
function(sb_fuzz_test name)
    cmake_parse_arguments(arg "" "SECONDS" "SOURCES;INCLUDE;LINK;ARGS" ${ARGN})
    if(NOT arg_SECONDS)
        set(arg_SECONDS 5)
    endif()
    find_program(SIGNALBOX_CLANG clang REQUIRED)
    list(TRANSFORM arg_INCLUDE PREPEND -I)
    set(sources)
    foreach(source ${arg_SOURCES})
        cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
        list(APPEND sources ${source})
    endforeach()
    set(program ${CMAKE_CURRENT_BINARY_DIR}/${name})
    # Headers are not tracked one by one: any of the folders' own will do.
    set(headers)
    foreach(folder ${arg_INCLUDE})
        string(SUBSTRING ${folder} 2 -1 folder)
        file(GLOB found CONFIGURE_DEPENDS ${folder}/*.h)
        list(APPEND headers ${found})
    endforeach()
    add_custom_command(OUTPUT ${program}
        COMMAND ${SIGNALBOX_CLANG} -std=gnu17 -g -O1 -fsanitize=fuzzer,address,undefined
            -fno-sanitize-recover=undefined -Wall -Wextra -Wconversion -Werror -D_GNU_SOURCE
            ${arg_INCLUDE} ${sources} -o ${program} ${arg_LINK}
        DEPENDS ${sources} ${headers}
        COMMENT "Building fuzzer ${name}" VERBATIM)
    add_custom_target(${name}-program ALL DEPENDS ${program})
    file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/${name}.corpus)
    math(EXPR timeout "${arg_SECONDS} + 60")
    sb_test(${name} LABELS fuzz TIMEOUT ${timeout}
        COMMAND ${program} -max_total_time=${arg_SECONDS} -seed=1 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1
            -artifact_prefix=${CMAKE_CURRENT_BINARY_DIR}/${name}- ${arg_ARGS} ${CMAKE_CURRENT_BINARY_DIR}/${name}.corpus)
endfunction()
