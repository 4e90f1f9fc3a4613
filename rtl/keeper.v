// SPDX-License-Identifier: BSD-2-Clause
//
// Keeps the source table: does what software asks of an entry, clears all entries after reset, and visits
// the sources that something is done to (act) when a wire or a time asks for it. One thing at a time.
//
// An access (s_*) lasts until s_done. To change a key it holds the stream (hold) until nothing is under way
// (quiet). Synchronous reset.
`default_nettype none
`include "relay_regs.vh"

module keeper #(
    parameter integer PORTS = 4,
    parameter integer SOURCES = 32,
    parameter integer ACT = 1
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [63:0]        time_ns,
    input  wire [7:0]         bus,
    input  wire [4:0]         device,

    input  wire               s_valid,
    input  wire [2:0]         s_kind,
    input  wire               s_write,
    input  wire [6:0]         s_index,
    input  wire [3:0]         s_word,   // of the entry
    input  wire [31:0]        s_wdata,
    output wire               s_done,
    output wire               s_refused,
    output reg  [31:0]        s_rdata,

    input  wire               unlisted_there, // there was an interrupt without an entry
    input  wire [31:0]        edge_ns,
    input  wire [31:0]        on_ns,
    input  wire [31:0]        off_ns,
    input  wire [2:0]         learn_act, // what is done to a new source
    input  wire               learned,   // a source took the entry event_index

    // source_table
    output wire               op_valid,
    output wire [6:0]         op_index,
    output wire               op_kept,
    output wire               op_ack,
    output wire               op_clear,
    output wire [31:0]        op_data,
    input  wire               op_ready,
    input  wire [31:0]        row_count,
    input  wire [31:0]        row_other,
    input  wire [31:0]        row_acked,
    input  wire [63:0]        row_first,
    input  wire [63:0]        row_last,
    input  wire [113:0]       row_key,
    input  wire [2:0]         row_tc,
    input  wire               row_programmed,
    input  wire               row_seen,
    input  wire               row_refused,
    input  wire [SOURCES-1:0] pending,

    // record
    output reg                hold,
    input  wire               quiet,
    output wire               load_stored,
    output wire               load_program,
    output reg  [113:0]       stored_key,
    output reg  [2:0]         stored_tc,
    output wire [113:0]       program_key,
    input  wire               record_ready, // the key that was loaded has its record
    input  wire               record_known, // … and is listed
    input  wire               record_idle,
    output wire               record_take,
    output wire               write,
    output wire               write_bit,
    output wire [6:0]         write_index,
    output wire               key_write,    // the record's key becomes the entry's
    input  wire [SOURCES-1:0] used,
    output wire               used_change,

    // requests
    output wire               source_valid,
    output wire               source_record,
    output wire               source_level,
    input  wire               source_done,
    output reg  [6:0]         send_index,

    // intx
    input  wire [PORTS*4-1:0] wires_own,
    input  wire [PORTS*4-1:0] wires_forced,
    input  wire [PORTS*4-1:0] wires_delivered,
    output reg  [PORTS*4-1:0] suppress_q,
    output wire [PORTS*4-1:0] forget,

    // dispatch
    input  wire [6:0]         event_index, // of the source whose record is decided:
    output wire               masked,
    output wire               blocked,
    input  wire               kept_set, // its message was kept back
    input  wire               sent_set, // … was sent

    input  wire               stir,     // something changed that a visit may have to look at
    output wire               deadline_there, // a visit is due at …
    output wire [43:0]        deadline,       // … this time, modulo 2^44 ns
    output wire               busy,
    output wire               ready,    // entries have been cleared after reset
    output wire               count_held,
    output wire               count_one_shot
);
    localparam [2:0] KIND_WORD = 3'd0;   // a word of an entry
    localparam [2:0] KIND_INJECT = 3'd1;
    localparam [2:0] KIND_REARM = 3'd2;
    localparam [2:0] KIND_FORGET = 3'd3; // all entries that may be

    localparam [3:0] WORD_KEY = 4'd0;
    localparam [3:0] WORD_ADDR_LO = 4'd1;
    localparam [3:0] WORD_ADDR_HI = 4'd2;
    localparam [3:0] WORD_DATA = 4'd3;
    localparam [3:0] WORD_COUNT = 4'd4;
    localparam [3:0] WORD_ACKED = 4'd5;
    localparam [3:0] WORD_RELAYED = 4'd6;
    localparam [3:0] WORD_STATE = 4'd7;
    localparam [3:0] WORD_FIRST_LO = 4'd8;
    localparam [3:0] WORD_FIRST_HI = 4'd9;
    localparam [3:0] WORD_LAST_LO = 4'd10;
    localparam [3:0] WORD_LAST_HI = 4'd11;
    localparam [3:0] WORD_ACT = 4'd12;
    localparam [3:0] WORD_COALESCED = 4'd13;

    localparam [3:0] IDLE = 4'd0;
    localparam [3:0] READ = 4'd1;   // ask for the row
    localparam [3:0] LOOK = 4'd2;   // the row is there
    localparam [3:0] WAIT = 4'd3;   // until nothing is under way
    localparam [3:0] CLEAR = 4'd4;  // out of the CAM
    localparam [3:0] CLEARED = 4'd5;
    localparam [3:0] ZERO = 4'd6;   // counts, the first half
    localparam [3:0] ZERO2 = 4'd7;
    localparam [3:0] ENTER = 4'd8;  // into the CAM
    localparam [3:0] ENTERED = 4'd9;
    localparam [3:0] SEND = 4'd10;  // wait for the token
    localparam [3:0] VISIT = 4'd11; // the state after is written
    localparam [3:0] DONE = 4'd12;
    localparam [3:0] REFUSE = 4'd13;
    localparam [3:0] JUDGE = 4'd14; // the entry is in stored_*

    localparam [6:0] LAST = SOURCES[6:0] - 7'd1;

    reg  [3:0] state_q;
    reg  [6:0] index_q;
    reg  [1:0] why_q;    // what the entry is looked at for
    localparam [1:0] WHY_SOFTWARE = 2'd0;
    localparam [1:0] WHY_RESET = 2'd1;
    localparam [1:0] WHY_FORGET = 2'd2;
    localparam [1:0] WHY_VISIT = 2'd3;
    reg  [6:0] visit_q;  // the source that the sweep is at
    reg        loaded_q; // the key has been given to record
    reg        reset_q;  // entries are being cleared after reset
    reg        sweep_q;  // sources are being visited
    reg        stir_q;   // … and must be once more
    reg        act_q;    // there may be something to do to a source
    reg        acknowledged_q;
    reg        act_write_q;
    reg        inject_q;
    reg        held_still_q; // the entry was looked at with the stream held
    reg        was_used_q;   // … it was in use when it was looked at

    wire       is_word = (s_kind == KIND_WORD);
    wire       exists = (s_index <= LAST);
    wire       unlisted_word = is_word & (s_index == 7'd127) & ~s_write & (s_word <= WORD_DATA);
    wire       software = (why_q == WHY_SOFTWARE);

    // ---- the entry looked at --------------------------------------------------------------------------

    function at(input [SOURCES-1:0] vector, input [6:0] index);
        reg [127:0] all;
        begin
            all = {{(128 - SOURCES){1'b0}}, vector};
            at = all[index];
        end
    endfunction
    wire       at_used = at(used, index_q);
    wire       at_pending = at(pending, index_q);

    reg         programmed_q;
    reg         refused_q;
    wire        intx = stored_key[110];
    wire [2:0]  port = stored_key[113:111];
    wire [4:0]  wire_index = {port - 3'd1, stored_key[95:94]};
    wire [31:0] wire_all = {31'd0, intx} << wire_index;
    wire [PORTS*4-1:0] wire_which = wire_all[PORTS*4-1:0]; // none of a message
    wire        unused_wires = &{1'b0, wire_all};
    wire [31:0] own_all = {{(32 - PORTS * 4){1'b0}}, wires_own};
    wire [31:0] forced_all = {{(32 - PORTS * 4){1'b0}}, wires_forced};
    wire [31:0] delivered_all = {{(32 - PORTS * 4){1'b0}}, wires_delivered};
    wire        own = intx & own_all[wire_index];
    wire        forced = intx & forced_all[wire_index];
    wire        delivered = delivered_all[wire_index];

    // ---- what is done to it ----------------------------------------------------------------------------

    reg  [43:0] row; // due, shot, held, armed, one-shot, limit, mask
    wire        at_new, at_blocked, at_deferred;
    wire [2:0]  act_bits = at_new ? learn_act : row[2:0];
    wire        row_write = visit | (state_q == ZERO);
    wire        act_mask, act_limit, act_one_shot;
    wire        send, blocked_d, armed_d, held_d, shot_d;
    wire [37:0] due_d;
    wire [37:0] now = time_ns[43:6];
    wire        visit = (state_q == VISIT) & was_used_q;

    generate
        if (ACT != 0) begin : acting
            reg  [43:0] rows [0:127];
            // The visit follows a cycle after the row has been read: whether its time is over is found out meanwhile. Times
            // lie less than half of their range apart.
            reg  [43:0] judged_q;
            reg         over_q;
            wire [37:0] past = now - row[43:6];
            assign {act_one_shot, act_limit, act_mask} = act_write_q ? s_wdata[2:0] : at_new ? learn_act : judged_q[2:0];
            wire armed = judged_q[3];
            wire held = judged_q[4];
            wire shot = judged_q[5];
            wire unused_past = &{1'b0, past[36:0]};
            always @(posedge clk) begin
                judged_q <= row;
                over_q <= row[3] & ~past[37];
            end
            act rules (
                .now(now), .edge_ns(edge_ns), .on_ns(on_ns), .off_ns(off_ns),
                .mask(act_mask), .limit(act_limit), .one_shot(act_one_shot), .intx(intx),
                .wire_high(own | forced), .delivered(delivered), .acknowledged(acknowledged_q),
                .blocked(at_blocked), .deferred(at_deferred), .armed(armed), .due(judged_q[43:6]), .over(over_q), .held(held),
                .shot(shot), .send(send), .blocked_d(blocked_d), .armed_d(armed_d), .due_d(due_d),
                .held_d(held_d), .shot_d(shot_d)
            );
            source_flags #(.SOURCES(SOURCES)) flags (
                .clk(clk), .k_index(index_q), .k_write(row_write), .k_mask(visit & act_mask), .k_limit(visit & act_limit),
                .k_blocked(visit & blocked_d), .k_deferred(visit & ~send), .k_is_new(at_new),
                .k_is_blocked(at_blocked), .k_is_deferred(at_deferred),
                .e_index(event_index), .learn(learn_act[1:0]), .e_learned(learned), .e_sent(sent_set),
                .e_kept(kept_set), .e_is_masked(masked), .e_is_blocked(blocked)
            );
            assign count_held = visit & held_d & ~held;
            assign count_one_shot = visit & shot_d & ~shot;
            always @(posedge clk) begin
                if (row_write) begin
                    rows[send_index] <= visit ? {due_d, shot_d, held_d, armed_d, act_one_shot, act_limit, act_mask}
                                           : 44'd0;
                end
                row <= row_write ? 44'bx : rows[index_q];
            end
            integer r;
            initial begin
                for (r = 0; r < 128; r = r + 1) begin
                    rows[r] = 44'd0;
                end
            end
        end else begin : idle
            assign {act_one_shot, act_limit, act_mask} = 3'd0;
            assign {send, blocked_d, armed_d, held_d, shot_d} = 5'd0;
            assign due_d = 38'd0;
            assign count_held = 1'b0;
            assign count_one_shot = 1'b0;
            assign {at_new, at_blocked, at_deferred, masked, blocked} = 5'd0;
            always @(posedge clk) begin
                row <= 44'd0;
            end
            wire unused = &{1'b0, edge_ns, on_ns, off_ns, act_write_q, delivered, act_one_shot, act_limit, at_blocked, row, event_index, kept_set, sent_set,
                            send, blocked_d};
        end
    endgenerate

    always @(posedge clk) begin
        if (row_write) begin
            suppress_q <= (suppress_q & ~wire_which) |
                          (wire_which & {(PORTS * 4){visit & (act_mask | held_d | shot_d)}});
        end
        if (rst) begin
            suppress_q <= {(PORTS * 4){1'b0}};
        end
    end
    assign forget = wire_which & {(PORTS * 4){visit & acknowledged_q}};

    // ---- what software sees -----------------------------------------------------------------------------

    function [31:0] swap(input [31:0] dw);
        swap = {dw[7:0], dw[15:8], dw[23:16], dw[31:24]};
    endfunction

    wire        row_intx = row_key[110];
    wire [15:0] requester = row_intx ? {bus, device, row_key[113:111]} : row_key[109:94];
    reg  [31:0] word;
    always @* begin
        case (s_word)
            WORD_KEY: word = {requester, 5'd0, row_key[113:111], 3'd0, row_intx, 2'b00, row_programmed, 1'b1};
            WORD_ADDR_LO: word = {row_key[29:0], row_intx ? row_key[95:94] : 2'd0};
            WORD_ADDR_HI: word = row_key[61:30];
            WORD_DATA: word = swap(row_key[93:62]);
            WORD_COUNT: word = row_count;
            WORD_ACKED: word = row_acked;
            WORD_FIRST_LO: word = row_first[31:0];
            WORD_FIRST_HI: word = row_first[63:32];
            WORD_LAST_LO: word = row_last[31:0];
            WORD_LAST_HI: word = row_last[63:32];
            WORD_ACT: word = {29'd0, act_bits};
            default: word = row_other;
        endcase
    end
    wire of_time = (s_word[3:2] == 2'b10);
    wire shows = (was_used_q & (~of_time | row_seen)) | ((index_q == 7'd127) & unlisted_there);

    // ---- keys put together by software ---------------------------------------------------------------

    reg  [31:0] program_lo_q;
    reg  [31:0] program_hi_q;
    reg  [31:0] program_data_q;
    wire [1:0]  program_kind = s_wdata[`RELAY_SRC_KEY_KIND_HIGH:`RELAY_SRC_KEY_KIND_LOW];
    wire        program_intx = program_kind[0];
    wire [15:0] program_who = program_intx ? {14'd0, program_lo_q[1:0]}
                              : s_wdata[`RELAY_SRC_KEY_REQUESTER_HIGH:`RELAY_SRC_KEY_REQUESTER_LOW];
    assign program_key = {s_wdata[`RELAY_SRC_KEY_PORT_HIGH:`RELAY_SRC_KEY_PORT_LOW], program_intx, program_who,
                          swap(program_data_q), program_hi_q, program_lo_q[31:2]};
    wire        program_ = software & is_word & s_write & (s_word == WORD_KEY) & s_wdata[0];
    localparam [31:0] PORTS_BITS = PORTS;
    wire        program_ok = ~program_kind[1] & (program_key[113:111] != 3'd0) &
                             ({1'b0, program_key[113:111]} < PORTS_BITS[3:0] + 4'd1);

    // ---- states -----------------------------------------------------------------------------------------

    assign op_valid = (state_q == READ) | (state_q == ZERO) | (state_q == ZERO2);
    assign op_index = index_q;
    assign op_kept = (state_q == ZERO2) | ((state_q == READ) & (s_word == WORD_COALESCED));
    assign op_clear = (state_q == ZERO) | (state_q == ZERO2);
    assign op_ack = (state_q == READ) & software & is_word & s_write & (s_word == WORD_ACKED);
    assign op_data = s_wdata;

    assign load_stored = (state_q == CLEAR) & ~loaded_q;
    assign load_program = (state_q == ENTER) & ~loaded_q;
    wire   found = loaded_q & record_ready;
    assign write = found & ((state_q == CLEAR) | ((state_q == ENTER) & ~record_known));
    assign write_bit = (state_q == ENTER) | (state_q == ENTERED);
    assign write_index = index_q;
    assign record_take = found & ((state_q == CLEAR) | (state_q == ENTER));
    assign key_write = write & write_bit;
    assign used_change = write & (write_bit | at_used);

    assign source_valid = (state_q == SEND);
    assign source_record = inject_q;
    assign source_level = s_wdata[`RELAY_INJECT_LEVEL_LOW];

    assign s_done = (state_q == DONE) | (state_q == REFUSE);
    assign s_refused = (state_q == REFUSE);
    assign ready = ~reset_q;

    // ---- times --------------------------------------------------------------------------------------------

    reg  [37:0] soonest_q; // of the times seen in this sweep
    reg         soonest_there_q;
    reg  [37:0] due_q;
    reg         due_there_q;
    wire [37:0] until_due = now - due_q;
    reg         due_now_q;
    // The time of a visit is compared in the cycle after it.
    reg         seen_q; // there is one:
    reg  [37:0] seen_due_q;
    reg         last_q; // the visit was the last of the sweep
    wire [37:0] earlier = seen_due_q - soonest_q;
    wire        sooner = seen_q & (~soonest_there_q | earlier[37]);
    always @(posedge clk) begin
        due_now_q <= due_there_q & ~until_due[37];
    end
    assign deadline_there = due_there_q;
    assign deadline = {due_q, 6'd0};

    wire idle_now = (state_q == IDLE);
    wire wants_sweep = (ACT != 0) & act_q & ~sweep_q & ~reset_q & (stir_q | due_now_q);
    wire start_sweep = wants_sweep & idle_now & ~s_valid & (why_q != WHY_FORGET);
    assign busy = ~idle_now | sweep_q | reset_q | wants_sweep;

    always @(posedge clk) begin
        if (state_q == VISIT) begin
            seen_due_q <= due_d;
        end
        if (state_q == LOOK) begin
            stored_key <= row_key;
            stored_tc <= row_tc;
            programmed_q <= row_programmed;
            refused_q <= row_refused;
            s_rdata <= shows ? word : 32'd0;
            send_index <= index_q;
        end
        if ((state_q == JUDGE) & (s_word == WORD_STATE)) begin
            s_rdata <= was_used_q ? {27'd0, forced, row[5], at_deferred, row[4], own} : 32'd0;
        end
        if (idle_now & s_valid & is_word & s_write & exists) begin
            if (s_word == WORD_ADDR_LO) begin
                program_lo_q <= s_wdata;
            end
            if (s_word == WORD_ADDR_HI) begin
                program_hi_q <= s_wdata;
            end
            if (s_word == WORD_DATA) begin
                program_data_q <= s_wdata;
            end
        end
        if (rst) begin
            state_q <= IDLE;
            reset_q <= 1'b1;
            index_q <= 7'd0;
            why_q <= WHY_RESET;
            loaded_q <= 1'b0;
            sweep_q <= 1'b0;
            stir_q <= 1'b0;
            act_q <= 1'b0;
            hold <= 1'b1;
            acknowledged_q <= 1'b0;
            act_write_q <= 1'b0;
            inject_q <= 1'b0;
            due_there_q <= 1'b0;
            soonest_there_q <= 1'b0;
            seen_q <= 1'b0;
            last_q <= 1'b0;
        end else begin
            loaded_q <= (loaded_q | load_stored | load_program) & ~record_take;
            stir_q <= (stir_q & ~start_sweep) | stir | learned;
            seen_q <= (state_q == VISIT) & visit & armed_d;
            last_q <= (state_q == VISIT) & ~software & (index_q == LAST);
            if (sooner) begin
                soonest_there_q <= 1'b1;
                soonest_q <= seen_due_q;
            end
            if (last_q) begin
                due_q <= sooner ? seen_due_q : soonest_q;
                due_there_q <= soonest_there_q | seen_q;
            end
            if (learned & (learn_act != 3'd0)) begin
                act_q <= 1'b1;
            end
            case (state_q)
                IDLE: begin
                    acknowledged_q <= 1'b0;
                    act_write_q <= 1'b0;
                    inject_q <= 1'b0;
                    held_still_q <= 1'b0;
                    hold <= reset_q;
                    if (reset_q | (why_q == WHY_FORGET)) begin
                        state_q <= READ;
                    end else if (s_valid) begin
                        why_q <= WHY_SOFTWARE;
                        index_q <= s_index;
                        case (s_kind)
                            KIND_WORD: begin
                                if (unlisted_word) begin
                                    state_q <= READ;
                                end else if (~exists) begin
                                    state_q <= s_write ? REFUSE : READ;
                                end else if (s_write) begin
                                    case (s_word)
                                        WORD_KEY: state_q <= (s_wdata[0] & ~program_ok) ? REFUSE : READ;
                                        WORD_ADDR_LO, WORD_ADDR_HI, WORD_DATA: state_q <= DONE;
                                        WORD_ACKED, WORD_ACT: state_q <= READ;
                                        default: state_q <= REFUSE;
                                    endcase
                                end else begin
                                    state_q <= READ;
                                end
                            end
                            KIND_FORGET: begin
                                why_q <= WHY_FORGET;
                                index_q <= 7'd0;
                                state_q <= READ;
                            end
                            default: state_q <= exists ? READ : REFUSE;
                        endcase
                    end else if (start_sweep | sweep_q) begin
                        why_q <= WHY_VISIT;
                        sweep_q <= 1'b1;
                        index_q <= start_sweep ? 7'd0 : visit_q;
                        if (start_sweep) begin
                            visit_q <= 7'd0;
                            soonest_there_q <= 1'b0;
                        end
                        state_q <= READ;
                    end
                end
                READ: begin
                    was_used_q <= at_used;
                    if (op_ready) begin
                        state_q <= LOOK;
                    end
                end
                LOOK: begin
                    state_q <= JUDGE;
                end
                JUDGE: begin
                    case (why_q)
                        WHY_RESET: state_q <= CLEAR;
                        WHY_FORGET: begin
                            if (was_used_q & ~programmed_q & ~at_pending & ~own & ~forced) begin
                                state_q <= WAIT;
                            end else begin
                                state_q <= IDLE;
                                index_q <= index_q + 7'd1;
                                if (index_q == LAST) begin
                                    state_q <= DONE;
                                    why_q <= WHY_SOFTWARE;
                                end
                            end
                        end
                        WHY_VISIT: state_q <= VISIT;
                        default: begin
                            if (s_kind == KIND_INJECT) begin
                                inject_q <= 1'b1;
                                state_q <= was_used_q ? SEND : REFUSE;
                            end else if (s_kind == KIND_REARM) begin
                                acknowledged_q <= 1'b1;
                                state_q <= was_used_q ? VISIT : REFUSE;
                            end else if (~s_write) begin
                                state_q <= DONE;
                            end else if (s_word == WORD_KEY) begin
                                state_q <= (was_used_q | s_wdata[0]) ? WAIT : DONE;
                            end else if (s_word == WORD_ACKED) begin
                                acknowledged_q <= 1'b1;
                                state_q <= ~was_used_q | refused_q ? REFUSE : VISIT;
                            end else begin
                                act_write_q <= 1'b1;
                                act_q <= 1'b1;
                                state_q <= was_used_q & (ACT != 0) ? VISIT : REFUSE;
                            end
                        end
                    endcase
                end
                VISIT: begin
                    if (send & visit) begin
                        state_q <= SEND;
                    end else if (software) begin
                        state_q <= DONE;
                    end else begin
                        state_q <= IDLE;
                    end
                    if (~software) begin
                        visit_q <= index_q + 7'd1;
                        if (index_q == LAST) begin
                            sweep_q <= 1'b0;
                        end
                    end else begin
                        stir_q <= 1'b1;
                    end
                end
                SEND: begin
                    if (source_done) begin
                        state_q <= software ? DONE : IDLE;
                    end
                end
                WAIT: begin
                    hold <= 1'b1;
                    // What was seen before may have changed until nothing was under way.
                    if (hold & quiet) begin
                        held_still_q <= 1'b1;
                        state_q <= ~held_still_q ? READ : was_used_q ? CLEAR : ENTER;
                    end
                end
                CLEAR: begin
                    if (record_take) begin
                        state_q <= CLEARED;
                    end
                end
                CLEARED: begin
                    if (record_idle) begin
                        state_q <= ZERO;
                    end
                end
                ZERO: begin
                    if (op_ready) begin
                        state_q <= ZERO2;
                    end
                end
                ZERO2: begin
                    if (op_ready) begin
                        if (software) begin
                            state_q <= program_ ? ENTER : DONE;
                        end else begin
                            state_q <= IDLE;
                            index_q <= index_q + 7'd1;
                            if (index_q == LAST) begin
                                reset_q <= 1'b0;
                                why_q <= WHY_SOFTWARE;
                                if (why_q == WHY_FORGET) begin
                                    state_q <= DONE;
                                end
                            end
                        end
                    end
                end
                ENTER: begin
                    if (record_take) begin
                        state_q <= record_known ? REFUSE : ENTERED;
                    end
                end
                ENTERED: begin
                    if (record_idle) begin
                        state_q <= DONE;
                    end
                end
                default: begin // DONE, REFUSE: the access ends
                    state_q <= IDLE;
                end
            endcase
        end
    end

    wire unused = &{1'b0, KIND_INJECT, WORD_COUNT, WORD_RELAYED, earlier[36:0], until_due[36:0], time_ns[63:44], time_ns[5:0]};
endmodule

`default_nettype wire
