// SPDX-License-Identifier: BSD-2-Clause
//
// From the ports to the root: entrances, one stream, the delay line with the record of interrupts beside it,
// the decision about each TLP, the exit.
//
// Indicator first: latency 6 cycles at 64 bit, 5 at 128. Tap: 2 cycles, around the line; the line then only
// observes. A change of mode waits until nothing is under way. One beat per cycle. Synchronous reset.
`default_nettype none

module upstream #(
    parameter integer WIDTH = 64,
    parameter integer PORTS = 4,
    parameter integer SOURCES = 32,
    parameter integer BUMP = 0,
    parameter integer ISOLATION = 1
) (
    input  wire                      clk,
    input  wire                      rst,
    input  wire [7:0]                bus,
    input  wire [4:0]                device,
    input  wire [63:0]               time_ns,
    input  wire [PORTS-1:0]          open, // ports that are up, and nothing is left of what they were before
    input  wire [PORTS-1:0]          link, // the ports' links are up; the first beat after that begins a TLP
    input  wire                      indicator_first,
    input  wire                      hold, // let nothing new in
    output wire                      quiet, // nothing is under way
    output wire                      moving, // something moves

    input  wire [PORTS*WIDTH-1:0]    s_data,
    input  wire [PORTS*WIDTH/32-1:0] s_keep,
    input  wire [PORTS-1:0]          s_last,
    input  wire [PORTS-1:0]          s_valid,
    output wire [PORTS-1:0]          s_ready,
    output reg                       s_np_ok,
    input  wire                      snap,
    output wire [PORTS-1:0]          snap_done,
    output wire [PORTS-1:0]          drained,

    output wire [WIDTH-1:0]          m_data,
    output wire [WIDTH/32-1:0]       m_keep,
    output wire                      m_last,
    output wire                      m_bad,
    output wire                      m_valid,
    input  wire                      m_ready,
    input  wire                      m_np_ok,

    // The relay's own, one at a time.
    input  wire                      token_valid,
    output wire                      token_taken,
    output wire                      token_done,
    input  wire                      token_record,
    input  wire                      token_force,
    input  wire                      token_emit,
    input  wire                      token_level,
    input  wire [113:0]              token_key,
    input  wire [2:0]                token_tc,
    input  wire [31:0]               token_h0,
    input  wire [31:0]               token_h1,
    input  wire [31:0]               token_h2,
    input  wire [31:0]               token_h3,
    input  wire [31:0]               token_w0,

    // The record of interrupts, and its maintenance.
    input  wire [127:0]              window_base,
    input  wire [127:0]              window_mask,
    input  wire [1:0]                window_enable,
    input  wire                      learn,
    input  wire [7:0]                learn_not,
    input  wire                      free_there,
    input  wire [6:0]                free_index,
    output wire                      learned,
    output wire [6:0]                record_index,
    output wire [113:0]              record_key,
    output wire [2:0]                record_tc,
    output wire                      record_level,
    input  wire                      load_stored,
    input  wire                      load_program,
    input  wire [113:0]              program_key,
    output wire                      record_ready,
    output wire                      record_known,
    output wire                      record_idle,
    input  wire                      record_take,
    input  wire                      write,
    input  wire                      write_bit,
    input  wire [6:0]                write_index,
    output wire [SOURCES-1:0]        write_which,

    // Windows and rewrite.
    input  wire                      guard_set,
    input  wire [8:0]                guard_index,
    input  wire [31:0]               guard_data,
    output wire [7:0]                guarded, // ports that are checked
    output wire [SOURCES-1:0]        record_match,
    input  wire                      rewrite,
    input  wire [29:0]               rewrite_address,
    input  wire [31:0]               rewrite_data,
    input  wire                      token_refuse,
    output wire                      decide_stop,
    output wire                      decide_nonposted,
    output wire [1:0]                decide_reason,
    output wire                      decide_message,
    output wire                      np_enter,
    input  wire                      np_more,

    // What is decided.
    input  wire                      pause,
    input  wire                      wire_own,
    input  wire                      wire_forced,
    input  wire                      wire_suppressed,
    output wire                      wire_set,
    input  wire                      masked,  // the messages of the record's source are kept back
    input  wire                      blocked, // … for the time being
    input  wire [15:0]               event_count,
    input  wire                      ring_enable,
    input  wire                      ring_room,
    input  wire [63:0]               ring_address,
    input  wire [31:0]               ring_number,
    input  wire [31:0]               ring_missed,
    output wire                      ring_busy,
    output wire                      ring_put,
    output wire                      ring_miss,
    output wire                      decide,
    output wire                      decide_event,
    output wire                      decide_rise,
    output wire                      decide_kept,
    output wire                      decide_masked,
    output wire                      decide_listed,
    output wire                      decide_record, // there is a record …
    output wire                      decide_irq,    // … of an interrupt
    output wire                      decide_poisoned,
    output wire                      decide_odd,
    output wire                      decide_token,
    output wire [2:0]                decide_port,   // of the TLP; 1 to 7

    // The beats of what was decided, also of what is kept back or absorbed.
    output wire                      beat,
    output wire                      beat_last,
    output wire                      beat_bad,
    output wire [WIDTH-1:0]          beat_data,
    output wire [WIDTH/32-1:0]       beat_keep,

    // One pulse a TLP.
    output reg                       count_posted,
    output reg                       count_nonposted,
    output reg                       count_completion,
    output reg                       count_malformed,
    output reg                       count_spoofed,
    output reg                       count_cleared,
    output reg                       count_down
);
    localparam integer K = WIDTH / 32;
    localparam integer DEPTH = (WIDTH == 64) ? 4 : 3;

    // ---- entrances --------------------------------------------------------------------------------------

    wire [PORTS*WIDTH-1:0] h_data;
    wire [PORTS*K-1:0]     h_keep;
    wire [PORTS-1:0]       h_last;
    wire [PORTS*6-1:0]     h_class;
    wire [PORTS-1:0]       h_valid;
    wire [PORTS-1:0]       h_more;
    wire [PORTS-1:0]       h_pop;
    wire                   h_drain;
    wire [PORTS-1:0]       dropped;
    reg  [PORTS-1:0]       discard_q; // ports that are down drop beats one after the other, to be counted

    genvar g;
    generate
        for (g = 0; g < PORTS; g = g + 1) begin : port
            always @(posedge clk) begin
                discard_q[g] <= rst ? (g == 0) : discard_q[(g + PORTS - 1) % PORTS];
            end
            // What was begun before the port opened is dropped to its end.
            reg  skip_q;
            wire skips = open[g] & skip_q;
            wire taken = s_valid[g] & s_ready[g];
            wire entrance_ready;
            wire entrance_dropped;
            assign s_ready[g] = skips ? discard_q[g] : entrance_ready;
            assign dropped[g] = entrance_dropped | (skips & taken & s_last[g]);
            always @(posedge clk) begin
                if (rst | ~link[g]) begin
                    skip_q <= 1'b0;
                end else if (taken) begin
                    skip_q <= ~s_last[g] & (~open[g] | skip_q);
                end
            end
            ingress #(.WIDTH(WIDTH), .UPSTREAM(1)) entrance (
                .clk(clk), .rst(rst), .up(open[g]),
                .s_data(s_data[g*WIDTH +: WIDTH]), .s_keep(s_keep[g*K +: K]), .s_last(s_last[g]),
                .s_valid(s_valid[g] & ~skips), .s_ready(entrance_ready),
                .h_valid(h_valid[g]), .h_data(h_data[g*WIDTH +: WIDTH]), .h_keep(h_keep[g*K +: K]),
                .h_last(h_last[g]), .h_class(h_class[g*6 +: 6]), .h_more(h_more[g]),
                .h_pop(h_pop[g]), .h_drain(h_drain),
                .snap(snap), .snap_done(snap_done[g]), .drained(drained[g]), .discard(discard_q[g]),
                .dropped(entrance_dropped)
            );
        end
    endgenerate

    // ---- one stream -------------------------------------------------------------------------------------

    reg  tap_q;
    wire line_empty;
    wire merge_midway;
    wire record_stop;
    wire change = (tap_q == indicator_first);
    wire merge_hold = hold | change;
    wire exit_busy;
    assign quiet = ~merge_midway & line_empty & record_idle & ~exit_busy;

    wire [WIDTH-1:0] g_data;
    wire [K-1:0]     g_keep;
    wire             g_first, g_last, g_bad, g_token, g_valid, g_ready, g_fire;
    wire [5:0]       g_class;
    wire [2:0]       g_port;
    wire             np_pop, np_back, np_room, malformed, malformed_first;
    merge #(.WIDTH(WIDTH), .PORTS(PORTS)) merging (
        .clk(clk), .rst(rst), .hold(merge_hold),
        .h_data(h_data), .h_keep(h_keep), .h_last(h_last), .h_class(h_class), .h_valid(h_valid),
        .h_more(h_more), .h_pop(h_pop), .h_drain(h_drain),
        .token_valid(token_valid), .token_taken(token_taken),
        .m_data(g_data), .m_keep(g_keep), .m_first(g_first), .m_last(g_last), .m_bad(g_bad),
        .m_class(g_class), .m_port(g_port), .m_token(g_token), .m_valid(g_valid), .m_ready(g_ready), .token_ready(line_ready & token_may), .fire(g_fire),
        .np_pop(np_pop), .np_back(np_back), .np_more(np_more), .np_enter(np_enter), .np_room(np_room), .midway(merge_midway), .malformed(malformed),
        .malformed_first(malformed_first)
    );

    // Tap: while a token is in the line nobody goes around it.
    reg  token_q;
    wire token_leaves;
    reg  token_done_q;
    assign token_done = token_done_q;
    wire line_ready;
    wire e_ready;
    // A token's record needs the place of the key; it enters when no other record is under way.
    wire token_may = ~token_record | record_idle;
    wire around = tap_q & ~g_token;
    wire swallow = g_class[4] & (BUMP == 0); // INTx messages are absorbed
    assign g_ready = line_ready & ~record_stop & ~(tap_q & token_q) & (~tap_q | e_ready);
    // Its key is looked up a cycle after the token has come in.
    reg  token_load_q;
    wire no_record;
    // What it is, for the line's end, where it comes to later.
    reg  token_record_q, token_force_q, token_emit_q;
    assign record_idle = no_record & ~token_load_q;
    always @(posedge clk) begin
        token_load_q <= ~rst & g_fire & g_token & token_record;
        {token_record_q, token_force_q, token_emit_q} <= {token_record, token_force, token_emit};
    end

    // ---- the record -------------------------------------------------------------------------------------

    wire g_candidate = g_class[3] | g_class[4];
    // What is known about the wire of an INTx record is known a cycle after the record.
    wire m_fresh;
    wire m_valid_r, m_maintain, m_irq, m_bad_r, m_listed, m_odd, m_poisoned, m_take;
    wire [SOURCES-1:0] m_match;
    wire               m_known = (m_match != {SOURCES{1'b0}});
    record #(.WIDTH(WIDTH), .SOURCES(SOURCES)) records (
        .clk(clk), .rst(rst),
        .beat_take(g_fire & ~g_token), .beat_first(g_first), .beat_last(g_last), .beat_bad(g_bad),
        .beat_data(g_data), .beat_candidate(g_candidate), .beat_intx(g_class[4]), .beat_port(g_port),
        .beat_stop(record_stop),
        .load_stored(load_stored | token_load_q), .load_program(load_program),
        .load_maintain(~token_load_q), .load_level(token_level), .stored_key(token_key),
        .stored_tc(token_tc), .program_key(program_key),
        .window_base(window_base), .window_mask(window_mask), .window_enable(window_enable),
        .learn(learn), .learn_not(learn_not), .free_there(free_there), .free_index(free_index), .learned(learned),
        .write(write), .write_bit(write_bit), .write_index(write_index), .write_which(write_which),
        .m_valid_q(m_valid_r), .m_fresh(m_fresh), .m_maintain_q(m_maintain), .m_irq_q(m_irq), .m_bad_q(m_bad_r),
        .m_match_q(m_match), .m_listed(m_listed), .m_index(record_index), .m_key_q(record_key),
        .m_tc_q(record_tc), .m_odd_q(m_odd), .m_poisoned_q(m_poisoned), .m_level_q(record_level),
        .m_take(m_take | record_take), .idle(no_record)
    );
    assign record_ready = m_valid_r & m_maintain;
    assign record_known = m_listed;

    // ---- the line ---------------------------------------------------------------------------------------

    localparam integer SIDE = K + 10;
    wire [WIDTH-1:0] d_data;
    wire [K-1:0]     d_keep;
    wire             d_last, d_bad, d_nonposted, d_candidate, d_completion, d_record, d_token, d_valid, d_ready;
    wire [SIDE-1:0]  line_side;
    wire             recorded = g_candidate & ~(g_first & g_bad);
    line #(.WIDTH(WIDTH), .SIDE(SIDE), .DEPTH(DEPTH)) delay (
        .clk(clk), .rst(rst),
        .s_data(g_data),
        .s_side({g_token ? token_record : recorded, g_token, g_port, g_class[1], g_class[0] & ~g_token,
                 recorded & ~g_token, g_bad, g_last, g_keep}),
        .s_valid(g_fire), .s_ready(line_ready),
        .m_data(d_data), .m_side(line_side), .m_valid(d_valid), .m_ready(d_ready), .empty(line_empty)
    );
    assign {d_record, d_token, decide_port, d_completion, d_nonposted, d_candidate, d_bad, d_last, d_keep} = line_side;

    // ---- windows ----------------------------------------------------------------------------------------

    wire        v_valid, v_stop, v_change, v_four, v_take;
    wire [1:0]  v_reason;
    wire [39:0] v_page;
    generate
        if (ISOLATION != 0) begin : isolated
            window #(.WIDTH(WIDTH)) windows (
                .clk(clk), .rst(rst), .bus(bus), .device(device), .set(guard_set), .set_index(guard_index),
                .set_data(guard_data), .enable_q(guarded),
                .beat_take(g_fire & ~g_token), .beat_first(g_first), .beat_last(g_last), .beat_data(g_data),
                .beat_class(g_class), .beat_port(g_port),
                .v_valid(v_valid), .v_stop(v_stop), .v_reason(v_reason), .v_change(v_change), .v_page(v_page),
                .v_four(v_four), .v_take(v_take)
            );
        end else begin : open_
            assign guarded = 8'd0;
            assign v_valid = 1'b1;
            assign {v_stop, v_change, v_four} = 3'd0;
            assign v_reason = 2'd0;
            assign v_page = 40'd0;
            wire unused = &{1'b0, guard_set, guard_index, guard_data, v_take};
        end
    endgenerate
    // Of a message: a source of a port that is checked passes rewritten, and nothing else; and not with a digest,
    // which would be wrong.
    wire v_refuse = rewrite ? d_data[15] & ~d_token : guarded[record_key[113:111]];

    // ---- the decision -----------------------------------------------------------------------------------

    wire [WIDTH-1:0] x_data;
    wire [K-1:0]     x_keep;
    wire             x_last, x_bad, x_nonposted, x_valid, x_ready, x_first, relayed, cleared, own;
    dispatch #(.WIDTH(WIDTH), .BUMP(BUMP)) decision (
        .clk(clk), .rst(rst), .tap(tap_q), .pause(pause), .bus(bus), .device(device), .time_ns(time_ns),
        .d_data(d_data), .d_keep(d_keep), .d_last(d_last), .d_bad(d_bad), .d_nonposted(d_nonposted),
        .d_candidate(d_candidate), .d_record(d_record), .d_token(d_token), .d_valid(d_valid), .d_ready(d_ready),
        .m_valid(m_valid_r & ~m_maintain & ~(m_fresh & record_key[110])), .m_irq(m_irq), .m_bad(m_bad_r), .m_listed(m_listed),
        .m_index(record_index), .m_key(record_key), .m_tc(record_tc), .m_odd(m_odd),
        .m_poisoned(m_poisoned), .m_level(record_level), .m_take(m_take),
        .v_valid(v_valid), .v_stop(v_stop), .v_refuse(v_refuse), .v_take(v_take), .stop(decide_stop),
        .token_refuse(token_refuse),
        .wire_own(wire_own), .wire_forced(wire_forced), .wire_suppressed(wire_suppressed),
        .wire_set(wire_set),
        .token_record(token_record_q), .token_force(token_force_q), .token_emit(token_emit_q),
        .token_h0(token_h0), .token_h1(token_h1), .token_h2(token_h2),
        .token_h3(token_h3), .token_w0(token_w0), .token_done(token_leaves),
        .kept_back(m_known & (masked | blocked)), .event_count(event_count), .kept(decide_kept),
        .ring_enable(ring_enable), .ring_room(ring_room), .ring_address(ring_address),
        .ring_number(ring_number), .ring_missed(ring_missed), .ring_busy(ring_busy), .ring_put(ring_put), .ring_miss(ring_miss),
        .e_data(x_data), .e_keep(x_keep), .e_last(x_last), .e_bad(x_bad), .e_nonposted(x_nonposted),
        .e_valid(x_valid), .e_ready(x_ready), .e_first(x_first),
        .decide(decide), .event_(decide_event), .rise(decide_rise), .beat(beat), .relayed(relayed), .cleared(cleared),
        .own(own)
    );
    assign decide_listed = m_listed;
    assign decide_masked = m_known & masked;
    assign decide_record = d_record;
    assign decide_irq = m_irq;
    assign decide_poisoned = m_poisoned;
    assign decide_odd = m_odd;
    assign decide_token = d_token;
    assign beat_last = d_valid & d_ready & d_last;
    assign beat_bad = d_bad;
    assign record_match = m_match;
    assign decide_nonposted = d_nonposted;
    assign decide_reason = v_reason;
    assign decide_message = d_candidate & m_irq;
    assign np_back = ~tap_q & d_valid & d_ready & d_nonposted & ~relayed;
    assign beat_data = x_data;
    assign beat_keep = x_keep;

    // ---- the exit ---------------------------------------------------------------------------------------

    wire [WIDTH-1:0] y_data;
    wire [K-1:0]     y_keep;
    wire             y_last, y_bad, y_nonposted, y_valid;
    generate
        if (ISOLATION != 0) begin : changing
            // As it was decided, whatever software has changed since.
            wire message = d_candidate & m_irq;
            reg  rewrite_q;
            always @(posedge clk) begin
                if (decide) begin
                    rewrite_q <= rewrite;
                end
            end
            readdress #(.WIDTH(WIDTH)) addresses (
                .clk(clk), .rst(rst), .s_first(x_first), .s_window(v_change & ~message), .page(v_page), .four(v_four),
                .s_message(message & (decide ? rewrite : rewrite_q)), .address(rewrite_address), .data(rewrite_data),
                .s_data(x_data), .s_keep(x_keep), .s_last(x_last), .s_bad(x_bad), .s_nonposted(x_nonposted),
                .s_valid(x_valid), .s_ready(x_ready), .m_data(y_data), .m_keep(y_keep), .m_last(y_last), .m_bad(y_bad),
                .m_nonposted(y_nonposted), .m_valid(y_valid), .m_ready(e_ready), .busy(exit_busy)
            );
        end else begin : straight
            assign {y_data, y_keep, y_last, y_bad, y_nonposted, y_valid} = {x_data, x_keep, x_last, x_bad, x_nonposted, x_valid};
            assign x_ready = e_ready;
            assign exit_busy = 1'b0;
            wire unused = &{1'b0, x_first, v_change, v_page, v_four, rewrite_address, rewrite_data};
        end
    endgenerate

    wire             go_around = around & g_valid & ~swallow & line_ready & ~record_stop & ~token_q;
    wire             e_valid = y_valid | go_around;
    wire             e_last = go_around ? g_last : y_last;
    wire             e_bad = go_around ? g_bad : y_bad;
    wire             e_nonposted = go_around ? g_class[0] : y_nonposted;
    wire [4:0]       unused_np_count;
    wire             unused_first, unused_nonposted, unused_dropped, unused_half;
    egress #(.WIDTH(WIDTH), .USER(1)) exit (
        .clk(clk), .rst(rst), .up(1'b1),
        .s_data(go_around ? g_data : y_data), .s_keep(go_around ? g_keep : y_keep), .s_user(e_bad),
        .s_last(e_last), .s_nonposted(e_nonposted), .s_valid(e_valid), .s_ready(e_ready),
        .m_data(m_data), .m_keep(m_keep), .m_user(m_bad), .m_last(m_last), .m_valid(m_valid),
        .m_ready(m_ready), .np_ok(m_np_ok), .np_pop(np_pop), .np_count(unused_np_count), .p_half(unused_half),
        .m_first(unused_first), .m_nonposted(unused_nonposted), .dropped(unused_dropped)
    );

    // ---- counted ----------------------------------------------------------------------------------------

    wire ends = go_around ? e_ready & g_last & ~g_bad : relayed & ~own & x_last & ~x_bad;
    wire completion = go_around ? g_class[1] : d_completion;
    wire nonposted = go_around ? g_class[0] : x_nonposted;
    // Who a TLP says it comes from: its port's function; for INTx, which may not say, the card. A completion
    // names who completes, which is bus 0 until the function has had its first configuration write.
    wire [15:0] requester = g_data[63:48];
    wire        spoofed = (BUMP == 0) & ~g_class[1] & ((requester[15:3] != {bus, device}) |
                                         (requester[2:0] != (g_class[4] ? 3'd0 : g_port)));
    always @(posedge clk) begin
        s_np_ok <= np_room & ~rst;
        token_done_q <= ~rst & token_leaves;
        count_posted <= ~rst & ends & ~nonposted & ~completion;
        count_nonposted <= ~rst & ends & nonposted;
        count_completion <= ~rst & ends & completion;
        count_malformed <= ~rst & malformed;
        count_spoofed <= ~rst & g_fire & ~g_token & g_first & ~g_bad & spoofed;
        count_cleared <= ~rst & cleared;
        count_down <= ~rst & (dropped != {PORTS{1'b0}});
        if (rst) begin
            tap_q <= 1'b0;
            token_q <= 1'b0;
        end else begin
            if (change & quiet) begin
                tap_q <= ~indicator_first;
            end
            token_q <= (token_q | token_taken) & ~token_leaves;
        end
    end
    assign moving = g_fire | (d_valid & d_ready) | (y_valid & e_ready) | (change & quiet);

    wire unused = &{1'b0, malformed_first, unused_np_count, unused_half, unused_first, unused_nonposted, unused_dropped,
                    g_class[5], g_class[2]};
endmodule

`default_nettype wire
