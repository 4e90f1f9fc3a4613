// SPDX-License-Identifier: BSD-2-Clause
//
// The record of the tap: who asked, how often, when. It is small because it is slow: all it knows is in one memory of
// 1,024 words, which is also what software reads, and one word is looked at or written in a cycle. An interrupt is
// looked up among the sources one after the other: some 10 cycles when it is no interrupt after all, 25 and two to
// eight for each source before its own when it is. `ready` is low meanwhile: the next candidate waits.
//
// Registers: those of the map that this shape has. Reads of others below 0x800 give 0. Writes are taken to
// CTRL (only LEARN does anything), SCRATCH, COMMAND, WINDOW_* and SRC_ACKED, all others are refused. Of the counters
// MSI, INTX_ASSERT, INTX_DEASSERT and UNLISTED count. Pending is COUNT != ACKED.
// Synchronous reset; for some 1,000 cycles after it nothing is answered or recorded.
`default_nettype none
`include "relay_regs.vh"

module tap_record #(
    parameter integer SOURCES = 32, // 2, 4, 8, 16 or 32
    parameter [31:0]  BUILD = 32'd0,
    parameter [31:0]  CLOCK_KHZ = 32'd0
) (
    input  wire        clk,
    input  wire        rst,
    input  wire [63:0] time_ns,
    input  wire [7:0]  bus,
    input  wire [4:0]  device,
    input  wire        bus_master,
    input  wire        up,

    // TLPs of the port as they leave.
    input  wire        beat_valid,
    input  wire        beat_take,
    input  wire        beat_first,
    input  wire        beat_last,
    input  wire        beat_bad,
    input  wire [63:0] beat_data,
    input  wire [1:0]  beat_keep,
    input  wire        beat_candidate, // on the first beat: memory write of one DW, or INTx message
    input  wire        beat_intx,
    output wire        ready,          // the first beat of a candidate may be taken

    input  wire        valid, // an access, until done
    input  wire        write,
    input  wire [13:0] index,
    input  wire [31:0] wdata,
    output wire        done,
    output wire        refused,
    output wire [31:0] rdata,
    output wire        busy
);
    generate
        if (SOURCES != 2 && SOURCES != 4 && SOURCES != 8 && SOURCES != 16 && SOURCES != 32) begin : check_sources
            $fatal(1, "tap: SOURCES is 2, 4, 8, 16 or 32");
        end
    endgenerate
    localparam integer BITS = $clog2(SOURCES);
    localparam [BITS-1:0] LAST = {BITS{1'b1}};
    localparam [31:0] SOURCES_BITS = SOURCES;
    localparam [31:0] CAPS = (32'd1 << `RELAY_CAPS_TAP_LOW) | (32'd1 << `RELAY_CAPS_LEARN_LOW) |
                             (32'd1 << `RELAY_CAPS_BUMP_LOW);
    localparam [31:0] SHAPE = {12'd0, SOURCES_BITS[7:0], 8'd2, 4'd1};

    // Words of a source.
    localparam [3:0] KEY = 4'd0;
    localparam [3:0] ADDR_LO = 4'd1;
    localparam [3:0] ADDR_HI = 4'd2;
    localparam [3:0] DATA = 4'd3;
    localparam [3:0] COUNT = 4'd4;
    localparam [3:0] ACKED = 4'd5;
    localparam [3:0] STATE = 4'd7;

    // ---- the candidate ------------------------------------------------------------------------------------

    reg         taking_q;  // its beats go by
    reg         there_q;   // it is whole and waits to be recorded
    reg         four_q;
    reg         intx_q;
    reg         level_q;
    reg  [1:0]  pin_q;
    reg  [15:0] who_q;
    reg  [31:0] dw2_q;
    reg  [31:0] dw3_q;
    reg  [31:0] dw4_q;
    reg  [2:0]  length_q; // in DW, as it says
    reg  [1:0]  place_q;  // beats before this one
    wire [2:0]  last_place = (length_q - 3'd1) >> 1;
    wire        whole = (place_q == last_place[1:0]) & (beat_keep[1] == ~length_q[0]) & ~beat_bad;
    wire        recorded;
    reg  [3:0]  levels_q; // of the pins
    // Not while a candidate is offered: it would be taken back.
    wire        falls = ~up & ready & ~(beat_valid & (~beat_first | beat_candidate)) & (levels_q != 4'd0);
    assign ready = ~taking_q & ~there_q;

    // An interrupt without an enabled byte is none; a poisoned one is passed, but not recorded.
    wire        counts = beat_candidate & (beat_intx | (~beat_data[14] & (beat_data[35:32] != 4'd0)));
    wire        begins = beat_take & beat_first & counts;
    wire        second = beat_take & taking_q & ~intx_q & (place_q == 2'd1);
    wire        third = beat_take & taking_q & four_q & (place_q == 2'd2);
    always @(posedge clk) begin
        // Wires of a port that is down fall, as if it had sent the messages.
        if (begins | falls) begin
            four_q <= beat_data[29] & ~beat_intx & ~falls;
            intx_q <= beat_intx | falls;
            level_q <= ~beat_data[34] & ~falls;
            pin_q <= ~falls ? beat_data[33:32] & {2{beat_intx}}
                     : levels_q[0] ? 2'd0 : levels_q[1] ? 2'd1 : levels_q[2] ? 2'd2 : 2'd3;
            who_q <= (beat_intx | falls) ? {bus, device, 3'd1} : beat_data[63:48];
            length_q <= 3'd3 + {2'd0, beat_data[29]} + {2'd0, beat_data[30]} + {2'd0, beat_data[15]};
            place_q <= 2'd1;
        end else if (beat_take) begin
            place_q <= (place_q == 2'd3) ? 2'd3 : place_q + 2'd1;
        end
        // What there is none of is 0.
        if (begins | falls) begin
            dw2_q <= 32'd0;
        end else if (second) begin
            dw2_q <= beat_data[31:0];
        end
        if (begins | falls) begin
            dw3_q <= 32'd0;
        end else if (second) begin
            dw3_q <= beat_data[63:32];
        end
        if (begins | falls) begin
            dw4_q <= 32'd0;
        end else if (third) begin
            dw4_q <= beat_data[31:0];
        end
        if (rst) begin
            taking_q <= 1'b0;
            there_q <= 1'b0;
        end else begin
            if (beat_take) begin
                taking_q <= (beat_first ? counts : taking_q) & ~beat_last;
            end
            there_q <= (there_q & ~recorded) | falls | (beat_take & ~beat_first & beat_last & taking_q & whole);
        end
    end

    // ---- what is done ---------------------------------------------------------------------------------------

    localparam [4:0] RESET = 5'd0;    // the memory is cleared
    localparam [4:0] IDLE = 5'd1;
    localparam [4:0] WINDOW = 5'd2;   // is the address an interrupt's?
    localparam [4:0] SCAN = 5'd3;     // ask for a word of a source
    localparam [4:0] COMPARE = 5'd4;
    localparam [4:0] FREE = 5'd5;     // ask for a key
    localparam [4:0] FREE_LOOK = 5'd6;
    localparam [4:0] STORE = 5'd7;    // KEY, ADDR_LO, ADDR_HI, DATA
    localparam [4:0] EVENT = 5'd8;
    localparam [4:0] ACCESS = 5'd9;   // of software
    localparam [4:0] READ = 5'd10;
    localparam [4:0] ANSWER = 5'd11;
    localparam [4:0] REFUSE = 5'd12;
    localparam [4:0] ACK = 5'd13;
    localparam [4:0] FORGET = 5'd14;  // ask for STATE
    localparam [4:0] FORGET_KEY = 5'd15;
    localparam [4:0] FORGET_LOOK = 5'd16;
    localparam [4:0] ZERO = 5'd17;    // the entry
    localparam [4:0] CLEAR = 5'd18;   // counters
    localparam [4:0] PENDING = 5'd19; // bit by bit

    // Steps of an event.
    localparam [3:0] COUNT_READ = 4'd0;
    localparam [3:0] COUNT_WRITE = 4'd1; // then RELAYED in the same way
    localparam [3:0] COUNTER_READ = 4'd4;
    localparam [3:0] COUNTER_WRITE = 4'd5;
    localparam [3:0] FIRST_LO = 4'd8; // and the other times, as the words of a source have them
    localparam [3:0] LAST_LO = 4'd10;
    localparam [3:0] LAST_HI = 4'd11;
    localparam [3:0] LEVEL = 4'd12;

    reg  [4:0]  state_q;
    reg  [4:0]  next;
    reg  [7:0]  step_q; // within a state
    reg  [7:0]  step_d;
    reg  [BITS-1:0] source_q;
    reg  [3:0]  word_q;
    reg         second_q; // window 1
    reg         miss_q;
    reg         listed_q; // it has an entry …
    reg         new_q;    // … since now
    reg         again_q;  // UNLISTED is counted
    reg         forget_q; // the entry may go
    reg         learn_q;
    reg  [63:0] time_q;
    reg         pending [0:SOURCES-1];
    reg  [SOURCES-1:0] bits_q; // of all sources, when software asks
    reg         reset_q; // the memory is being cleared after reset
    reg  [BITS:0] used_q;
    wire        full = used_q[BITS];
    wire        rises = ~intx_q | level_q;

    // ---- the memory -----------------------------------------------------------------------------------------

    reg  [31:0] mem [0:1023];
    reg  [31:0] out_q;
    reg  [31:0] before_q; // what it gave before
    reg  [9:0]  address;
    reg         put;
    reg  [31:0] in;
    always @(posedge clk) begin
        if (put) begin
            mem[address] <= in;
        end else begin
            out_q <= mem[address];
        end
        before_q <= out_q;
    end
    integer i;
    initial begin
        for (i = 0; i < 1024; i = i + 1) begin
            mem[i] = 32'd0;
        end
        mem[0] = `RELAY_ID_RESET;
        mem[1] = `RELAY_VERSION_RESET;
        mem[2] = CAPS;
        mem[3] = SHAPE;
        mem[4] = BUILD;
        mem[5] = CLOCK_KHZ;
    end

    function [31:0] swap(input [31:0] dw);
        swap = {dw[7:0], dw[15:8], dw[23:16], dw[31:24]};
    endfunction

    // A word of the candidate's key, chosen a cycle ahead; DATA as on the wire, with the first byte in bits 31:24.
    reg  [1:0]  which;
    reg  [1:0]  from_q;
    reg         is_lo_q;
    reg  [31:0] mine;
    always @(posedge clk) begin
        is_lo_q <= (which == ADDR_LO[1:0]);
        case (which)
            KEY[1:0]: from_q <= 2'd0;
            ADDR_LO[1:0]: from_q <= {1'b1, four_q};
            ADDR_HI[1:0]: from_q <= {four_q, ~four_q};
            default: from_q <= {~four_q, 1'b1};
        endcase
    end
    always @* begin
        case (from_q)
            2'd0: mine = {who_q, 5'd0, 3'd1, 3'd0, intx_q, 4'b0001};
            2'd1: mine = dw4_q;
            2'd2: mine = dw2_q;
            default: mine = dw3_q;
        endcase
        if (is_lo_q) begin
            mine[1:0] = pin_q;
        end
    end
    wire        same = (mine == out_q);
    wire        in_mask;
    // Of the low half of a window, bits 1 and 0 are no address.
    masked_equal #(.BITS(32)) compare_window (
        .a(mine), .b(before_q), .mask({out_q[31:2], out_q[1:0] & {2{~is_lo_q}}}), .equal(in_mask)
    );

    // One adder: a count and one more, or what of a count is not acknowledged.
    reg  [31:0] more_q;
    wire [31:0] sum = out_q + more_q + 32'd1;
    always @(posedge clk) begin
        more_q <= ~wdata;
        if (next != ACK) begin
            more_q <= 32'd0;
        end
    end
    wire        beyond = sum[31]; // more is acknowledged than was counted

    // ---- what is pending ----------------------------------------------------------------------------------------

    wire        pends = (state_q == EVENT) & (step_q[3:0] == COUNT_WRITE);
    wire        acks = (state_q == ACK) & ~beyond;
    always @(posedge clk) begin
        if (pends | acks | (state_q == ZERO)) begin
            pending[source_q] <= pends | (acks & (sum != 32'd0));
        end
    end

    // ---- accesses --------------------------------------------------------------------------------------------

    wire        in_page = (index[13:9] == 5'd0);
    wire        in_sources = (index[13:10] == 4'd1) | (index[13:10] == 4'd2);
    wire        exists = ~index[11] & ({26'd0, index[9:4]} < SOURCES_BITS) & (index[3:0] <= 4'd13);
    wire        is_time = in_page & (index[8:1] == 8'd5);     // TIME_LO, TIME_HI
    wire        is_pending = in_page & (index[8:0] == 9'h010);
    wire        is_command = in_page & (index[8:0] == 9'd9);
    wire        is_ctrl = in_page & (index[8:0] == 9'd6);
    wire        is_scratch = in_page & (index[8:0] == 9'd8);
    wire        is_window = in_page & (index[8:3] == 6'b001000);
    wire        is_acked = in_sources & exists & (index[3:0] == ACKED);

    // What the circuit knows elsewhere is put into the memory when it is asked for.
    wire [31:0] pending_all = {{(32 - SOURCES){1'b0}}, bits_q};
    reg         live;
    reg  [15:0] now;
    always @* begin
        live = in_page;
        case (index[8:0])
            9'h007: now = {13'd0, bus_master, 1'b0, full};
            9'h00c, 9'h101: now = {bus, device, 3'd0};
            9'h010: now = 16'd0;
            9'h018, 9'h019: now = {12'd0, levels_q};
            9'h100: now = 16'd1;
            9'h108: now = {4'd0, levels_q, 7'd0, up};
            9'h109: now = {bus, device, 3'd1};
            default: begin
                now = 16'd0;
                live = is_time;
            end
        endcase
    end
    wire        is_data = in_sources ? (index[3:0] == DATA) : (index[8:0] == 9'h01f);
    assign rdata = is_data ? swap(out_q) : out_q;
    assign done = (state_q == ANSWER) | (state_q == REFUSE);
    assign refused = (state_q == REFUSE);
    assign busy = (state_q != IDLE) | there_q | (~up & (levels_q != 4'd0));

    // Of time, in an event or when asked for, what else is asked for, and what is written.
    wire        accessing = (state_q == ACCESS) | (state_q == READ) | (state_q == ACK);
    wire [1:0]  given_from = ~accessing ? {1'b0, step_q[0]} : write ? 2'd3 : is_time ? {1'b0, index[0]} : 2'd2;
    reg  [31:0] given;
    always @* begin
        case (given_from)
            2'd0: given = time_q[31:0];
            2'd1: given = time_q[63:32];
            2'd2: given = pending_all | {16'd0, now};
            default: given = wdata;
        endcase
    end

    // ---- one word a cycle ------------------------------------------------------------------------------------

    // Reset values; what never changes stays.
    reg  [31:0] begin_;
    always @* begin
        case (step_q)
            8'h06: begin_ = 32'd1 << `RELAY_CTRL_LEARN_LOW;
            8'h40: begin_ = `RELAY_WINDOW_BASE_LO_RESET;
            8'h42: begin_ = `RELAY_WINDOW_MASK_LO_RESET;
            8'h43, 8'h47: begin_ = `RELAY_WINDOW_MASK_HI_RESET;
            default: begin_ = 32'd0;
        endcase
    end
    wire [3:0]  counter = again_q ? 4'd14 : ~intx_q ? 4'd6 : level_q ? 4'd7 : 4'd8;
    wire [4:0]  source = {{(5 - BITS){1'b0}}, source_q};
    wire        last_source = (source_q == LAST);
    wire        repeated = intx_q & (levels_q[pin_q] == level_q); // an Assert of a high wire, a Deassert of a low one
    wire        forget = wdata[`RELAY_COMMAND_FORGET_LOW];
    wire        clear = wdata[`RELAY_COMMAND_CLEAR_COUNTERS_LOW];
    assign      recorded = (state_q == IDLE) ? ~valid & there_q & repeated
                                             : ((state_q == WINDOW) | (state_q == EVENT)) & (next == IDLE);

    // What is written.
    localparam [1:0] NOTHING = 2'd0; // but what there is after reset, and a wire's level
    localparam [1:0] MINE = 2'd1;
    localparam [1:0] SUM = 2'd2;
    localparam [1:0] GIVEN = 2'd3;
    reg  [1:0]  in_from;
    always @* begin
        case (in_from)
            MINE: in = mine;
            SUM: in = sum;
            GIVEN: in = given;
            default: in = (state_q == RESET) ? begin_ : {31'd0, (state_q == EVENT) & level_q};
        endcase
    end

    always @* begin
        next = state_q;
        step_d = 8'd0;
        address = {1'b1, source, word_q};
        put = 1'b0;
        in_from = NOTHING;
        which = KEY[1:0];
        case (state_q)
            RESET: begin
                address = {2'b00, step_q};
                put = (step_q > 8'd5);
                step_d = step_q + 8'd1;
                if (step_q == 8'h9f) begin // behind the counters
                    step_d = 8'd0;
                    next = ZERO;
                end
            end
            IDLE: begin
                next = valid ? ACCESS : ~there_q | repeated ? IDLE : intx_q ? SCAN : WINDOW;
            end
            WINDOW: begin
                // BASE_HI, MASK_HI, BASE_LO, MASK_LO.
                address = {7'b0001000, second_q, step_q[0], ~step_q[1]};
                which = step_q[1] ? ADDR_LO[1:0] : ADDR_HI[1:0];
                step_d = step_q + 8'd1;
                if (step_q[2]) begin
                    step_d = 8'd0;
                    next = (in_mask & ~miss_q & before_q[0]) ? SCAN : second_q ? IDLE : WINDOW;
                end
            end
            SCAN: begin
                which = word_q[1:0];
                next = COMPARE;
            end
            COMPARE: begin
                if (same) begin
                    next = (word_q == KEY) ? EVENT : SCAN;
                    step_d = {4'd0, rises ? COUNT_READ : COUNTER_READ};
                end else if (~last_source) begin
                    next = SCAN;
                end else if (~rises) begin
                    next = EVENT;
                    step_d = {4'd0, COUNTER_READ};
                end else begin
                    next = (learn_q & ~full) ? FREE : STORE;
                end
            end
            FREE: begin
                next = FREE_LOOK;
            end
            FREE_LOOK: begin
                next = out_q[0] ? FREE : STORE;
            end
            STORE: begin
                address = listed_q ? {1'b1, source, 2'd0, step_q[1:0]} : {8'b00000111, step_q[1:0]};
                put = 1'b1;
                in_from = MINE;
                step_d = step_q + 8'd1;
                which = step_d[1:0];
                if (step_q[1:0] == 2'd3) begin
                    next = EVENT;
                    step_d = {4'd0, listed_q ? COUNT_READ : COUNTER_READ};
                end
            end
            EVENT: begin
                case (step_q[3:2])
                    2'd0: address = {1'b1, source, 2'b01, step_q[1], 1'b0};
                    2'd1: address = {6'b001000, counter};
                    2'd2: address = {1'b1, source, step_q[3:0]};
                    default: address = {1'b1, source, STATE};
                endcase
                put = step_q[3] | step_q[0];
                in_from = ~step_q[3] ? SUM : step_q[2] ? NOTHING : GIVEN;
                step_d = step_q + 8'd1;
                case (step_q[3:0])
                    COUNTER_WRITE: begin
                        if (listed_q) begin
                            step_d = {4'd0, ~rises ? LEVEL : new_q ? FIRST_LO : LAST_LO};
                        end else begin
                            step_d = {4'd0, COUNTER_READ};
                            next = (rises & ~again_q) ? EVENT : IDLE;
                        end
                    end
                    LAST_HI: next = intx_q ? EVENT : IDLE;
                    LEVEL: next = IDLE;
                    default: begin
                    end
                endcase
            end
            ACCESS: begin
                address = {in_sources, index[8:0]};
                in_from = GIVEN;
                if (~write) begin
                    next = is_pending ? PENDING : live ? READ : (in_page | (in_sources & exists)) ? ANSWER : REFUSE;
                end else if (is_command) begin
                    next = forget ? FORGET : clear ? CLEAR : ANSWER;
                end else if (is_acked) begin
                    address = {1'b1, index[8:4], COUNT};
                    next = ACK;
                end else begin
                    put = is_ctrl | is_scratch | is_window;
                    next = put ? ANSWER : REFUSE;
                end
            end
            READ: begin
                address = {in_sources, index[8:0]};
                put = ~step_q[0];
                in_from = GIVEN;
                step_d = step_q + 8'd1;
                next = step_q[0] ? ANSWER : READ;
            end
            ACK: begin
                address = {1'b1, source, ACKED};
                put = ~beyond;
                in_from = GIVEN;
                next = beyond ? REFUSE : ANSWER;
            end
            FORGET: begin
                address = {1'b1, source, STATE};
                next = FORGET_KEY;
            end
            FORGET_KEY: begin
                address = {1'b1, source, KEY};
                next = FORGET_LOOK;
            end
            FORGET_LOOK: begin
                next = (forget_q & out_q[0]) ? ZERO : ~last_source ? FORGET : clear ? CLEAR : ANSWER;
            end
            ZERO: begin
                address = {1'b1, source, step_q[3:0]};
                put = 1'b1;
                step_d = step_q + 8'd1;
                if (step_q[3:0] == 4'd15) begin
                    step_d = 8'd0;
                    next = ~last_source ? (reset_q ? ZERO : FORGET) : reset_q ? IDLE : clear ? CLEAR : ANSWER;
                end
            end
            PENDING: begin
                next = last_source ? READ : PENDING;
            end
            CLEAR: begin
                address = {5'b00100, step_q[4:0]};
                put = 1'b1;
                step_d = step_q + 8'd1;
                next = (step_q[4:0] == 5'd31) ? ANSWER : CLEAR;
            end
            default: next = IDLE; // ANSWER, REFUSE
        endcase
    end

    always @(posedge clk) begin
        step_q <= step_d;
        case (state_q)
            IDLE: begin
                time_q <= time_ns;
                reset_q <= 1'b0;
                bits_q <= {SOURCES{1'b0}};
                source_q <= {BITS{1'b0}};
                word_q <= DATA;
                second_q <= 1'b0;
                listed_q <= 1'b0;
                new_q <= 1'b0;
                again_q <= 1'b0;
                if ((next != ACCESS) & there_q & intx_q) begin
                    levels_q[pin_q] <= level_q;
                end
            end
            WINDOW: begin
                if (step_q[2:0] == 3'd2) begin
                    miss_q <= ~in_mask;
                end
                second_q <= second_q | step_q[2];
            end
            COMPARE: begin
                if (same) begin
                    word_q <= (word_q == DATA) ? ADDR_LO : (word_q == ADDR_LO) ? ADDR_HI : KEY;
                    listed_q <= (word_q == KEY);
                end else begin
                    source_q <= source_q + 1'b1;
                    word_q <= last_source ? KEY : DATA;
                end
            end
            FREE_LOOK: begin
                if (out_q[0]) begin
                    source_q <= source_q + 1'b1;
                end else begin
                    listed_q <= 1'b1;
                    new_q <= 1'b1;
                    used_q <= used_q + 1'b1;
                end
            end
            EVENT: begin
                if (step_q[3:0] == COUNTER_WRITE) begin
                    again_q <= 1'b1;
                end
            end
            ACCESS: begin
                source_q <= (is_command | is_pending) ? {BITS{1'b0}} : index[BITS+3:4];
                if (write & is_ctrl) begin
                    learn_q <= wdata[`RELAY_CTRL_LEARN_LOW];
                end
            end
            PENDING: begin
                bits_q <= {pending[source_q], bits_q[SOURCES-1:1]};
                source_q <= source_q + 1'b1;
            end
            FORGET_KEY: begin
                forget_q <= ~pending[source_q] & ~out_q[0];
            end
            FORGET_LOOK: begin
                if (forget_q & out_q[0]) begin
                    used_q <= used_q - 1'b1;
                end else begin
                    source_q <= source_q + 1'b1;
                end
            end
            ZERO: begin
                if (step_q[3:0] == 4'd15) begin
                    source_q <= source_q + 1'b1;
                end
            end
            default: begin
            end
        endcase
        if (rst) begin
            state_q <= RESET;
            step_q <= 8'd0;
            learn_q <= 1'b1;
            levels_q <= 4'd0;
            reset_q <= 1'b1;
            source_q <= {BITS{1'b0}};
            used_q <= {(BITS + 1){1'b0}};
        end else begin
            state_q <= next;
        end
    end

    wire unused = &{1'b0, last_place[2], beat_keep[0]};
endmodule

`default_nettype wire
