// SPDX-License-Identifier: BSD-2-Clause
//
// The trace: records of interrupts, and of TLPs if wanted, in a buffer that software empties. It only
// listens: nothing ever waits for it. What finds no room is dropped, counted, and told by the LOST bit of the
// next record.
//
// Towards the root: `decide` tells what is known about a TLP or token; the beats with its DW come in that
// cycle or later, and before the next `decide`. Towards the ports: beats with the destination beside them.
// A record is opened by its first beat, which takes the next slot, stamps the time and the number, and is
// closed by its last beat or the one with the fifth DW. There is one way into the buffer, a beat a cycle, and
// beats towards the root have it first; those towards the ports wait in registers, for one TLP. While one
// record is open towards the root others may be closed behind it: head_q shows only what is whole.
//
// read_index names a 32-bit word as in TRACE_DATA, value follows one cycle later. Synchronous reset.
`default_nettype none
`include "relay_regs.vh"

module trace #(
    parameter integer WIDTH = 64,
    parameter integer LOG2 = 8 // the buffer has 2^LOG2 records; at most 8
) (
    input  wire                clk,
    input  wire                rst,
    input  wire [63:0]         time_ns,

    input  wire                interrupts, // are wanted
    input  wire                tlps,       // everything is wanted
    input  wire [31:0]         tail,
    input  wire                clear,      // the buffer becomes empty, head 0

    input  wire                decide,
    input  wire                is_irq,   // an interrupt, passed or kept back, or a wire that changed
    input  wire                is_other, // some other TLP of a port
    input  wire                intx,
    input  wire                listed,
    input  wire [6:0]          index,
    input  wire [2:0]          port,
    input  wire                level,
    input  wire                odd,
    input  wire                kept,     // it does not leave
    input  wire                replay,
    input  wire                up_beat,
    input  wire                up_last,
    input  wire [WIDTH-1:0]    up_data,
    input  wire [WIDTH/32-1:0] up_keep,

    input  wire                dn_beat,
    input  wire                dn_first,
    input  wire                dn_last,
    input  wire                dn_skip, // with dn_first: not this one
    input  wire [2:0]          dn_port,
    input  wire [WIDTH-1:0]    dn_data,
    input  wire [WIDTH/32-1:0] dn_keep,

    output reg  [31:0]         head_q,
    output reg                 dropped,     // a record was dropped …
    output reg                 dropped_too, // … and another one

    input  wire [10:0]         read_index,
    output reg  [31:0]         value
);
    localparam integer K = WIDTH / 32;
    localparam [1:0] LAST_BEAT = (K == 2) ? 2'd2 : 2'd1; // it has the fifth DW
    localparam [1:0] NO_BEAT = LAST_BEAT + 2'd1;
    localparam [1:0] KIND_TLP = 2'd2;
    // DW of a TLP up to and with its beat `at`, at most 5.
    function [2:0] count(input [3:0] keep);
        casez (keep)
            4'b1???: count = 3'd4;
            4'b01??: count = 3'd3;
            4'b001?: count = 3'd2;
            default: count = {2'b00, keep[0]};
        endcase
    endfunction
    function [2:0] dws(input [1:0] at, input [3:0] keep);
        // A second beat that is not the one with the fifth DW has two before it.
        dws = (at == LAST_BEAT) ? {2'b10, keep[0]} : {1'b0, at[0], 1'b0} + count(keep);
    endfunction

    // ---- slots ------------------------------------------------------------------------------------------

    reg  [31:0]     next_q;   // slot that is taken next
    reg  [15:0]     number_q; // of the next record; dropped ones have numbers, too
    reg             lost_q;   // records were dropped since the last one closed
    wire [LOG2:0]   used = next_q[LOG2:0] - tail[LOG2:0];
    wire            full = used[LOG2];

    // ---- towards the root: one cycle behind -------------------------------------------------------------

    reg              beat_q;
    reg              last_q;
    reg  [WIDTH-1:0] data_q;
    reg  [K-1:0]     keep_q;
    reg              want_q;
    reg  [16:0]      who_q;   // of the TLP decided last
    reg  [1:0]       at_q;    // number of its next beat; NO_BEAT: the record needs no more
    reg              open_q;
    reg  [LOG2-1:0]  slot_q;  // of the record that is open

    wire             up_header = beat_q & want_q & (at_q != NO_BEAT);
    wire             up_begin = up_header & (at_q == 2'd0);
    wire             up_open = up_begin & ~full;
    wire             up_write = up_open | (up_header & open_q);
    wire             up_close = up_write & (last_q | (at_q == LAST_BEAT));

    always @(posedge clk) begin
        data_q <= up_data;
        keep_q <= up_keep;
        last_q <= up_last;
        if (decide) begin
            want_q <= (is_irq & (interrupts | tlps)) | (is_other & (tlps | (kept & interrupts)));
            who_q <= {replay, kept, odd & is_irq, level & is_irq, port,
                      is_irq ? {1'b0, intx} : KIND_TLP, (is_irq & listed) ? {1'b0, index} : 8'hff};
        end
        if (up_open) begin
            slot_q <= next_q[LOG2-1:0];
        end
        if (rst) begin
            beat_q <= 1'b0;
            want_q <= 1'b0;
            at_q <= 2'd0;
            open_q <= 1'b0;
        end else begin
            beat_q <= up_beat;
            if (beat_q) begin
                at_q <= last_q ? 2'd0 : (at_q == NO_BEAT) ? NO_BEAT : at_q + 2'd1;
            end
            open_q <= (open_q | up_open) & ~up_close & ~clear;
        end
    end

    // ---- towards the ports: a TLP's first DW wait for their turn -----------------------------------------

    reg              dn_busy_q;   // one is here
    reg              dn_taking_q; // … and not yet whole
    reg  [1:0]       dn_have_q;   // its beats that are here
    reg  [1:0]       dn_sent_q;   // … and are in the buffer
    reg  [2:0]       dn_dw_q;
    reg  [2:0]       dn_port_q;
    reg  [WIDTH-1:0] dn_0_q;
    reg  [WIDTH-1:0] dn_1_q;
    reg  [WIDTH-1:0] dn_2_q;

    wire             dn_there = dn_busy_q & (dn_sent_q != dn_have_q) & ~up_header;
    wire             dn_write = dn_there & ~full;
    wire             dn_refuse = dn_there & full;
    wire             dn_close = dn_write & ~dn_taking_q & (dn_sent_q + 2'd1 == dn_have_q);
    wire             dn_ends = dn_close | dn_refuse;
    wire             dn_wanted = dn_beat & dn_first & tlps & ~dn_skip;
    wire             dn_begin = dn_wanted & (~dn_busy_q | dn_ends);
    wire             dn_missed = dn_wanted & dn_busy_q & ~dn_ends;
    wire             dn_more = dn_beat & ~dn_first & dn_taking_q;
    wire [1:0]       dn_at = dn_first ? 2'd0 : dn_have_q;
    wire             dn_take = dn_begin | dn_more;

    always @(posedge clk) begin
        if (dn_take) begin
            dn_dw_q <= dws(dn_at, {{(4 - K){1'b0}}, dn_keep});
        end
        if (dn_more & (dn_have_q == 2'd1)) begin
            dn_1_q <= dn_data;
        end
        if (dn_more & (dn_have_q == 2'd2)) begin
            dn_2_q <= dn_data;
        end
        if (dn_begin) begin
            dn_0_q <= dn_data;
            dn_port_q <= dn_port;
        end
        if (rst | clear) begin
            dn_busy_q <= 1'b0;
            dn_taking_q <= 1'b0;
            dn_have_q <= 2'd0;
            dn_sent_q <= 2'd0;
        end else begin
            dn_busy_q <= dn_begin | (dn_busy_q & ~dn_ends);
            if (dn_take) begin
                dn_taking_q <= ~dn_last & (dn_at != LAST_BEAT);
                dn_have_q <= dn_at + 2'd1;
            end else if (dn_ends | (dn_beat & dn_first)) begin
                dn_taking_q <= 1'b0;
            end
            // A record that was opened meanwhile has taken the slot: once more, from the first beat on.
            if (dn_begin | up_open) begin
                dn_sent_q <= 2'd0;
            end else if (dn_write) begin
                dn_sent_q <= dn_sent_q + 2'd1;
            end
        end
    end

    // ---- numbers ----------------------------------------------------------------------------------------

    wire take_slot = up_open | dn_close;
    wire up_lost = up_begin & full;
    wire dn_lost = dn_refuse | dn_missed;
    wire counts_up = up_begin;
    wire counts_dn = dn_close | dn_lost;
    wire open_d = (open_q | up_open) & ~up_close;

    wire [31:0] next_d = next_q + {31'd0, take_slot};
    always @(posedge clk) begin
        number_q <= number_q + {14'd0, counts_up & counts_dn, counts_up ^ counts_dn};
        dropped <= ~rst & up_lost;
        dropped_too <= ~rst & dn_lost;
        if (rst | clear) begin
            next_q <= 32'd0;
            number_q <= 16'd0;
            head_q <= 32'd0;
            lost_q <= 1'b0;
        end else begin
            next_q <= next_d;
            if (~open_d) begin
                head_q <= next_d;
            end
            lost_q <= up_lost | dn_lost | (lost_q & ~(up_close | dn_close));
        end
    end

    // ---- the buffer: a memory a lane for the DW, and one for each other word --------------------------------

    wire [LOG2-1:0]  slot = (up_write & ~up_open) ? slot_q : next_q[LOG2-1:0];
    wire [1:0]       at = up_header ? at_q : dn_sent_q;
    wire [1:0]       from = up_header ? 2'd3 : dn_sent_q;
    reg  [WIDTH-1:0] data;
    always @* begin
        case (from)
            2'd0: data = dn_0_q;
            2'd1: data = dn_1_q;
            2'd2: data = dn_2_q;
            default: data = data_q;
        endcase
    end
    wire             data_write = up_write | dn_write;
    wire             time_write = up_open | dn_write;
    wire             who_write = up_close | dn_close;
    wire [2:0]       dw = up_header ? dws(at_q, {{(4 - K){1'b0}}, keep_q}) : dn_dw_q;
    wire [31:0]      who = up_header ? {1'b0, dw, 9'd0, who_q[16], lost_q, 1'b0, who_q[15:0]}
                                     : {1'b0, dw, 9'd0, 1'b0, lost_q, 1'b1, 3'd0, dn_port_q, KIND_TLP, 8'hff};

    // DW i of the TLP is in lane i mod K, written with beat i / K. Words 3 to 7 of a record are DW 0 to 4.
    localparam integer AT_BITS = (K == 2) ? 2 : 1;
    wire [LOG2-1:0]    read_slot = read_index[LOG2+2:3];
    wire [2:0]         read_dw = read_index[2:0] - 3'd3;
    wire [AT_BITS-1:0] read_at = read_dw[2:3-AT_BITS];
    reg  [2:0]         word_q;
    reg  [31:0]        who_mem [0:(1<<LOG2)-1];
    reg  [31:0]        low_mem [0:(1<<LOG2)-1];
    reg  [31:0]        high_mem [0:(1<<LOG2)-1];
    reg  [31:0]        who_read;
    reg  [31:0]        low_read;
    reg  [31:0]        high_read;
    wire [WIDTH-1:0]   lane_read;

    // What is read in the cycle it is written in is of no record that head_q shows.
    always @(posedge clk) begin
        word_q <= read_index[2:0];
        if (who_write) begin
            who_mem[slot] <= who;
        end
        who_read <= (who_write & (slot == read_slot)) ? 32'bx : who_mem[read_slot];
        if (time_write) begin
            low_mem[slot] <= time_ns[31:0];
        end
        low_read <= (time_write & (slot == read_slot)) ? 32'bx : low_mem[read_slot];
        if (time_write) begin
            high_mem[slot] <= {number_q, time_ns[47:32]};
        end
        high_read <= (time_write & (slot == read_slot)) ? 32'bx : high_mem[read_slot];
    end

    genvar g;
    generate
        for (g = 0; g < K; g = g + 1) begin : lane
            reg  [31:0]             mem [0:(1<<(LOG2+AT_BITS))-1];
            reg  [31:0]             word;
            wire [LOG2+AT_BITS-1:0] write_place = {slot, at[AT_BITS-1:0]};
            wire [LOG2+AT_BITS-1:0] read_place = {read_slot, read_at};
            always @(posedge clk) begin
                if (data_write) begin
                    mem[write_place] <= data[g*32 +: 32];
                end
                word <= (data_write & (write_place == read_place)) ? 32'bx : mem[read_place];
            end
            assign lane_read[g*32 +: 32] = word;
        end
    endgenerate

    localparam [31:0] LANES = K;
    wire [1:0] word_lane = (word_q[1:0] - 2'd3) & (LANES[1:0] - 2'd1);
    always @* begin
        case (word_q)
            3'd0: value = who_read;
            3'd1: value = low_read;
            3'd2: value = high_read;
            default: value = lane_read[word_lane*32 +: 32];
        endcase
    end

    wire unused = &{1'b0, at, read_dw, time_ns[63:48], tail[31:LOG2+1]};

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end

    reg         f_empty_q; // the buffer became empty in the cycle before
    reg  [31:0] f_tail_q;
    reg  [31:0] f_open;    // slot of the record that is open
    reg  [15:0] f_records; // since the buffer was empty
    reg  [15:0] f_dropped;
    always @(posedge clk) begin
        f_empty_q <= rst | clear;
        f_tail_q <= tail;
        if (up_open) begin
            f_open <= next_q;
        end
        if (rst | clear) begin
            f_records <= 16'd0;
            f_dropped <= 16'd0;
        end else begin
            f_records <= f_records + {15'd0, up_open} + {15'd0, dn_close};
            f_dropped <= f_dropped + {15'd0, up_lost} + {15'd0, dn_lost};
        end
    end
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        // Software begins with tail 0 and takes back what it was shown.
        assume (f_empty_q ? (tail == 32'd0) : (tail - f_tail_q <= head_q - f_tail_q));
    end

    wire        f_writes = data_write | time_write | who_write;
    wire [31:0] f_where = (up_write & ~up_open) ? f_open : next_q;
    wire [31:0] f_room = 32'd1 << LOG2;
    always @(posedge clk) begin
        if (f_begun & ~rst) begin
            // What is wanted is a record or is counted as dropped, and either takes a number: a gap in the numbers
            // is what was dropped, and nothing else.
            assert (number_q == f_records + f_dropped);
            assert ((dropped | dropped_too) == f_lost_q);
            assert (next_q[15:0] == f_records);
            // What is shown is whole, and nothing is written over it before it is taken back.
            assert (~f_writes | (slot == f_where[LOG2-1:0]));
            assert (~f_writes | ((f_where - tail >= head_q - tail) & (f_where - tail < f_room)));
            assert (head_q - tail <= next_q - tail);
            assert (next_q - tail <= f_room);
            assert (~open_q | (f_open - tail >= head_q - tail));
            // It is shown as soon as none before it is open.
            assert (open_q | (head_q == next_q));

            // Induction.
            assert (~open_q | ((f_open - tail < next_q - tail) & (slot_q == f_open[LOG2-1:0])));

            cover (up_close & (next_q == 32'd2));
            cover (open_q & dn_close);
            cover (dropped & dropped_too);
        end
    end
    reg f_lost_q;
    always @(posedge clk) begin
        f_lost_q <= ~rst & (up_lost | dn_lost);
    end
`endif
endmodule

`default_nettype wire
