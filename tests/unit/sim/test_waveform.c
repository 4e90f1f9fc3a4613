/* SPDX-License-Identifier: BSD-2-Clause */
/* What --fst writes, as GTKWave's own reader finds it (it comes with Verilator). */
#include "client.h"
#include "exerciser_regs.h"

#include <criterion/criterion.h>
#include <gtkwave/fstapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct found {
    fstHandle clk, up;
    unsigned signals;
};

static struct found look(void *waveform)
{
    struct found found = {0};
    const struct fstHier *h;
    while ((h = fstReaderIterateHier(waveform))) {
        if (h->htyp == FST_HT_VAR) {
            found.signals++;
            found.clk = strcmp(h->u.var.name, "clk") == 0 ? h->u.var.handle : found.clk;
            found.up = strncmp(h->u.var.name, "m_root_valid", 12) == 0 ? h->u.var.handle : found.up;
        }
    }
    return found;
}

static void count(void *changes, uint64_t time, fstHandle handle, const unsigned char *value)
{
    (void)time;
    ((unsigned *)changes)[handle] += *value == '1';
}

Test(waveform, is_one)
{
    struct sim sim;
    char folder[] = "/tmp/signalbox-wave-XXXXXX", path[64];
    uint64_t id;
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/wave.fst", folder);
    sim_start(&sim, (const char *const[]){"--function", "exerciser", "--fst", path, NULL});
    int fd = client_greet(&sim, 1);
    for (unsigned i = 0; i < 10; i++) {
        cr_assert_eq(client_read(fd, 7, 0, 4, &id), 0);
    }
    cr_assert_eq(id, EXERCISER_DEVICE << 16 | EXERCISER_VENDOR);
    close(fd);
    cr_assert_eq(sim_stop(&sim), 0);

    void *waveform = fstReaderOpen(path);
    cr_assert_not_null(waveform);
    const struct found found = look(waveform);
    cr_expect_gt(found.signals, 500);
    cr_assert(found.clk && found.up);
    fstReaderSetFacProcessMaskAll(waveform);
    unsigned *changes = calloc(fstReaderGetMaxHandle(waveform) + 1, sizeof *changes);
    cr_assert(fstReaderIterBlocks(waveform, count, changes, NULL));
    uint64_t end = fstReaderGetEndTime(waveform);
    cr_expect_leq(llabs((long long)end - 2LL * changes[found.clk]), 2, "a cycle is two steps of time");
    cr_expect_geq(changes[found.up], 10, "the answers went up");
    free(changes);
    fstReaderClose(waveform);
    unlink(path);
    snprintf(path, sizeof path, "rm -r %s", folder);
    cr_expect_eq(system(path), 0);
}
