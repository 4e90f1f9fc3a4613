/* SPDX-License-Identifier: BSD-2-Clause */
/* Any DW: checked, unpacked, printed; what's well formed packs to the same bits but for reserved ones. */
#include "tlp.h"

#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n = size / 4;
    if (n > TLP_MAX_DW) {
        return 0;
    }
    /* A copy of exactly this size lets ASan see a word too far. */
    uint32_t *dw = malloc(n * 4 + 1);
    CHECK(dw);
    memcpy(dw, data, n * 4);
    struct tlp t, u;
    char text[TLP_PRINT_SIZE], again_text[TLP_PRINT_SIZE];
    static uint32_t again[TLP_MAX_DW], third[TLP_MAX_DW];
    enum tlp_error unpacked = tlp_unpack(&t, dw, n), checked = tlp_check(dw, n, 512);
    CHECK(!unpacked || checked == unpacked);
    CHECK(*tlp_error_text(checked));
    if (!unpacked) {
        tlp_print(text, sizeof text, &t);
        CHECK(strlen(text) < sizeof text - 1);
        CHECK(tlp_pack(&t, again) == n);
        CHECK(again[0] >> 24 == dw[0] >> 24 && again[1] == dw[1]);
        CHECK(tlp_check(again, n, 512) == checked);
        CHECK(!tlp_unpack(&u, again, n));
        CHECK(tlp_pack(&u, third) == n && !memcmp(again, third, n * 4));
        tlp_print(again_text, sizeof again_text, &u);
        CHECK(!strcmp(text, again_text));
        if (tlp_class(t.kind) == TLP_NONPOSTED) {
            struct tlp c = tlp_completion(&t, 0x0100, TLP_UR);
            CHECK(tlp_check(again, tlp_pack(&c, again), 512) == TLP_OK);
        }
    }
    free(dw);
    return 0;
}
