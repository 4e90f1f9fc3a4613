/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of VMX and SVM this machine offers. */
#ifndef VIRT_H
#define VIRT_H

enum virt { VIRT_NONE, VIRT_VMX, VIRT_SVM };

/* *why is a sentence for the user when there is neither: missing, locked off by the firmware, or without
 * nested paging. Locks VMX on where the firmware left the choice open; so call it on every CPU. */
enum virt virt_detect(const char **why);

#endif
