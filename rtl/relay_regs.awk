# SPDX-License-Identifier: BSD-2-Clause
#
# Turns rtl/relay_regs.txt, the one register map, into what its users include:
#   awk -v out=verilog -f relay_regs.awk relay_regs.txt    `defines
#   awk -v out=c       -f relay_regs.awk relay_regs.txt    C macros and structures
#   awk -v out=doc     -f relay_regs.awk relay_regs.txt    the manual's table, Markdown
# An error in the map (overlap, bit out of range, unknown word) ends with status 1.

function fail(text) {
    printf "%s:%d: %s\n", FILENAME, FNR, text > "/dev/stderr"
    failed = 1
    exit 1
}

# mawk has no strtonum.
function number(text,   n, i, digit) {
    if (text !~ /^0x[0-9a-f]+$/ && text !~ /^[0-9]+$/)
        fail("not a number: " text)
    if (text !~ /^0x/)
        return text + 0
    n = 0
    for (i = 3; i <= length(text); i++) {
        digit = index("0123456789abcdef", substr(text, i, 1)) - 1
        n = n * 16 + digit
    }
    return n
}

function power2(n,   r) {
    r = 1
    while (n-- > 0)
        r *= 2
    return r
}

function rest(first,   i, text) {
    text = ""
    for (i = first; i <= NF; i++)
        text = text (i > first ? " " : "") $i
    return text
}

function lower(text) { return tolower(text) }

function claim(offset, name) {
    if (offset in claimed)
        fail(name " overlaps " claimed[offset])
    if (offset % 4 || offset >= bar_bytes)
        fail(name ": offset out of range or unaligned")
    claimed[offset] = name
}

function define(name, value, text) {
    if (out == "c")
        printf "#define %s %su%s\n", name, value, text == "" ? "" : " /* " text " */"
    else if (out == "verilog")
        printf "`define %s 32'h%s\n", name, substr(value, 3)
}

function end_record() {
    if (record != "" && words != record_words)
        fail("record " record " has " words " words, not " record_words)
    if (record != "" && out == "c")
        print "};"
    record = ""
}

# C needs a record's structure first and its fields' macros after it, so macros wait here.
function flush_later() {
    printf "%s", later
    later = ""
}

/^[ \t]*(#|$)/ { next }

$1 == "map" {
    prefix = $2
    bar_bytes = number($5)
    guard = prefix "_REGS_H"
    if (out == "c") {
        print "/* Generated from rtl/relay_regs.txt: change that file. */"
        printf "#ifndef %s\n#define %s\n\n#include <stdint.h>\n\n", guard, guard
        print "/* The value of a field within a register's or record word's value. */"
        printf "#define %s_GET(value, FIELD) (((value) & (FIELD)) >> FIELD##_SHIFT)\n", prefix
        printf "/* A field's value in its place. */\n"
        printf "#define %s_PUT(FIELD, value) (((uint32_t)(value) << FIELD##_SHIFT) & (FIELD))\n\n", prefix
    } else if (out == "verilog") {
        print "// Generated from rtl/relay_regs.txt: change that file."
    } else {
        printf "| Offset | Register | Access | Reset | Bits | Meaning |\n| --- | --- | --- | --- | --- | --- |\n"
    }
    define(prefix "_MAP_MAJOR", sprintf("0x%x", number($3)), "")
    define(prefix "_MAP_MINOR", sprintf("0x%x", number($4)), "")
    define(prefix "_BAR_BYTES", sprintf("0x%x", bar_bytes), "")
    next
}

$1 == "reg" || $1 == "array" {
    end_record()
    array = $1 == "array"
    offset = number($2)
    reg = prefix "_" $3
    access = $4
    if (access !~ /^(ro|rw|wo)$/)
        fail("unknown access " access)
    reset = sprintf("0x%08x", number($5))
    count = array ? number($6) : 1
    stride = array ? number($7) : 4
    text = rest(array ? 8 : 6)
    for (i = 0; i < count; i++)
        claim(offset + i * stride, $3)
    if (out == "c" && array) {
        printf "\n/* %s (%s) */\n#define %s(i) (0x%04xu + 0x%xu * (i))\n", text, access, reg, offset, stride
    } else if (out == "c") {
        printf "\n/* %s (%s) */\n", text, access
        define(reg, sprintf("0x%04x", offset), "")
    } else if (out == "verilog") {
        define(reg, sprintf("0x%04x", offset), "")
    } else if (array) {
        printf "| `0x%04x` + `0x%x` i, i < %d | `%s[i]` | %s | `%s` | | %s |\n", offset, stride, count, $3, access, reset, text
    } else {
        printf "| `0x%04x` | `%s` | %s | `%s` | | %s |\n", offset, $3, access, reset, text
    }
    define(reg "_RESET", reset, "")
    if (array) {
        define(reg "_COUNT", sprintf("0x%x", count), "")
        define(reg "_STRIDE", sprintf("0x%x", stride), "")
    }
    owner = reg
    next
}

$1 == "record" {
    end_record()
    record = $2
    record_words = number($3)
    words = 0
    if (out == "c") {
        flush_later()
        printf "\n/* %s */\nstruct %s_%s {\n", rest(4), lower(prefix), lower(record)
    } else if (out == "verilog") {
        define(prefix "_" record "_WORDS", sprintf("0x%x", record_words), "")
    } else {
        printf "\n### %s\n\n%s\n\n| Word | Name | Bits | Meaning |\n| --- | --- | --- | --- |\n", record, rest(4)
    }
    next
}

$1 == "word" {
    if (record == "" || number($2) != words)
        fail("word " $2 " out of place")
    words++
    owner = prefix "_" record "_" $3
    if (out == "c")
        printf "    uint32_t %s; /* %s */\n", lower($3), rest(4)
    else if (out == "doc")
        printf "| %d | `%s` | | %s |\n", $2, $3, rest(4)
    next
}

$1 == "field" {
    if (split($2, bits, ":") != 2 || bits[1] + 0 > 31 || bits[1] + 0 < bits[2] + 0)
        fail("bits " $2 " out of range")
    field = owner "_" $3
    mask = sprintf("0x%08x", power2(bits[1] + 1) - power2(bits[2]))
    if (out == "c") {
        line = sprintf("#define %s %su /* %s */\n#define %s_SHIFT %du\n", field, mask, rest(4), field, bits[2])
        if (record != "")
            later = later line
        else
            printf "%s", line
    } else if (out == "verilog") {
        printf "`define %s_HIGH %d\n`define %s_LOW %d\n", field, bits[1], field, bits[2]
    } else if (record != "") {
        printf "| | | %s `%s` | %s |\n", $2, $3, rest(4)
    } else {
        printf "| | | | | %s `%s` | %s |\n", $2, $3, rest(4)
    }
    last_field = field
    next
}

$1 == "value" {
    base = last_field != "" && index(last_field, owner) == 1 ? last_field : owner
    define(base "_" $2, sprintf("0x%x", number($3)), rest(4))
    if (base == owner && record == "")
        list[owner] = list[owner] sprintf(" \\\n    X(%s, %d, \"%s\")", $2, number($3), rest(4))
    if (out == "doc")
        printf "| | | | | | `%s` = %s: %s |\n", $2, $3, rest(4)
    next
}

{ fail("unknown word " $1) }

END {
    if (failed)
        exit 1
    end_record()
    if (out == "c") {
        flush_later()
        for (owner in list)
            printf "\n/* X(NAME, index, text) for each. */\n#define %s_LIST(X)%s\n", owner, list[owner]
        printf "\n#endif\n"
    }
}
