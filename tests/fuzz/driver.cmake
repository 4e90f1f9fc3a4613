# SPDX-License-Identifier: BSD-2-Clause
# Fuzzers of the command and of trace files.
set(driver ${PROJECT_SOURCE_DIR}/driver)
set(regs ${PROJECT_BINARY_DIR}/rtl/generated)
file(GLOB trace_sources CONFIGURE_DEPENDS ${driver}/trace/*.c)
sb_fuzz_test(fuzz-trace SOURCES trace.c ${trace_sources} ${driver}/lib/error.c ${driver}/lib/slot.c ${driver}/lib/relay.c
    INCLUDE ${driver}/trace ${driver}/lib ${PROJECT_SOURCE_DIR}/hv/hal ${regs} LINK -lm)
add_dependencies(fuzz-trace-program relay_regs)

file(GLOB command_sources CONFIGURE_DEPENDS ${driver}/cmd/*.c ${driver}/lib/*.c)
list(REMOVE_ITEM command_sources ${driver}/cmd/main.c)
sb_fuzz_test(fuzz-command SOURCES command.c ${command_sources} ${trace_sources} ${core}/indicator.c
        ${core}/format.c ${core}/partition.c ${core}/text.c
    INCLUDE ${driver}/cmd ${driver}/lib ${driver}/trace ${PROJECT_SOURCE_DIR}/hv/hal ${core} ${regs}
        /usr/include/libsmartcols SECONDS 10
    LINK -lpci -lsmartcols -ljansson -lncursesw -ltinfo -lfdt -lm
    ARGS -dict=${CMAKE_CURRENT_SOURCE_DIR}/command.dict)
add_dependencies(fuzz-command-program relay_regs)

foreach(name trace command)
    add_custom_command(TARGET fuzz-${name}-program POST_BUILD
        COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/driver_seeds.py ${CMAKE_CURRENT_BINARY_DIR}/fuzz-trace.corpus
            ${CMAKE_CURRENT_BINARY_DIR}/fuzz-command.corpus VERBATIM)
endforeach()
