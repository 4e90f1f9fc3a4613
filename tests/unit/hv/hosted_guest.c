/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A test guest (tests/guest/programs) as an LPAR on the hosted back end, the file that runs on SVM and on
 * VMX.
 *
 * usage: hosted_guest FILE CPUS [COMMAND-LINE]
 */
#include "hosted.h"
#include "hosted_lpar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    static uint8_t file[1 << 20];
    struct lpar *lpar;
    size_t size;
    const char *done, *what;
    unsigned good = 0, bad = 1;
    FILE *in = argc > 2 ? fopen(argv[1], "rb") : 0;

    if (!in) {
        fprintf(stderr, "usage: hosted_guest FILE CPUS [COMMAND-LINE]\n");
        return 2;
    }
    size = fread(file, 1, sizeof file, in);
    fclose(in);
    lpar = hosted_lpar(file, size, (unsigned)atoi(argv[2]), 128 << 20, argc > 3 ? argv[3] : "");
    if (!lpar)
        return 2;
    hosted_lpar_run(lpar, 1 << 28, " failed\n");
    fputs(hosted_output(), stdout);
    done = strstr(hosted_output(), "done: ");
    if (done)
        sscanf(done, "done: %u ok, %u failed", &good, &bad);
    if (hosted_stale(&what))
        printf("stale: %s\n", what);
    return good == 0 || bad || hosted_stale(0);
}
