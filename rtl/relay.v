// SPDX-License-Identifier: BSD-2-Clause
//
// The relay: N downstream ports, one upstream port, and the record of who asked for an interrupt.
//
// Streams carry raw TLPs, DW0 in the low lane, bits in specification order; keep has one bit per DW. `bad`
// on a last beat tells the receiver to drop the TLP (as a link does with EDB, and a hard block with its
// "source discontinue").
// np_ok inputs: a non-posted TLP is begun only while it is high; after it falls the receiver still takes
// what is offered already. np_ok outputs: after it falls the sender may still send what it has begun.
// Time is counted by whoever instantiates the relay; from deadline_there on it need not be told the time again
// before `deadline` (modulo 2^44 ns), as long as nothing else happens; nothing happens inside while ~busy.
// Synchronous reset, active high.
`default_nettype none
`include "relay_regs.vh"

module relay #(
    parameter integer PORTS = 4,    // 1 to 7
    parameter integer WIDTH = 64,   // 64 or 128
    parameter integer SOURCES = 32, // 1 to 126
    parameter integer BUMP = 0,     // 1: one port between two links, INTx messages forwarded unchanged
    parameter integer RING = 1,     // the parts that a build has
    parameter integer ACT = 1,
    parameter integer TRACE = 1,
    parameter integer ISOLATION = 0, // MSI rewrite and DMA windows; not in a bump
    parameter [31:0]  BUILD = 32'd0,
    parameter [31:0]  CLOCK_KHZ = 32'd0
) (
    input  wire                      clk,
    input  wire                      rst,

    // What configuration decides, outside.
    input  wire [7:0]                bus,
    input  wire [4:0]                device,
    input  wire                      bus_master,
    input  wire                      own_bar_enable,
    input  wire [63:0]               own_bar_base,
    input  wire [PORTS*2-1:0]        bar_enable, // two memory BARs a port
    input  wire [PORTS*128-1:0]      bar_base,
    input  wire [PORTS*128-1:0]      bar_mask,
    input  wire [PORTS-1:0]          port_up,    // low: the link is down or in reset

    input  wire [63:0]               time_ns,
    output wire                      deadline_there,
    output wire [43:0]               deadline,
    output wire                      busy,

    // From the ports, towards the root.
    input  wire [PORTS*WIDTH-1:0]    s_port_data,
    input  wire [PORTS*WIDTH/32-1:0] s_port_keep,
    input  wire [PORTS-1:0]          s_port_last,
    input  wire [PORTS-1:0]          s_port_valid,
    output wire [PORTS-1:0]          s_port_ready,
    output wire                      s_port_np_ok,
    output wire [WIDTH-1:0]          m_root_data,
    output wire [WIDTH/32-1:0]       m_root_keep,
    output wire                      m_root_last,
    output wire                      m_root_bad,
    output wire                      m_root_valid,
    input  wire                      m_root_ready,
    input  wire                      m_root_np_ok,

    // From the root, towards the ports.
    input  wire [WIDTH-1:0]          s_root_data,
    input  wire [WIDTH/32-1:0]       s_root_keep,
    input  wire                      s_root_last,
    input  wire                      s_root_valid,
    output wire                      s_root_ready,
    output wire                      s_root_np_ok,
    output wire [PORTS*WIDTH-1:0]    m_port_data,
    output wire [PORTS*WIDTH/32-1:0] m_port_keep,
    output wire [PORTS-1:0]          m_port_last,
    output wire [PORTS-1:0]          m_port_bad,
    output wire [PORTS-1:0]          m_port_valid,
    input  wire [PORTS-1:0]          m_port_ready,
    input  wire [PORTS-1:0]          m_port_np_ok
);
    generate
        if (PORTS < 1 || PORTS > 7) begin : check_ports
            $fatal(1, "relay: PORTS is 1 to 7");
        end
        if (WIDTH != 64 && WIDTH != 128) begin : check_width
            $fatal(1, "relay: WIDTH is 64 or 128");
        end
        if (SOURCES < 1 || SOURCES > 126) begin : check_sources
            $fatal(1, "relay: SOURCES is 1 to 126");
        end
        if (BUMP != 0 && PORTS != 1) begin : check_bump
            $fatal(1, "relay: a bump has one port");
        end
        if (ISOLATION != 0 && BUMP != 0) begin : check_isolation
            $fatal(1, "relay: a bump has no windows");
        end
    endgenerate

    localparam [31:0] PORTS_BITS = PORTS;
    localparam [31:0] DW_BITS = WIDTH / 32;
    localparam [31:0] SOURCES_BITS = SOURCES;
    localparam integer TRACE_LOG2 = 8;
    localparam [31:0] TRACE_BITS = (TRACE != 0) ? TRACE_LOG2 : 0;
    localparam [31:0] SHAPE = {8'd0, TRACE_BITS[3:0], SOURCES_BITS[7:0], DW_BITS[7:0], PORTS_BITS[3:0]};
    localparam integer COUNTERS = (ISOLATION != 0) ? 31 : 29;
    localparam [31:0] CAPS = (32'd1 << `RELAY_CAPS_TAP_LOW) | (32'd1 << `RELAY_CAPS_INDICATOR_FIRST_LOW) |
                             (32'd1 << `RELAY_CAPS_LEARN_LOW) | (32'd1 << `RELAY_CAPS_INJECT_LOW) |
                             ((RING != 0) ? (32'd1 << `RELAY_CAPS_RING_LOW) : 32'd0) |
                             ((TRACE != 0) ? (32'd1 << `RELAY_CAPS_TRACE_LOW) : 32'd0) |
                             ((ACT != 0) ? (32'd1 << `RELAY_CAPS_MASK_LOW) : 32'd0) |
                             ((ACT != 0) ? (32'd1 << `RELAY_CAPS_STORM_LIMIT_LOW) : 32'd0) |
                             ((ACT != 0) ? (32'd1 << `RELAY_CAPS_ONE_SHOT_LOW) : 32'd0) |
                             ((ACT != 0) ? (32'd1 << `RELAY_CAPS_LEARN_ACT_LOW) : 32'd0) |
                             ((ISOLATION != 0) ? (32'd1 << `RELAY_CAPS_MSI_REWRITE_LOW) : 32'd0) |
                             ((ISOLATION != 0) ? (32'd1 << `RELAY_CAPS_DMA_WINDOWS_LOW) : 32'd0) |
                             ((BUMP != 0) ? (32'd1 << `RELAY_CAPS_BUMP_LOW) : 32'd0);

    // No path leads from an input to an output within a cycle.
    reg  [PORTS-1:0] up_q;
    reg  [PORTS-1:0] port_np_ok_q;
    reg              root_np_ok_q;
    always @(posedge clk) begin
        up_q <= port_up & {PORTS{~rst}};
        port_np_ok_q <= m_port_np_ok;
        root_np_ok_q <= m_root_np_ok;
    end
    wire [PORTS-1:0] open;

    // ---- from the root ----------------------------------------------------------------------------------

    wire [WIDTH-1:0] l_data;
    wire             l_last, l_bad, l_refuse, l_first, l_nonposted, l_valid, l_ready, l_np_ok;
    wire             dn_posted, dn_nonposted, dn_completion, dn_malformed, dn_refused, dn_unrouted;
    wire             dn_unexpected, dn_down, dn_beat, dn_first, dn_last, dn_local;
    wire [2:0]       dn_port;
    wire [WIDTH-1:0] dn_data;
    wire [WIDTH/32-1:0] dn_keep;
    wire             o_valid, o_first, o_last, o_urgent, o_take;
    wire [WIDTH-1:0] o_data;
    wire [WIDTH/32-1:0] o_keep;
    wire [2:0]       o_port;
    downstream #(.WIDTH(WIDTH), .PORTS(PORTS), .BUMP(BUMP)) from_root (
        .clk(clk), .rst(rst),
        .s_data(s_root_data), .s_keep(s_root_keep), .s_last(s_root_last), .s_valid(s_root_valid),
        .s_ready(s_root_ready), .s_np_ok(s_root_np_ok),
        .m_data(m_port_data), .m_keep(m_port_keep), .m_last(m_port_last), .m_bad(m_port_bad),
        .m_valid(m_port_valid), .m_ready(m_port_ready), .m_np_ok(port_np_ok_q),
        .o_valid(o_valid), .o_data(o_data), .o_keep(o_keep), .o_first(o_first), .o_last(o_last), .o_port(o_port),
        .o_urgent(o_urgent), .o_take(o_take),
        .l_data(l_data), .l_last(l_last), .l_bad(l_bad), .l_refuse(l_refuse), .l_first(l_first),
        .l_nonposted(l_nonposted), .l_valid(l_valid), .l_ready(l_ready), .l_np_ok(l_np_ok),
        .bus(bus), .device(device), .up(open & up_q), .own_bar_enable(own_bar_enable),
        .own_bar_base(own_bar_base), .bar_enable(bar_enable), .bar_base(bar_base), .bar_mask(bar_mask),
        .beat(dn_beat), .beat_first(dn_first), .beat_last(dn_last), .beat_data(dn_data), .beat_keep(dn_keep),
        .beat_port(dn_port), .beat_local(dn_local),
        .count_posted(dn_posted), .count_nonposted(dn_nonposted), .count_completion(dn_completion),
        .count_malformed(dn_malformed), .count_refused(dn_refused), .count_unrouted(dn_unrouted),
        .count_unexpected(dn_unexpected), .count_down(dn_down)
    );

    // ---- BAR 0 ------------------------------------------------------------------------------------------

    wire        reg_valid, reg_write, reg_done, reg_refused;
    wire [13:0] reg_index;
    wire [31:0] reg_wdata, reg_rdata;
    wire        cpl_valid, cpl_has_data, cpl_taken, count_reg_refused;
    wire [31:0] cpl_dw0, cpl_dw1, cpl_dw2, cpl_dw3;
    completer #(.WIDTH(WIDTH)) answers (
        .clk(clk), .rst(rst), .bus(bus), .device(device),
        .l_data(l_data), .l_last(l_last), .l_bad(l_bad), .l_refuse(l_refuse), .l_first(l_first),
        .l_nonposted(l_nonposted), .l_valid(l_valid), .l_ready(l_ready), .l_np_ok(l_np_ok),
        .reg_valid_q(reg_valid), .reg_write_q(reg_write), .reg_index(reg_index), .reg_wdata(reg_wdata),
        .reg_done(reg_done), .reg_refused(reg_refused), .reg_rdata(reg_rdata),
        .cpl_valid_q(cpl_valid), .cpl_dw0(cpl_dw0), .cpl_dw1(cpl_dw1), .cpl_dw2(cpl_dw2),
        .cpl_dw3(cpl_dw3), .cpl_has_data(cpl_has_data), .cpl_taken(cpl_taken),
        .count_refused(count_reg_refused)
    );

    wire               set_indicator_first, set_learn, set_trace_interrupts, set_trace_tlps;
    wire [127:0]       window_base, window_mask;
    wire [1:0]         window_enable;
    wire [31:0]        trace_tail, ring_tail, edge_ns, on_ns, off_ns;
    wire [63:0]        ring_base, ring_status;
    wire [2:0]         learn_act;
    wire               ring_enable;
    wire [3:0]         ring_log2;
    wire               clear_counters, clear_trace;
    wire [SOURCES-1:0] used, pending;
    wire [PORTS*4-1:0] wires_own, wires_forced, wires_delivered, suppress, wires_forget;
    wire [3:0]         told;
    wire [31:0]        ring_head, ring_number, ring_missed;
    wire               ring_behind;
    wire               counter_read, counter_done;
    wire [31:0]        counter_value, trace_head, trace_value;
    wire               k_valid, k_done, k_refused;
    wire [2:0]         k_kind;
    wire [6:0]         k_index;
    wire [3:0]         k_word;
    wire [31:0]        k_rdata;
    wire               guard_set, fault_clear, message_address_set, message_data_set;
    wire [6:0]         message_index;
    wire [31:0]        fault_value, message_address, message_data;
    wire               source_valid;
    registers #(
        .PORTS(PORTS), .SOURCES(SOURCES), .COUNTERS(COUNTERS), .CAPS(CAPS), .SHAPE(SHAPE), .BUILD(BUILD),
        .CLOCK_KHZ(CLOCK_KHZ)
    ) regs (
        .clk(clk), .rst(rst), .time_ns(time_ns), .bus(bus), .device(device), .bus_master(bus_master),
        .valid(reg_valid), .write(reg_write), .index(reg_index), .wdata(reg_wdata), .done(reg_done),
        .refused(reg_refused), .rdata(reg_rdata),
        .indicator_first_q(set_indicator_first), .learn_q(set_learn),
        .trace_interrupts_q(set_trace_interrupts), .trace_tlps_q(set_trace_tlps),
        .window_base(window_base), .window_mask(window_mask), .window_enable(window_enable),
        .trace_tail_q(trace_tail), .ring_base_q(ring_base), .ring_status_q(ring_status),
        .ring_enable_q(ring_enable), .ring_log2_q(ring_log2), .ring_tail_q(ring_tail),
        .edge_ns_q(edge_ns), .on_ns_q(on_ns), .off_ns_q(off_ns), .learn_act_q(learn_act),
        .clear_counters_q(clear_counters), .clear_trace_q(clear_trace),
        .table_full(used == {SOURCES{1'b1}}), .ring_busy(ring_busy | status_busy),
        .ring_behind(ring_behind), .pending(pending),
        .wires(wires_own), .told(told), .open(open), .trace_head(trace_head), .ring_head(ring_head),
        .ring_missed(ring_missed),
        .counter_read(counter_read), .counter_done(counter_done), .counter_value(counter_value),
        .trace_value(trace_value),
        .guard_set(guard_set), .fault_clear(fault_clear), .fault_value(fault_value),
        .message_address_set(message_address_set), .message_data_set(message_data_set),
        .message_index(message_index), .message_busy(source_valid), .message_address(message_address),
        .message_data(message_data),
        .k_valid(k_valid), .k_kind(k_kind), .k_index(k_index), .k_word(k_word), .k_done(k_done),
        .k_refused(k_refused), .k_rdata(k_rdata)
    );

    // ---- to the root ------------------------------------------------------------------------------------

    wire               hold, quiet, moving, snap, pause;
    wire [PORTS-1:0]   snap_done, drained;
    wire               token_valid, token_taken, token_done, token_record, token_force, token_emit;
    wire               token_level, token_source;
    wire [113:0]       token_key, program_key, record_key, stored_key;
    wire [2:0]         token_tc, record_tc, stored_tc;
    wire [31:0]        token_h0, token_h1, token_h2, token_h3, token_w0;
    wire               free_there, learned, record_level, load_stored, load_program;
    wire               record_ready, record_known, record_idle, record_take, write, write_bit;
    wire [6:0]         free_index, record_index, write_index, send_index;
    wire [SOURCES-1:0] write_which;
    wire               masked, blocked; // the source of the record
    wire               wire_own, wire_forced, wire_suppressed, wire_set;
    wire               status_busy, ring_on, ring_room, ring_busy, ring_put, ring_miss;
    wire [63:0]        ring_address;
    wire               decide, decide_event, decide_rise, decide_kept, decide_masked, decide_listed, decide_record;
    wire               decide_irq, decide_poisoned, decide_odd, decide_token;
    wire [2:0]         decide_port;
    wire               up_beat, up_last, up_bad;
    wire [7:0]         guarded;
    wire [SOURCES-1:0] record_match;
    wire               isolates, rewrite_hit, token_refuse, decide_stop, decide_nonposted, decide_message;
    wire [29:0]        rewrite_address;
    wire [31:0]        rewrite_data, sent_h0, sent_h3, sent_w0;
    wire [1:0]         decide_reason;
    wire               np_enter, np_more;
    wire [WIDTH-1:0]   up_data;
    wire [WIDTH/32-1:0] up_keep;
    wire               up_posted, up_nonposted, up_completion, up_malformed, up_spoofed, up_cleared, up_down;
    wire               ready;
    upstream #(.WIDTH(WIDTH), .PORTS(PORTS), .SOURCES(SOURCES), .BUMP(BUMP), .ISOLATION(ISOLATION)) to_root (
        .clk(clk), .rst(rst), .bus(bus), .device(device), .time_ns(time_ns), .open(open & up_q), .link(up_q),
        .indicator_first(set_indicator_first | ring_enable | ring_on | isolates), .hold(hold), .quiet(quiet), .moving(moving),
        .s_data(s_port_data), .s_keep(s_port_keep), .s_last(s_port_last), .s_valid(s_port_valid),
        .s_ready(s_port_ready), .s_np_ok(s_port_np_ok), .snap(snap), .snap_done(snap_done),
        .drained(drained),
        .m_data(m_root_data), .m_keep(m_root_keep), .m_last(m_root_last), .m_bad(m_root_bad),
        .m_valid(m_root_valid), .m_ready(m_root_ready), .m_np_ok(root_np_ok_q),
        .token_valid(token_valid), .token_taken(token_taken), .token_done(token_done),
        .token_record(token_record), .token_force(token_force), .token_emit(token_emit),
        .token_level(token_level), .token_key(token_key),
        .token_tc(token_tc), .token_h0(sent_h0), .token_h1(token_h1), .token_h2(token_h2),
        .token_h3(sent_h3), .token_w0(sent_w0),
        .window_base(window_base), .window_mask(window_mask), .window_enable(window_enable),
        .learn(set_learn), .learn_not(guarded), .free_there(free_there & ready), .free_index(free_index), .learned(learned),
        .record_index(record_index), .record_key(record_key), .record_tc(record_tc),
        .record_level(record_level), .load_stored(load_stored), .load_program(load_program),
        .program_key(program_key), .record_ready(record_ready), .record_known(record_known),
        .record_idle(record_idle), .record_take(record_take), .write(write), .write_bit(write_bit),
        .write_index(write_index), .write_which(write_which),
        .guard_set(guard_set), .guard_index(reg_index[8:0]), .guard_data(reg_wdata), .guarded(guarded),
        .record_match(record_match), .rewrite(rewrite_hit), .rewrite_address(rewrite_address),
        .rewrite_data(rewrite_data), .token_refuse(token_refuse), .decide_stop(decide_stop),
        .decide_nonposted(decide_nonposted), .decide_reason(decide_reason), .decide_message(decide_message),
        .np_enter(np_enter), .np_more(np_more),
        .pause(pause), .wire_own(wire_own), .wire_forced(wire_forced), .wire_suppressed(wire_suppressed),
        .wire_set(wire_set), .masked(masked), .blocked(blocked), .event_count(event_count),
        .ring_enable(ring_on), .ring_room(ring_room & bus_master), .ring_address(ring_address),
        .ring_number(ring_number), .ring_missed(ring_missed), .ring_busy(ring_busy), .ring_put(ring_put),
        .ring_miss(ring_miss),
        .decide(decide), .decide_event(decide_event), .decide_rise(decide_rise),
        .decide_kept(decide_kept), .decide_masked(decide_masked), .decide_listed(decide_listed), .decide_record(decide_record),
        .decide_irq(decide_irq), .decide_poisoned(decide_poisoned), .decide_odd(decide_odd),
        .decide_token(decide_token), .decide_port(decide_port),
        .beat(up_beat), .beat_last(up_last), .beat_bad(up_bad), .beat_data(up_data), .beat_keep(up_keep),
        .count_posted(up_posted), .count_nonposted(up_nonposted), .count_completion(up_completion),
        .count_malformed(up_malformed), .count_spoofed(up_spoofed), .count_cleared(up_cleared),
        .count_down(up_down)
    );

    // ---- the record of interrupts -----------------------------------------------------------------------

    wire         is_intx = record_key[110];
    wire         event_ = decide & decide_event;
    wire         seen = event_ & decide_rise; // an interrupt
    wire         again = decide & token_source & decide_token & ~token_record; // sent from the table
    wire         unlisted = seen & ~decide_listed;
    wire [6:0]   event_index = again ? send_index : record_index;

    // What is done about it. At 64 bit that is done in the next cycle: there the record's key outlasts it by one, and the next
    // event of a source is two behind. At 128 bit it may be the next one.
    wire         listed_event = seen & decide_listed;
    wire [17:0]  todo = {(event_ & decide_listed) | again, event_index, ~again & decide_rise, again | decide_rise,
                         decide_kept & ~again, unlisted, listed_event & ~is_intx & decide_kept,
                         listed_event & ~is_intx & ~decide_kept, listed_event, wire_set, decide_token & token_force,
                         ring_miss};
    wire         ev_valid, ev_seen, ev_other, ev_kept, ev_unlisted, ev_keeps, ev_sends, ev_stirs, ev_wire, ev_force, ev_miss;
    wire [6:0]   ev_index;
    generate
        if (WIDTH == 64) begin : later
            reg [17:0] todo_q;
            always @(posedge clk) begin
                todo_q <= rst ? 18'd0 : todo;
            end
            assign {ev_valid, ev_index, ev_seen, ev_other, ev_kept, ev_unlisted, ev_keeps, ev_sends, ev_stirs, ev_wire,
                    ev_force, ev_miss} = todo_q;
        end else begin : at_once
            assign {ev_valid, ev_index, ev_seen, ev_other, ev_kept, ev_unlisted, ev_keeps, ev_sends, ev_stirs, ev_wire,
                    ev_force, ev_miss} = todo;
        end
    endgenerate

    wire         op_valid, op_kept, op_ack, op_clear, op_ready;
    wire [6:0]   op_index;
    wire [15:0]  event_count;
    wire [31:0]  op_data, row_count, row_other, row_acked;
    wire [63:0]  row_first, row_last;
    wire [113:0] row_key;
    wire [2:0]   row_tc;
    wire         row_programmed, row_seen, row_refused, key_write, used_change;
    source_table #(.SOURCES(SOURCES), .FORWARD((WIDTH == 128) ? 1 : 0)) sources (
        .clk(clk), .rst(rst), .time_ns(time_ns),
        .ev_valid(ev_valid), .ev_index(ev_index), .ev_seen(ev_seen), .ev_other(ev_other), .ev_kept(ev_kept),
        .event_count(event_count),
        .op_valid(op_valid), .op_index(op_index), .op_kept(op_kept), .op_ack(op_ack), .op_clear(op_clear),
        .op_data(op_data), .op_ready(op_ready),
        .row_count(row_count), .row_other(row_other), .row_acked(row_acked), .row_first(row_first),
        .row_last(row_last), .row_key(row_key), .row_tc(row_tc), .row_programmed(row_programmed),
        .row_seen(row_seen), .row_refused(row_refused),
        .key_write(learned | key_write | ev_unlisted),
        .key_index(ev_unlisted ? 7'd127 : key_write ? write_index : record_index), .key(record_key),
        .key_tc(record_tc), .key_programmed(key_write), .pending_q(pending)
    );

    // An operation that waits long stops the next decision, once.
    reg  [3:0]   waited_q;
    always @(posedge clk) begin
        if (rst | ~op_valid | op_ready) begin
            waited_q <= 4'd0;
        end else if (~waited_q[3]) begin
            waited_q <= waited_q + 4'd1;
        end
    end
    assign pause = waited_q[3];

    free_list #(.SOURCES(SOURCES)) entries (
        .clk(clk), .rst(rst), .change(learned | used_change), .which(write_which), .used_q(used),
        .there_q(free_there), .index_q(free_index)
    );

    reg          unlisted_q;
    wire         source_record, source_level, source_done;
    wire         count_held, count_one_shot, keeper_busy;
    wire         told_set;
    keeper #(.PORTS(PORTS), .SOURCES(SOURCES), .ACT(ACT)) keeping (
        .clk(clk), .rst(rst), .time_ns(time_ns), .bus(bus), .device(device),
        .s_valid(k_valid), .s_kind(k_kind), .s_write(reg_write), .s_index(k_index), .s_word(k_word),
        .s_wdata(reg_wdata), .s_done(k_done), .s_refused(k_refused), .s_rdata(k_rdata),
        .unlisted_there(unlisted_q), .edge_ns(edge_ns), .on_ns(on_ns), .off_ns(off_ns),
        .op_valid(op_valid), .op_index(op_index), .op_kept(op_kept), .op_ack(op_ack), .op_clear(op_clear),
        .op_data(op_data), .op_ready(op_ready), .row_count(row_count), .row_other(row_other),
        .row_acked(row_acked), .row_first(row_first), .row_last(row_last), .row_key(row_key),
        .row_tc(row_tc), .row_programmed(row_programmed), .row_seen(row_seen), .row_refused(row_refused),
        .pending(pending),
        .hold(hold), .quiet(quiet), .load_stored(load_stored), .load_program(load_program),
        .stored_key(stored_key), .stored_tc(stored_tc), .program_key(program_key),
        .record_ready(record_ready), .record_known(record_known), .record_idle(record_idle),
        .record_take(record_take), .write(write), .write_bit(write_bit), .write_index(write_index),
        .key_write(key_write), .used(used), .used_change(used_change),
        .source_valid(source_valid), .source_record(source_record), .source_level(source_level),
        .source_done(source_done), .send_index(send_index), .learn_act(learn_act), .learned(learned),
        .wires_own(wires_own), .wires_forced(wires_forced), .wires_delivered(wires_delivered),
        .suppress_q(suppress), .forget(wires_forget),
        .masked(masked), .blocked(blocked), .kept_set(ev_keeps), .sent_set(ev_sends), .event_index(record_index),
        .stir(ev_wire | told_set | ev_stirs), .deadline_there(deadline_there),
        .deadline(deadline), .busy(keeper_busy), .ready(ready),
        .count_held(count_held), .count_one_shot(count_one_shot)
    );

    wire         message_valid, message_level, status_done;
    wire [1:0]   message_pin;
    wire [2:0]   record_port = record_key[113:111] - 3'd1;
    intx #(.PORTS(PORTS)) wires (
        .clk(clk), .rst(rst), .index({record_port, record_key[95:94]}), .change(ev_wire),
        .force_(ev_force), .level(record_level),
        .wire_own(wire_own), .wire_forced(wire_forced), .wire_suppressed(wire_suppressed),
        .suppress(suppress), .forget(wires_forget), .delivered_q(wires_delivered), .own_q(wires_own),
        .forced_q(wires_forced), .told_q(told), .differs_q(message_valid), .pin_q(message_pin),
        .level_q(message_level), .told_set(told_set)
    );

    generate
        if (RING != 0) begin : with_ring
            ring events (
                .clk(clk), .rst(rst), .base(ring_base), .enable(ring_enable), .log2(ring_log2), .tail(ring_tail),
                .put(ring_put), .miss(ev_miss), .busy(ring_busy), .on_q(ring_on), .head_q(ring_head), .number_q(ring_number),
                .missed_q(ring_missed), .behind_q(ring_behind), .address(ring_address), .room_q(ring_room)
            );
        end else begin : no_ring
            assign ring_on = 1'b0;
            assign ring_head = 32'd0;
            assign ring_number = 32'd0;
            assign ring_missed = 32'd0;
            assign ring_behind = 1'b0;
            assign ring_address = 64'd0;
            assign ring_room = 1'b0;
            wire unused = &{1'b0, ring_base, ring_log2, ring_tail, ring_enable, ring_busy};
        end
    endgenerate

    reg          status_q; // the status record is to be written
    requests #(.PORTS(PORTS), .BUMP(BUMP)) own (
        .clk(clk), .rst(rst), .bus(bus), .device(device),
        .cpl_valid(cpl_valid), .cpl_dw0(cpl_dw0), .cpl_dw1(cpl_dw1), .cpl_dw2(cpl_dw2), .cpl_dw3(cpl_dw3),
        .cpl_taken(cpl_taken), .snap(snap), .snap_done(snap_done),
        .up(up_q), .drained(drained), .wires(wires_own), .open_q(open),
        .message_valid(message_valid & (BUMP == 0)), .message_pin(message_pin),
        .message_level(message_level), .message_done(told_set),
        .status_valid(status_q & bus_master), .status_address(ring_status), .ring_head(ring_head),
        .status_busy(status_busy), .status_done(status_done),
        .source_valid(source_valid), .source_record(source_record), .source_level(source_level),
        .source_key(stored_key), .source_tc(stored_tc), .source_done(source_done),
        .token_valid(token_valid), .token_taken(token_taken), .token_done(token_done),
        .token_record(token_record), .token_force(token_force), .token_level(token_level),
        .token_key(token_key), .token_tc(token_tc), .token_source(token_source), .token_emit(token_emit),
        .token_h0(token_h0), .token_h1(token_h1), .token_h2(token_h2), .token_h3(token_h3),
        .token_w0(token_w0)
    );

    always @(posedge clk) begin
        if (rst) begin
            unlisted_q <= 1'b0;
            status_q <= 1'b0;
        end else begin
            unlisted_q <= unlisted_q | ev_unlisted;
            status_q <= ((status_q & ~status_done) | ev_miss) & ring_on;
        end
    end

    // ---- isolation --------------------------------------------------------------------------------------

    wire stopped = decide & decide_stop & ~decide_token; // a port's TLP
    generate
        if (ISOLATION != 0) begin : isolation
            wire        sends_message = token_source & ~stored_key[110];
            wire        send_hit, rewrites;
            wire [29:0] send_address;
            wire [31:0] send_data;
            rewrite #(.SOURCES(SOURCES)) messages (
                .clk(clk), .rst(rst), .used(used), .set_address(message_address_set), .set_data(message_data_set),
                .set_index(message_index), .set_value(reg_wdata), .address_value(message_address),
                .data_value(message_data), .match(record_match), .index(record_index), .hit(rewrite_hit),
                .address(rewrite_address), .data(rewrite_data), .send_busy(source_valid), .send_index(send_index),
                .send_hit_q(send_hit), .send_address(send_address), .send_data(send_data), .any_q(rewrites)
            );
            assign isolates = rewrites | (guarded != 8'd0);
            assign token_refuse = sends_message & guarded[stored_key[113:111]] & ~send_hit;
            assign sent_h0 = {token_h0[31:30], token_h0[29] & ~(sends_message & send_hit), token_h0[28:0]};
            assign sent_h3 = (sends_message & send_hit) ? {send_address, 2'b00} : token_h3;
            assign sent_w0 = (sends_message & send_hit) ? send_data : token_w0;
            refuse #(.WIDTH(WIDTH)) answers_ur (
                .clk(clk), .rst(rst), .bus(bus), .device(device), .enter(np_enter),
                .leave(decide & decide_nonposted & ~decide_token & ~decide_stop), .more(np_more),
                .stop(stopped), .beat(up_beat), .beat_last(up_last), .beat_bad(up_bad),
                .beat_nonposted(decide_nonposted), .beat_data(up_data), .beat_port(decide_port),
                .c_valid(o_valid), .c_data(o_data), .c_keep(o_keep), .c_first(o_first), .c_last(o_last),
                .c_port(o_port), .c_urgent(o_urgent), .c_take(o_take)
            );
            fault #(.WIDTH(WIDTH)) faults (
                .clk(clk), .rst(rst), .stop(stopped), .beat(up_beat), .beat_data(up_data), .beat_port(decide_port),
                .beat_message(decide_message), .beat_reason(decide_reason), .clear(fault_clear),
                .read_index(reg_index[5:0]), .value(fault_value)
            );
        end else begin : no_isolation
            assign {isolates, rewrite_hit, token_refuse, o_valid, o_first, o_last, o_urgent} = 7'd0;
            assign np_more = 1'b1;
            assign rewrite_address = 30'd0;
            assign {rewrite_data, fault_value, message_address, message_data} = 128'd0;
            assign {sent_h0, sent_h3, sent_w0} = {token_h0, token_h3, token_w0};
            assign o_data = {WIDTH{1'b0}};
            assign o_keep = {(WIDTH / 32){1'b0}};
            assign o_port = 3'd0;
            wire unused = &{1'b0, o_take, np_enter, decide_nonposted, decide_reason, decide_message, record_match,
                            guarded, guard_set, fault_clear, message_address_set, message_data_set, message_index,
                            up_bad, stopped};
        end
    endgenerate

    // ---- trace ------------------------------------------------------------------------------------------

    wire         trace_dropped, trace_dropped_too;
    // The relay's own: what has a record or is sent from the table is of a port, the news of a pin is not;
    // its completions and its ring are not traced.
    wire         news = decide_token & token_emit & ~token_record & token_h0[28];
    generate
        if (TRACE != 0) begin : tracing
            trace #(.WIDTH(WIDTH), .LOG2(TRACE_LOG2)) traces (
                .clk(clk), .rst(rst), .time_ns(time_ns),
                .interrupts(set_trace_interrupts), .tlps(set_trace_tlps), .tail(trace_tail),
                .clear(clear_trace),
                .decide(decide), .is_irq(decide_event | again | news), .is_other(~decide_token),
                .intx(decide_event ? is_intx : news), .listed(again | (decide_event & decide_listed)),
                .index(event_index), .port(~decide_token ? decide_port : news ? 3'd0 : token_key[113:111]),
                .level(news ? ~token_h1[2] : is_intx & record_level), .odd(decide_event & decide_odd),
                .kept((decide_event & decide_kept) | decide_stop), .replay(decide_token),
                .up_beat(up_beat), .up_last(up_last), .up_data(up_data), .up_keep(up_keep),
                .dn_beat(dn_beat), .dn_first(dn_first), .dn_last(dn_last), .dn_skip(dn_local),
                .dn_port(dn_port), .dn_data(dn_data), .dn_keep(dn_keep),
                .head_q(trace_head), .dropped(trace_dropped), .dropped_too(trace_dropped_too),
                .read_index(reg_index[10:0]), .value(trace_value)
            );
        end else begin : no_trace
            assign trace_head = 32'd0;
            assign trace_value = 32'd0;
            assign trace_dropped = 1'b0;
            assign trace_dropped_too = 1'b0;
            wire unused = &{1'b0, clear_trace, trace_tail, set_trace_interrupts, set_trace_tlps, news, decide_port, up_beat,
                            up_last, up_data, up_keep, dn_beat, dn_first, dn_last, dn_local, dn_port, dn_data, dn_keep};
        end
    endgenerate

    // ---- counters ---------------------------------------------------------------------------------------

    reg  [COUNTERS-1:0] pulse;
    reg  [COUNTERS-1:0] pulse_too;
    wire message = decide_record & decide_irq & ~is_intx;
    always @(posedge clk) begin
        pulse <= {COUNTERS{1'b0}};
        pulse_too <= {COUNTERS{1'b0}};
        pulse[`RELAY_COUNTER_UP_POSTED] <= up_posted;
        pulse[`RELAY_COUNTER_UP_NONPOSTED] <= up_nonposted;
        pulse[`RELAY_COUNTER_UP_COMPLETION] <= up_completion;
        pulse[`RELAY_COUNTER_DOWN_POSTED] <= dn_posted;
        pulse[`RELAY_COUNTER_DOWN_NONPOSTED] <= dn_nonposted;
        pulse[`RELAY_COUNTER_DOWN_COMPLETION] <= dn_completion;
        pulse[`RELAY_COUNTER_SPOOFED] <= up_spoofed;
        pulse[`RELAY_COUNTER_MALFORMED] <= up_malformed;
        pulse_too[`RELAY_COUNTER_MALFORMED] <= dn_malformed;
        pulse[`RELAY_COUNTER_UNROUTED_UR] <= dn_refused;
        pulse[`RELAY_COUNTER_UNROUTED_DROPPED] <= dn_unrouted;
        pulse[`RELAY_COUNTER_CPL_UNEXPECTED] <= dn_unexpected;
        pulse[`RELAY_COUNTER_PORT_DOWN] <= up_down;
        pulse_too[`RELAY_COUNTER_PORT_DOWN] <= dn_down;
        pulse[`RELAY_COUNTER_REG_REFUSED] <= count_reg_refused;
        pulse[`RELAY_COUNTER_RING_EVENTS] <= ring_put;
        pulse[`RELAY_COUNTER_TRACE_DROPPED] <= trace_dropped;
        pulse_too[`RELAY_COUNTER_TRACE_DROPPED] <= trace_dropped_too;
        pulse[`RELAY_COUNTER_HELD] <= count_held;
        pulse[`RELAY_COUNTER_ORDER_CLEARED] <= up_cleared;
        pulse[`RELAY_COUNTER_ONE_SHOT] <= count_one_shot;
        if (decide) begin
            pulse[`RELAY_COUNTER_MSI] <= message & ~decide_poisoned;
            pulse[`RELAY_COUNTER_INTX_ASSERT] <= decide_event & is_intx & record_level;
            pulse[`RELAY_COUNTER_INTX_DEASSERT] <= decide_event & is_intx & ~record_level;
            pulse[`RELAY_COUNTER_INTX_REPEAT] <= wire_set & ~decide_token & (wire_own == record_level);
            pulse[`RELAY_COUNTER_ODD] <= decide_event & decide_odd;
            pulse[`RELAY_COUNTER_POISONED] <= message & decide_poisoned;
            pulse[`RELAY_COUNTER_UNLISTED] <= unlisted;
            pulse[`RELAY_COUNTER_RING_MISSED] <= ring_miss;
            pulse[`RELAY_COUNTER_MASKED] <= seen & decide_kept & decide_masked;
            pulse[`RELAY_COUNTER_COALESCED] <= seen & decide_kept & ~decide_masked;
            pulse[`RELAY_COUNTER_REPLAYED] <= again | (seen & decide_token & token_source & ~is_intx & ~decide_kept);
        end
        if (ISOLATION != 0) begin
            pulse[COUNTERS-2] <= stopped & ~decide_message; // DMA_BLOCKED
            pulse[COUNTERS-1] <= stopped & decide_message;  // MSI_REFUSED
        end
    end
    counters #(.N(COUNTERS)) counts (
        .clk(clk), .rst(rst), .pulse(pulse), .pulse_too(pulse_too), .clear(clear_counters),
        .read(counter_read), .read_index(reg_index[4:0]), .read_done(counter_done), .value(counter_value)
    );

    assign busy = moving | keeper_busy | token_valid | reg_valid | o_valid;

    wire unused = &{1'b0, cpl_has_data};
endmodule

`default_nettype wire
