/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a vfio-user message: what is accepted keeps what the server relies on. */
#include "vfio_user.h"

#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

static void check_request(const struct vu_message *m, unsigned descriptors)
{
    CHECK(descriptors == 0 || m->header.command == VU_DMA_MAP || m->header.command == VU_SET_IRQS);
    switch (m->header.command) {
    case VU_REGION_WRITE:
        CHECK(m->data_bytes == m->access.count && m->access.count <= VU_MAX_TRANSFER);
        break;
    case VU_REGION_READ:
        CHECK(m->data_bytes == 0 && m->access.count <= VU_MAX_TRANSFER);
        break;
    case VU_DMA_MAP:
        CHECK(descriptors <= 1 && m->data_bytes == 0);
        break;
    case VU_SET_IRQS:
        CHECK(descriptors <= VU_MAX_FDS);
        break;
    case VU_VERSION:
        CHECK(m->data_bytes == 0 || m->data[m->data_bytes - 1] == 0);
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 + VU_HEADER_BYTES) {
        return 0;
    }
    unsigned descriptors = data[0] % (VU_MAX_FDS + 1);
    size_t n = size - 1;
    uint8_t *bytes = malloc(n);
    CHECK(bytes);
    memcpy(bytes, data + 1, n);
    struct vu_header header;
    memcpy(&header, bytes, sizeof header);
    header.size = (uint32_t)n; /* the server reads as many as the header says */
    memcpy(bytes, &header, sizeof header);
    if (vu_check_header(&header) == VU_OK) {
        struct vu_message m;
        int error = 0;
        enum vu_verdict verdict = vu_parse(bytes, n, descriptors, &m, &error);
        CHECK(verdict != VU_REFUSE || error != 0);
        if (verdict == VU_OK) {
            CHECK(m.data_bytes <= n);
            /* Touches every byte that's said to be there. */
            unsigned sum = 0;
            for (size_t i = 0; i < m.data_bytes; i++) {
                sum += m.data[i];
            }
            CHECK(sum <= 255u * n);
            if ((header.flags & VU_TYPE_MASK) == VU_REQUEST) {
                check_request(&m, descriptors);
            }
        }
    }
    free(bytes);
    return 0;
}
