/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor.h"

#include "findings.h"
#include "output.h"

static const char *const grade_words[] = {[FINDING_GOOD] = "ok",
                                          [FINDING_NOTE] = "note",
                                          [FINDING_WARNING] = "warning",
                                          [FINDING_FAILURE] = "failure"};

static void print_text(struct invocation *invocation, const struct findings *findings)
{
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *finding = &findings->finding[i];
        fprintf(invocation->out, "%-8s %s%s%s\n", grade_words[finding->grade], finding->where,
                finding->where[0] ? ": " : "", finding->what);
        if (finding->advice[0])
            fprintf(invocation->out, "         %s\n", finding->advice);
    }
}

static void print_objects(struct invocation *invocation, const struct findings *findings,
                          enum finding_grade worst)
{
    json_t *array = json_array();
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *finding = &findings->finding[i];
        json_array_append_new(array, json_pack("{s:s, s:s, s:s*, s:s, s:s}", "grade",
                                               grade_words[finding->grade], "check", finding->check, "slot",
                                               finding->where[0] ? finding->where : NULL, "what",
                                               finding->what, "advice", finding->advice));
    }
    json_t *object = json_schema("doctor", 1);
    json_object_update_new(object, json_pack("{s:s, s:o}", "worst", grade_words[worst], "findings", array));
    json_print(invocation, object);
}

int doctor_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp argp = {.doc =
                                         "Looks at all that may stand between a user and the relay, and at "
                                         "what the relay knows of trouble: access, "
                                         "clock, link, source table, counters, functions that hold their "
                                         "line. Ends with 1 when something fails, "
                                         "2 when there is no card."};
    int status = command_parse(invocation, &argp, argc, argv, NULL);
    if (status)
        return status;
    struct findings findings = {0};
    check_machine(&findings);
    status = command_cards(invocation, CARD_PCI_READ, false);
    struct roster *roster = &invocation->roster;
    if (status == EXIT_NO_SUCH)
        findings_add(&findings, FINDING_FAILURE, "card", NULL,
                     "lspci -d 1209:5160 lists relays. None: is the card programmed and powered? A card that "
                     "was programmed "
                     "after the machine started needs: echo 1 > /sys/bus/pci/rescan",
                     roster->filtered ? "no card or function is what -s and -d say"
                                      : "no relay on the PCI bus");
    for (unsigned c = 0; c < roster->n_cards; c++) {
        check_card(&findings, roster->card[c]);
        check_functions(&findings, roster, roster->card[c]);
    }
    enum finding_grade worst = FINDING_GOOD;
    for (size_t i = 0; i < findings.n; i++)
        worst = findings.finding[i].grade > worst ? findings.finding[i].grade : worst;
    if (findings.no_memory)
        status = command_no_memory(invocation);
    else if (invocation->json)
        print_objects(invocation, &findings, worst);
    else
        print_text(invocation, &findings);
    findings_free(&findings);
    return status ? status : worst == FINDING_FAILURE ? EXIT_FAILED : EXIT_OK;
}
