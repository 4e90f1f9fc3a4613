// SPDX-License-Identifier: BSD-2-Clause
//
// What is kept about each source: its key, counts, times, and whether it is pending.
//
// Two stages. In the first an event, or, when there is none, an operation (op_ready) names an entry; in the
// second, one cycle later, row_* show the entry and what changes is written. A register read in the third
// cycle sees it. Events come at any rate; with fewer than two cycles between two of one source FORWARD is
// needed. An operation does not start while its entry is being written.
//
// Invariants: pending == (count != acknowledged), as acknowledging beyond the count is refused; an entry that
// is free has counts of 0.
// The memories hold 128 entries, whatever SOURCES is: block RAMs have that depth anyway.
// Synchronous reset; it does not clear the memories.
`default_nettype none

module source_table #(
    parameter integer SOURCES = 32,
    parameter integer FORWARD = 0
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [63:0]        time_ns,

    // An interrupt: counted as seen, and as sent or kept back.
    input  wire               ev_valid,
    input  wire [6:0]         ev_index,
    input  wire               ev_seen,
    input  wire               ev_other, // counted as …
    input  wire               ev_kept,  // … kept back, else as sent
    output reg  [15:0]        event_count, // with the event, from two cycles later on

    input  wire               op_valid,
    input  wire [6:0]         op_index,
    input  wire               op_kept,  // row_other: how many were kept back, else how many were sent
    input  wire               op_ack,   // op_data are acknowledged
    input  wire               op_clear, // counts become 0; once with and once without op_kept
    input  wire [31:0]        op_data,
    output wire               op_ready,

    // The second stage of an operation.
    output wire [31:0]        row_count,
    output wire [31:0]        row_other,
    output reg  [31:0]        row_acked,
    output reg  [63:0]        row_first,
    output reg  [63:0]        row_last,
    output reg  [113:0]       row_key,
    output reg  [2:0]         row_tc,
    output reg                row_programmed,
    output wire               row_seen, // there was an event: the times have meaning
    output wire               row_refused,

    input  wire               key_write,
    input  wire [6:0]         key_index,
    input  wire [113:0]       key,
    input  wire [2:0]         key_tc,
    input  wire               key_programmed,

    output reg  [SOURCES-1:0] pending_q
);
    reg  [32:0]  counts [0:127]; // bit 32: there was an event
    reg  [31:0]  others [0:255]; // sent, kept back
    reg  [31:0]  ackeds [0:127];
    reg  [63:0]  firsts [0:127];
    reg  [63:0]  lasts [0:127];
    reg  [117:0] keys [0:127];

    // ---- first stage ------------------------------------------------------------------------------------

    reg          busy_q; // the second stage writes
    reg  [6:0]   index_q;
    reg          seen_q;
    reg          kept_q;
    reg          other_q;
    reg          event_q;
    reg          ack_q;
    reg          clear_q;
    reg  [31:0]  data_q;
    reg  [63:0]  time_q;

    wire         same = busy_q & (index_q == op_index);
    assign op_ready = ~ev_valid & ~same;
    wire         op = op_valid & op_ready;
    wire [6:0]   index = ev_valid ? ev_index : op_index;
    wire         kept = ev_valid ? ev_kept : op_kept;

    always @(posedge clk) begin
        index_q <= index;
        kept_q <= kept;
        seen_q <= ev_seen;
        other_q <= ev_other;
        data_q <= op_data;
        time_q <= time_ns;
        if (rst) begin
            busy_q <= 1'b0;
            event_q <= 1'b0;
            ack_q <= 1'b0;
            clear_q <= 1'b0;
        end else begin
            busy_q <= ev_valid | (op & (op_ack | op_clear));
            event_q <= ev_valid;
            ack_q <= op & op_ack;
            clear_q <= op & op_clear;
        end
    end

    // ---- second stage -----------------------------------------------------------------------------------

    reg  [32:0]  count_read;
    reg  [31:0]  other_read;
    wire [32:0]  count_row;
    wire [31:0]  other_row;
    wire         write_count = (event_q & seen_q) | clear_q;
    wire         write_other = (event_q & other_q) | clear_q;
    wire [32:0]  count_new = {~clear_q, clear_q ? 32'd0 : count_row[31:0] + 32'd1};
    wire [31:0]  other_new = clear_q ? 32'd0 : other_row + 32'd1;

    generate
        if (FORWARD != 0) begin : forward
            // What the cycle before wrote was not there yet when this cycle's entry was read.
            reg        count_q;
            reg        others_q;
            reg [32:0] count_was;
            reg [31:0] other_was;
            always @(posedge clk) begin
                count_q <= write_count & (index_q == index);
                others_q <= write_other & (index_q == index) & (kept_q == kept);
                count_was <= count_new;
                other_was <= other_new;
            end
            assign count_row = count_q ? count_was : count_read;
            assign other_row = others_q ? other_was : other_read;
        end else begin : direct
            assign count_row = count_read;
            assign other_row = other_read;
        end
    endgenerate

    always @(posedge clk) begin
        if (event_q) begin
            event_count <= seen_q ? count_new[15:0] : count_row[15:0];
        end
    end

    assign row_count = count_row[31:0];
    assign row_seen = count_row[32];
    assign row_other = other_row;

    wire [31:0]  unseen = row_count - data_q;
    wire         beyond = unseen[31]; // more is acknowledged than was counted
    assign row_refused = ack_q & beyond;
    wire         write_first = event_q & seen_q & ~row_seen;
    wire         write_acked = (ack_q & ~beyond) | clear_q;

    // Where a row is read in the cycle it is written in, what is read is not used (or comes by FORWARD).
    always @(posedge clk) begin
        if (write_count) begin
            counts[index_q] <= count_new;
        end
        count_read <= (write_count & (index_q == index)) ? 33'bx : counts[index];
    end
    always @(posedge clk) begin
        if (write_other) begin
            others[{index_q, kept_q}] <= other_new;
        end
        other_read <= (write_other & (index_q == index)) ? 32'bx : others[{index, kept}];
    end
    always @(posedge clk) begin
        if (write_acked) begin
            ackeds[index_q] <= clear_q ? 32'd0 : data_q;
        end
        row_acked <= (write_acked & (index_q == index)) ? 32'bx : ackeds[index];
    end
    always @(posedge clk) begin
        if (write_first) begin
            firsts[index_q] <= time_q;
        end
        row_first <= (write_first & (index_q == index)) ? 64'bx : firsts[index];
    end
    always @(posedge clk) begin
        if (event_q & seen_q) begin
            lasts[index_q] <= time_q;
        end
        row_last <= (event_q & seen_q & (index_q == index)) ? 64'bx : lasts[index];
    end
    always @(posedge clk) begin
        if (key_write) begin
            keys[key_index] <= {key_programmed, key_tc, key};
        end
        {row_programmed, row_tc, row_key} <= (key_write & (key_index == index)) ? 118'bx : keys[index];
    end

    integer i;
    always @(posedge clk) begin
        for (i = 0; i < SOURCES; i = i + 1) begin
            if ((index_q == i[6:0]) & ((event_q & seen_q) | write_acked)) begin
                pending_q[i] <= event_q | (~clear_q & (unseen != 32'd0));
            end
        end
        if (rst) begin
            pending_q <= {SOURCES{1'b0}};
        end
    end

    // Keys that were never written are cleared out of the CAM, too, after reset: they must be some value.
    initial begin
        for (i = 0; i < 128; i = i + 1) begin
            keys[i] = 118'd0;
            counts[i] = 33'd0;
            ackeds[i] = 32'd0;
            firsts[i] = 64'd0;
            lasts[i] = 64'd0;
        end
        for (i = 0; i < 256; i = i + 1) begin
            others[i] = 32'd0;
        end
    end
endmodule

`default_nettype wire
