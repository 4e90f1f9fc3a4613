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
    wire         unused = &{1'b0, unseen[30:0]};
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
        other_read <= (write_other & (index_q == index) & (kept_q == kept)) ? 32'bx : others[{index, kept}];
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
        if ((event_q & seen_q) | write_acked) begin
            for (i = 0; i < SOURCES; i = i + 1) begin
                if (index_q == i[6:0]) begin
                    pending_q[i] <= event_q | (~clear_q & (row_count != data_q));
                end
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

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end

    // One source, any, is followed. f_events, f_sends and f_keeps are what came in, the others what the second
    // stage has made of it.
    (* anyconst *) wire [6:0] f_who;
    wire f_ev = ev_valid & (ev_index == f_who);
    wire f_op = op_valid & op_ready & (op_index == f_who);
    wire f_here = (index_q == f_who);
    wire f_adds = event_q & seen_q & f_here;
    wire f_others = event_q & other_q & f_here;
    wire f_clears = clear_q & f_here;
    wire f_acks = ack_q & f_here & (f_count - data_q < 32'h8000_0000);
    reg         f_op_q;
    reg  [31:0] f_events;
    reg  [31:0] f_sends;
    reg  [31:0] f_keeps;
    reg  [31:0] f_count;
    reg  [31:0] f_acked;
    reg  [31:0] f_sent;
    reg  [31:0] f_kept;
    reg  [63:0] f_first;
    reg  [63:0] f_last;
    reg         f_any;
    // Memories have any content until they are cleared, as is done for all entries after reset.
    reg         f_clean;      // counts are
    reg         f_clean_sent;
    reg         f_clean_kept;
    reg         f_key_clean;
    reg  [117:0] f_key;
    reg         f_key_clash;
    always @(posedge clk) begin
        f_op_q <= op_valid & op_ready;
        f_key_clash <= key_write & (key_index == index);
        if (rst) begin
            {f_clean, f_clean_sent, f_clean_kept, f_key_clean} <= 4'd0;
        end else begin
            f_events <= (f_op & op_clear) ? 32'd0 : f_events + {31'd0, f_ev & ev_seen};
            f_sends <= (f_op & op_clear & ~op_kept) ? 32'd0 : f_sends + {31'd0, f_ev & ev_other & ~ev_kept};
            f_keeps <= (f_op & op_clear & op_kept) ? 32'd0 : f_keeps + {31'd0, f_ev & ev_other & ev_kept};
            f_count <= f_clears ? 32'd0 : f_count + {31'd0, f_adds};
            f_acked <= f_clears ? 32'd0 : f_acks ? data_q : f_acked;
            f_sent <= (f_clears & ~kept_q) ? 32'd0 : f_sent + {31'd0, f_others & ~kept_q};
            f_kept <= (f_clears & kept_q) ? 32'd0 : f_kept + {31'd0, f_others & kept_q};
            f_any <= ~f_clears & (f_any | f_adds);
            f_clean <= f_clean | f_clears;
            f_clean_sent <= f_clean_sent | (f_clears & ~kept_q);
            f_clean_kept <= f_clean_kept | (f_clears & kept_q);
            f_key_clean <= f_key_clean | (key_write & (key_index == f_who));
            if (f_adds) begin
                f_last <= time_q;
                if (~f_any) begin
                    f_first <= time_q;
                end
            end
            if (key_write & (key_index == f_who)) begin
                f_key <= {key_programmed, key_tc, key};
            end
        end
    end

    always @* begin
        assume (rst | f_begun);
        // Acknowledging and clearing are two things; who clears has made sure that no event of the source comes.
        assume (~(op_ack & op_clear));
        assume (~(clear_q & ev_valid & (ev_index == index_q)));
        if (FORWARD == 0) begin
            assume (~(ev_valid & (ev_index == index_q) & event_q & (seen_q | other_q)));
        end
        // Fewer than 2^31 events wait to be acknowledged.
        assume (~f_clean | (f_count - f_acked < 32'h7fff_ffff));
    end

    wire [32:0] f_counts = counts[f_who];
    wire [31:0] f_ackeds = ackeds[f_who];
    wire [31:0] f_others_sent = others[{f_who, 1'b0}];
    wire [31:0] f_others_kept = others[{f_who, 1'b1}];
    wire [63:0] f_firsts = firsts[f_who];
    wire [63:0] f_lasts = lasts[f_who];
    wire [117:0] f_keys = keys[f_who];
    reg         f_raced;
    always @(posedge clk) begin
        // An event came in while an acknowledgement was carried out.
        f_raced <= ~rst & f_acks & f_ev & ev_seen & (data_q == f_count);
    end

    always @(posedge clk) begin
        if (f_begun & ~rst) begin
            // Counts are events, each once; pending is that some are not acknowledged.
            if (f_clean & ~f_clears) begin
                assert (f_count == f_events - {31'd0, f_adds});
                if (f_op_q & f_here) begin
                    assert (row_count == f_count);
                    assert (row_acked == f_acked);
                    assert (row_seen == f_any);
                    assert (~row_seen | ((row_first == f_first) & (row_last == f_last)));
                    assert (row_refused == (ack_q & ~f_acks));
                end
            end
            if (f_clean) begin
                if ({25'd0, f_who} < SOURCES) begin
                    assert (pending_q[f_who] == (f_count != f_acked));
                end
                // What was acknowledged had been counted, and what came since then is pending.
                assert (f_count - f_acked < 32'h8000_0000);
                if (f_raced) begin
                    assert (f_adds & (f_count == f_acked));
                end
            end
            if (f_clean_sent & ~f_clears) begin
                assert (f_sent == f_sends - {31'd0, f_others & ~kept_q});
                assert (~(f_op_q & f_here & ~kept_q) | (row_other == f_sent));
            end
            if (f_clean_kept & ~f_clears) begin
                assert (f_kept == f_keeps - {31'd0, f_others & kept_q});
                assert (~(f_op_q & f_here & kept_q) | (row_other == f_kept));
            end
            if (f_key_clean & f_here & ~f_key_clash) begin
                assert ({row_programmed, row_tc, row_key} == f_key);
            end
            // An operation waits for nothing but events and the one before it.
            assert (op_ready | ev_valid | busy_q);

            // Induction.
            assert (busy_q == (event_q | ack_q | clear_q));
            assert (~(event_q & (ack_q | clear_q)) & ~(ack_q & clear_q));
            assert (f_op_q | ~(ack_q | clear_q));
            assert (~f_op_q | ~event_q);
            assert (~f_clears | (f_events == 32'd0));
            assert (~f_clears | ((kept_q ? f_keeps : f_sends) == 32'd0));
            assert (~f_clears | ~(kept_q ? f_clean_sent : f_clean_kept) |
                    ((kept_q ? f_sends : f_keeps) == (kept_q ? f_sent : f_kept)));
            if (f_clean) begin
                assert (f_counts == {f_any, f_count});
                assert (f_ackeds == f_acked);
                assert (~f_any | ((f_firsts == f_first) & (f_lasts == f_last)));
                assert (f_any | (f_count == 32'd0));
            end
            assert (~f_clean_sent | (f_others_sent == f_sent));
            assert (~f_clean_kept | (f_others_kept == f_kept));
            assert (~f_key_clean | (f_keys == f_key));
            assert (f_clean | ~(f_clean_sent | f_clean_kept));
            if (f_here & f_clean) begin
                assert (~((event_q & seen_q) | (f_op_q & ~clear_q)) | ({row_seen, row_count} == f_counts));
                assert (~f_op_q | clear_q | (row_acked == f_ackeds));
                assert (~(event_q & other_q) | ~(kept_q ? f_clean_kept : f_clean_sent) | (row_other == (kept_q ? f_kept : f_sent)));
            end

            cover (f_raced & f_here);
            cover (f_op_q & f_here & row_refused);
            cover (f_op_q & f_here & f_clean & f_clean_sent & f_clean_kept);
            cover (f_clean & f_any & (f_count == 32'd1) & (f_acked == 32'd0));
        end
    end
`endif
endmodule

`default_nettype wire
