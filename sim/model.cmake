# SPDX-License-Identifier: BSD-2-Clause
# ---- the Verilated circuit behind a C interface (model.h) -------------------------------------------------

find_package(verilator 5.006 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Threads REQUIRED)

# Verilator's runtime and what it generates are not held to our warnings.
set(runtime ${VERILATOR_ROOT}/include)
add_library(sb_verilated STATIC ${runtime}/verilated.cpp ${runtime}/verilated_threads.cpp
    ${runtime}/verilated_fst_c.cpp)
target_include_directories(sb_verilated SYSTEM PUBLIC ${runtime} ${runtime}/vltstd)
target_compile_options(sb_verilated PRIVATE -w)
target_link_libraries(sb_verilated PUBLIC Threads::Threads PRIVATE ZLIB::ZLIB)

# One class per shape; the one that writes FST is a class of its own, so that no run pays for waveforms it
# does not write. model_headers.inc and model_shapes.inc list them for model.cc.
set(shape_lines "")
set(shape_entries "")
set(shape_objects)
# What Verilator generates runs up to a third faster as clang compiles it, and is compiled in a third of the time.
find_program(SIGNALBOX_MODEL_CXX NAMES clang++ DOC "Compiler of the Verilated circuit")
if(NOT SIGNALBOX_MODEL_CXX)
    set(SIGNALBOX_MODEL_CXX ${CMAKE_CXX_COMPILER})
endif()
foreach(shape ${SIGNALBOX_SHAPES})
    string(REPLACE "x" ";" size ${shape})
    list(GET size 0 ports)
    list(GET size 1 dw)
    list(GET size 2 sources)
    list(GET size 3 bump)
    set(tap 0)
    if(shape MATCHES "xtap$")
        set(tap 1)
    endif()
    math(EXPR width "32 * ${dw}")
    set(waveforms 0)
    if(shape IN_LIST SIGNALBOX_WAVEFORM_SHAPES)
        set(waveforms 0 1)
    endif()
    foreach(waveform ${waveforms})
        if(waveform)
            set(class Vwave_${shape})
            set(flags --trace-fst)
        else()
            set(class Vrelay_${shape})
            set(flags)
        endif()
        if(tap)
            list(APPEND flags -DTAP)
        endif()
        set(dir ${CMAKE_CURRENT_BINARY_DIR}/verilated/${class})
        # What an earlier run made and this one does not is not compiled.
        add_custom_command(OUTPUT ${dir}/all.cpp
            COMMAND ${CMAKE_COMMAND} -E rm -rf ${dir}
            COMMAND ${VERILATOR_BIN} --cc --prefix ${class} --Mdir ${dir} --top model_top -O3 --noassert
                --x-assign fast --x-initial fast --output-split 0 -I${SIGNALBOX_RTL_INCLUDE} ${flags}
                -GPORTS=${ports} -GWIDTH=${width} -GSOURCES=${sources} -GBUMP=${bump}
                ${CMAKE_CURRENT_SOURCE_DIR}/model_top.v ${SIGNALBOX_RTL}
                > ${dir}.log
            COMMAND sh -c "cd ${dir} && printf '#include \"%s\"\\n' ${class}*.cpp >all.cpp"
            DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/model_top.v ${SIGNALBOX_RTL}
                ${SIGNALBOX_RTL_INCLUDE}/relay_regs.vh relay_regs
            COMMENT "Verilating ${class}" VERBATIM)
        # Waveforms are for looking, not for speed. Generated code is neither held to our warnings nor looked at by
        # sanitizers, which would double the time of everything.
        set(optimise -O3)
        if(waveform)
            set(optimise -O1)
        endif()
        add_custom_command(OUTPUT ${dir}/all.o
            COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} ${SIGNALBOX_MODEL_CXX} -std=gnu++17 ${optimise} -DNDEBUG -fPIC -w
                -isystem ${runtime} -isystem ${runtime}/vltstd -c ${dir}/all.cpp -o ${dir}/all.o
            DEPENDS ${dir}/all.cpp
            COMMENT "Compiling ${class}" VERBATIM)
        list(APPEND shape_objects ${dir}/all.o)
        string(APPEND shape_lines "#include \"${class}/${class}.h\"\n")
        set(open "open_model<${class}, ${ports}, ${dw}, ${waveform}>")
        string(APPEND shape_entries "{{${ports}, ${dw}, ${sources}, ${bump}, ${tap}}, ${waveform}, ${open}},\n")
    endforeach()
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/verilated/model_headers.inc CONTENT "${shape_lines}")
file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/verilated/model_shapes.inc CONTENT "${shape_entries}")

set_source_files_properties(${shape_objects} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
add_library(sb_model STATIC model.cc ${shape_objects})
target_include_directories(sb_model PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_include_directories(sb_model SYSTEM PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/verilated)
target_link_libraries(sb_model PRIVATE sb_warnings PUBLIC sb_verilated)
