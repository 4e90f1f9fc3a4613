/* SPDX-License-Identifier: BSD-2-Clause */
#include "names.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

Test(names, a_file_that_never_comes_is_not_waited_for)
{
    char folder[] = "/tmp/names.XXXXXX", fifo[64];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    cr_assert_eq(mkfifo(fifo, 0600), 0);
    cr_assert_not(names_readable(fifo, 50)); /* its open waits for a writer */
    unlink(fifo);
    cr_assert_not(names_readable(fifo, 10000), "no such file");
    FILE *file = fopen(fifo, "w");
    for (int i = 0; i < 100000; i++)
        fputs("8086  Intel\n", file);
    fclose(file);
    cr_assert(names_readable(fifo, 10000));
    char compressed[72];
    snprintf(compressed, sizeof compressed, "%s.gz", fifo);
    cr_assert(names_readable(compressed, 10000), "libpci would take the one without .gz");
    cr_assert_not(names_readable(folder, 10000), "a folder");
    unlink(fifo);
    rmdir(folder);
}
