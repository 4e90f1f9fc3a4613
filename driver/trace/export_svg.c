/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A time line: a lane for each wire and for each function's messages.
 *
 *   wire      a bar while the function holds its wire high
 *   root      a bar while the root was told that a line is asserted: by masks and limits that is less
 *   messages  a stroke for each; where several fall on one pixel, a column whose height is their number
 *
 * Whatever the length of the recording, the picture has at most a few elements for each pixel column.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "export.h"
#include "lanes.h"

/* In pixels. */
#define WIDTH 1200
#define LEFT  200
#define RIGHT 90
#define TOP   70
#define LANE  44
#define BAR   22 /* height of a wire's bar, and of the highest column */
#define FOOT  84
#define PLOT  (WIDTH - LEFT - RIGHT)

struct mark {
    uint64_t ns;
    uint8_t lane;
    bool level, kept, replay, gap;
};

struct picture {
    FILE *out;
    struct lanes lanes;
    struct mark *mark;
    size_t n, room;
    uint64_t first_ns, last_ns;
    uint64_t missing;
    unsigned order[LANES_MAX]; /* from top to bottom */
};

/* ---- reading --------------------------------------------------------------------------------------- */

static bool add_mark(struct picture *picture, const struct mark *mark)
{
    if (picture->n == picture->room) {
        const size_t room = picture->room ? 2 * picture->room : 4096;
        struct mark *grown = realloc(picture->mark, room * sizeof *grown);
        if (!grown)
            return false;
        picture->mark = grown;
        picture->room = room;
    }
    picture->mark[picture->n++] = *mark;
    return true;
}

static int read_marks(struct picture *picture, struct trace_reader *reader, struct sb_error *error)
{
    struct trace_entry entry;
    int got;
    picture->first_ns = picture->last_ns = reader->header.time_ns;
    while ((got = trace_next(reader, &entry, error)) > 0) {
        const struct lane *lane = lanes_find(&picture->lanes, &reader->header, &entry);
        const bool gap = entry.missing != 0;
        picture->missing += entry.missing;
        if (entry.time_ns > picture->last_ns)
            picture->last_ns = entry.time_ns;
        if (!lane && !gap)
            continue;
        const struct mark mark = {.ns = entry.time_ns > picture->first_ns ? entry.time_ns : picture->first_ns,
                                  .lane =
                                      (uint8_t)(lane ? (unsigned)(lane - picture->lanes.lane) : LANES_MAX),
                                  .level = entry.level,
                                  .kept = entry.kept,
                                  .replay = entry.replay,
                                  .gap = gap};
        if (!add_mark(picture, &mark)) {
            sb_error_set(error, "Record a shorter time, or fewer TLPs.", "no memory for %zu interrupts",
                         picture->n);
            return -1;
        }
    }
    return got;
}

/* ---- drawing --------------------------------------------------------------------------------------- */

static double x_of(const struct picture *picture, uint64_t ns)
{
    const double span = (double)(picture->last_ns - picture->first_ns);
    return LEFT + (span > 0 ? (double)(ns - picture->first_ns) / span * PLOT : 0);
}

static void rectangle(FILE *out, const char *class, double x, double y, double width, double height)
{
    fprintf(out, "<rect class=\"%s\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\"/>\n", class, x, y,
            width, height);
}

/* Bars that lie closer than the eye can tell are drawn as one. */
struct bar {
    bool open;
    double from, to;
};

static void flush_bar(FILE *out, struct bar *bar, const char *class, double y, double height)
{
    if (bar->open)
        rectangle(out, class, bar->from, y, fmax(bar->to - bar->from, 0.8), height);
    bar->open = false;
}

static void add_bar(FILE *out, struct bar *bar, const char *class, double y, double height, double from,
                    double to)
{
    if (bar->open && from - bar->to > 0.4)
        flush_bar(out, bar, class, y, height);
    if (!bar->open)
        *bar = (struct bar){true, from, to};
    bar->to = fmax(bar->to, to);
}

/* Bars of one lane that overlap nothing: each of a wire's three looks is collected by itself. */
enum look { LOOK_WIRE, LOOK_KEPT, LOOK_TOLD, LOOKS };
static const char *const look_class[LOOKS] = {"wire", "kept", "told"};

static void draw_wire(const struct picture *picture, unsigned lane, double y)
{
    FILE *out = picture->out;
    struct bar bar[LOOKS] = {0};
    const bool root = picture->lanes.lane[lane].port == 0;
    double since = -1;
    enum look look = LOOK_WIRE;
    uint64_t rises = 0;
    for (size_t i = 0; i < picture->n; i++) {
        const struct mark *mark = &picture->mark[i];
        if (mark->lane != lane)
            continue;
        const double x = x_of(picture, mark->ns);
        rises += mark->level && (root || !mark->replay);
        if (since >= 0)
            add_bar(out, &bar[look], look_class[look], y, BAR, since, x);
        since = mark->level ? x : -1;
        look = root ? LOOK_TOLD : mark->kept ? LOOK_KEPT : LOOK_WIRE;
    }
    if (since >= 0)
        add_bar(out, &bar[look], look_class[look], y, BAR, since, LEFT + PLOT);
    for (look = 0; look < LOOKS; look++)
        flush_bar(out, &bar[look], look_class[look], y, BAR);
    fprintf(out, "<text x=\"%d\" y=\"%.1f\">%" PRIu64 " rise%s</text>\n", LEFT + PLOT + 8, y + 15, rises,
            rises == 1 ? "" : "s");
}

static void draw_messages(const struct picture *picture, unsigned lane, double y)
{
    FILE *out = picture->out;
    uint32_t sent[PLOT + 1] = {0}, kept[PLOT + 1] = {0}, most = 1;
    uint64_t total = 0;
    for (size_t i = 0; i < picture->n; i++) {
        const struct mark *mark = &picture->mark[i];
        if (mark->lane != lane)
            continue;
        const unsigned column = (unsigned)(x_of(picture, mark->ns) - LEFT);
        (mark->kept ? kept : sent)[column]++;
        total += !mark->replay;
        if (sent[column] + kept[column] > most)
            most = sent[column] + kept[column];
    }
    const double unit = (double)BAR / most;
    for (unsigned column = 0; column <= PLOT; column++) {
        const double low = unit * sent[column], high = unit * kept[column];
        if (sent[column])
            rectangle(out, "sent", LEFT + column, y + BAR - low, 1, low);
        if (kept[column])
            rectangle(out, "kept", LEFT + column, y + BAR - low - high, 1, high);
    }
    fprintf(out, "<text x=\"%d\" y=\"%.1f\">%" PRIu64 "</text>\n", LEFT + PLOT + 8, y + 9, total);
    if (most > 1)
        fprintf(out, "<text class=\"small\" x=\"%d\" y=\"%.1f\">top: %" PRIu32 "</text>\n", LEFT + PLOT + 8,
                y + 22, most);
}

static void draw_gaps(const struct picture *picture, double bottom)
{
    struct bar bar = {0};
    uint64_t before = picture->first_ns;
    for (size_t i = 0; i < picture->n; i++) {
        const struct mark *mark = &picture->mark[i];
        if (mark->gap)
            add_bar(picture->out, &bar, "gap", TOP - 6, bottom - TOP + 6, x_of(picture, before),
                    x_of(picture, mark->ns));
        before = mark->ns;
    }
    flush_bar(picture->out, &bar, "gap", TOP - 6, bottom - TOP + 6);
}

/* 1, 2 or 5 times a power of ten, so that there are at most about ten steps. */
static double axis_step(double span)
{
    const double power = pow(10, floor(log10(span / 10)));
    const double lead = span / 10 / power;
    return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
}

static void draw_axis(const struct picture *picture, double y)
{
    FILE *out = picture->out;
    const double span = (double)(picture->last_ns - picture->first_ns);
    if (span <= 0)
        return;
    const double step = axis_step(span);
    const double unit = step >= 1e9 ? 1e9 : step >= 1e6 ? 1e6 : step >= 1e3 ? 1e3 : 1;
    const char *name = step >= 1e9 ? "s" : step >= 1e6 ? "ms" : step >= 1e3 ? "us" : "ns";
    for (double at = 0; at <= span * 1.0001; at += step) {
        const double x = LEFT + at / span * PLOT;
        fprintf(out, "<path class=\"grid\" d=\"M%.2f %d V%.1f\"/>\n", x, TOP - 6, y + 4);
        fprintf(out, "<text class=\"axis\" x=\"%.2f\" y=\"%.1f\">%g %s</text>\n", x, y + 18, at / unit, name);
    }
}

static void draw_legend(FILE *out, double y)
{
    static const struct {
        const char *class, *text;
    } items[] = {{"wire", "INTx wire high at the function"},
                 {"told", "line asserted at the root"},
                 {"sent", "message sent on"},
                 {"kept", "kept back (mask, storm limit)"},
                 {"gap", "records missing"}};
    double x = LEFT;
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        rectangle(out, items[i].class, x, y, 14, 12);
        fprintf(out, "<text class=\"small\" x=\"%.0f\" y=\"%.1f\">%s</text>\n", x + 19, y + 10,
                items[i].text);
        x += 48 + 5.2 * (double)strlen(items[i].text);
    }
}

/* By function; a function's wires before its messages; the root below all. */
static bool goes_before(const struct lane *a, const struct lane *b)
{
    char left[LANE_NAME], right[LANE_NAME];
    return strcmp(lane_name(a, left), lane_name(b, right)) < 0;
}

static void order_lanes(struct picture *picture)
{
    for (unsigned i = 0; i < picture->lanes.n; i++) {
        unsigned at = i;
        for (; at > 0 && goes_before(&picture->lanes.lane[i], &picture->lanes.lane[picture->order[at - 1]]);
             at--)
            picture->order[at] = picture->order[at - 1];
        picture->order[at] = i;
    }
}

/* "153.2 us": a length of time for the head line. */
static void write_span(FILE *out, uint64_t ns)
{
    const double unit = ns >= 1000000000 ? 1e9 : ns >= 1000000 ? 1e6 : ns >= 1000 ? 1e3 : 1;
    const char *name = ns >= 1000000000 ? "s" : ns >= 1000000 ? "ms" : ns >= 1000 ? "us" : "ns";
    fprintf(out, "%.4g %s", (double)ns / unit, name);
}

/* When the recording began, by the system's clock. */
static void write_date(FILE *out, uint64_t realtime_ns)
{
    const time_t seconds = (time_t)(realtime_ns / 1000000000);
    struct tm utc;
    char text[64];
    if (realtime_ns && gmtime_r(&seconds, &utc) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &utc))
        fprintf(out, ", recorded from %s", text);
}

static void draw(const struct picture *picture, const struct trace_header *header)
{
    FILE *out = picture->out;
    char name[LANE_NAME];
    const double bottom = TOP + LANE * (double)picture->lanes.n;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" height=\"%.0f\" "
            "font-family=\"sans-serif\" font-size=\"12\">\n",
            WIDTH, bottom + FOOT, WIDTH, bottom + FOOT);
    fputs(
        "<style>.page{fill:#fff}.wire{fill:#d1495b}.told{fill:#30638e}.sent{fill:#00798c}.kept{fill:#edae49}"
        ".gap{fill:#999;opacity:.35}.grid,.base{stroke:#ddd;stroke-width:1}.small,.axis{font-size:10px;fill:#"
        "555}"
        ".axis{text-anchor:middle}.name{text-anchor:end}.title{font-size:16px;font-weight:bold}</style>\n",
        out);
    fprintf(out, "<rect class=\"page\" width=\"%d\" height=\"%.0f\"/>\n", WIDTH, bottom + FOOT);
    fprintf(out, "<text class=\"title\" x=\"%d\" y=\"26\">Interrupts through relay %s</text>\n", LEFT,
            slot_name(slot_of_requester(header->domain, header->card), name));
    fprintf(out, "<text x=\"%d\" y=\"46\">", LEFT);
    write_span(out, picture->last_ns - picture->first_ns);
    if (picture->missing)
        fprintf(out, ", %" PRIu64 " record%s missing", picture->missing, picture->missing == 1 ? "" : "s");
    fputs(picture->lanes.left_out ? ", more functions than fit" : "", out);
    write_date(out, header->realtime_ns);
    fputs("</text>\n", out);
    draw_axis(picture, bottom);
    for (unsigned i = 0; i < picture->lanes.n; i++) {
        const unsigned which = picture->order[i];
        const struct lane *lane = &picture->lanes.lane[which];
        const double y = TOP + LANE * (double)i + 4;
        fprintf(out, "<path class=\"base\" d=\"M%d %.1f h%d\"/>\n", LEFT, y + BAR, PLOT);
        fprintf(out, "<text class=\"name\" x=\"%d\" y=\"%.1f\">%s</text>\n", LEFT - 10, y + 15,
                lane_name(lane, name));
        (lane->wire ? draw_wire : draw_messages)(picture, which, y);
    }
    if (picture->lanes.n == 0)
        fprintf(out, "<text x=\"%d\" y=\"%d\">No interrupt was recorded.</text>\n", LEFT, TOP);
    draw_gaps(picture, bottom);
    draw_legend(out, bottom + 40);
    fputs("</svg>\n", out);
}

int export_svg(struct trace_reader *reader, FILE *out, struct sb_error *error)
{
    struct picture picture = {.out = out};
    const int got = read_marks(&picture, reader, error);
    order_lanes(&picture);
    draw(&picture, &reader->header);
    free(picture.mark);
    return got;
}
