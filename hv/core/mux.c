/* SPDX-License-Identifier: BSD-2-Clause */
#include "mux.h"

#include "lock.h"

#include <stdbool.h>

#define LINE_BYTES 240u

struct console {
    const char *name;
    unsigned length;
    char line[LINE_BYTES];
};

static struct lock lock;
static struct console consoles[MUX_CONSOLES];
static void (*sink)(const char *text, size_t length);
static bool unfinished; /* the last thing out was a line without its end */
static unsigned last;   /* whose; PROMPT: the hypervisor's prompt */
static volatile bool emergency;

enum { PROMPT = MUX_CONSOLES };

static bool take(void)
{
    if (emergency)
        return false;
    lock_take(&lock);
    return true;
}

static void release(bool taken)
{
    if (taken)
        lock_release(&lock);
}

void mux_emergency(void)
{
    emergency = true;
}

static size_t length_of(const char *text)
{
    size_t length = 0;

    while (text[length])
        length++;
    return length;
}

static void out(const char *text, size_t length)
{
    if (sink && length)
        sink(text, length);
}

/* Sends what the console has; a line that goes on where the last output stopped gets no new name. */
static void send(unsigned which, bool end)
{
    struct console *console = &consoles[which];

    if (unfinished && last != which) {
        out("\n", 1);
        unfinished = false;
    }
    if (!unfinished && console->name && (console->length || end)) {
        out(console->name, length_of(console->name));
        out("| ", 2);
    }
    out(console->line, console->length);
    if (end)
        out("\n", 1);
    else if (console->length)
        last = which;
    unfinished = !end && (console->length || unfinished);
    console->length = 0;
}

void mux_sink(void (*to)(const char *text, size_t length))
{
    sink = to;
}

void mux_name(unsigned console, const char *name)
{
    consoles[console].name = name;
}

void mux_put(unsigned which, uint8_t byte)
{
    struct console *console = &consoles[which];
    bool taken = take();

    if (byte == '\n') {
        send(which, true);
    } else if (byte != '\r') {
        console->line[console->length++] = (char)byte;
        if (console->length == LINE_BYTES)
            send(which, false);
    }
    release(taken);
}

bool mux_waits(unsigned which)
{
    return consoles[which].length > 0;
}

void mux_flush(unsigned which)
{
    bool taken = take();

    if (consoles[which].length)
        send(which, false);
    release(taken);
}

void mux_prompt(const char *text, size_t length)
{
    bool taken = take();

    if (unfinished && last != PROMPT)
        out("\n", 1);
    out(text, length);
    unfinished = length == 0 || text[length - 1] != '\n';
    last = PROMPT;
    release(taken);
}

void mux_write(const char *text, size_t length)
{
    bool taken = take();

    if (unfinished) {
        out("\n", 1);
        unfinished = false;
    }
    out(text, length);
    release(taken);
}
