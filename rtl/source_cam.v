// SPDX-License-Identifier: BSD-2-Clause
//
// Finds a key among the sources, all compared at once.
//
// The key is cut into chunks of nine bits. Each chunk addresses a block RAM with one row for each of its
// values and one bit a source in a row: "this source has this value in this chunk". The AND of the rows is
// the match, so a wide key costs no comparators. To list a source, its bit is set in each of its rows, to
// drop it, cleared; a source that is not listed has no bit set anywhere.
//
// `match` belongs to the chunks that were read last (read: one bit a chunk). Chunks whose `ignore` is set do
// not count, and are not written. `write` begins to write the rows of the chunks in key_q: the bits of the
// sources in `which` become bit_; it takes GROUP cycles (`busy` after the first), in which key_q, `which` and
// bit_ stay and nothing is read. Chunks of a group share the logic that makes the new row. Row memories begin as
// zero. Synchronous reset.
`default_nettype none

module source_cam #(
    parameter integer SOURCES = 32,
    parameter integer CHUNKS = 13,
    parameter integer GROUP = 2
) (
    input  wire                clk,
    input  wire                rst,
    input  wire [CHUNKS*9-1:0] key_d,
    input  wire [CHUNKS*9-1:0] key_q,
    input  wire [CHUNKS-1:0]   read,
    input  wire [CHUNKS-1:0]   ignorable,
    input  wire                ignore, // those that are ignorable
    output wire [SOURCES-1:0]  match,
    input  wire                write,
    input  wire [SOURCES-1:0]  which,
    input  wire                bit_,
    output wire                busy
);
    localparam integer BUSES = (CHUNKS + GROUP - 1) / GROUP;

    // Cycle of the write: one chunk of each group is written.
    reg  [GROUP-1:0] later_q; // bit i: the write has i cycles behind it
    localparam [GROUP-1:0] FIRST = 1;
    wire [GROUP-1:0] phase = later_q | (write ? FIRST : {GROUP{1'b0}});
    assign busy = (later_q != {GROUP{1'b0}});
    always @(posedge clk) begin
        later_q <= rst ? {GROUP{1'b0}} : phase << 1;
    end

    wire [BUSES*GROUP*SOURCES-1:0] row_all;
    wire [BUSES*SOURCES-1:0]       new_row;

    reg  [SOURCES-1:0] listed; // who has the key's value in every chunk
    integer n;
    always @* begin
        listed = {SOURCES{1'b1}};
        for (n = 0; n < CHUNKS; n = n + 1) begin
            listed = listed & (row_all[n*SOURCES +: SOURCES] | {SOURCES{ignorable[n] & ignore}});
        end
    end
    assign match = listed;

    genvar c;
    generate
        for (c = 0; c < BUSES * GROUP; c = c + 1) begin : rows
            if (c < CHUNKS) begin : there
                reg  [SOURCES-1:0] mem [0:511];
                reg  [SOURCES-1:0] row;
                integer i;
                initial begin
                    for (i = 0; i < 512; i = i + 1) begin
                        mem[i] = {SOURCES{1'b0}};
                    end
                end
                wire put = phase[c % GROUP] & ~(ignorable[c] & ignore);
                always @(posedge clk) begin
                    if (put) begin
                        mem[key_q[c*9 +: 9]] <= new_row[(c/GROUP)*SOURCES +: SOURCES];
                    end
                    // Never both: what a memory returns then does not matter.
                    if (read[c]) begin
                        row <= put ? {SOURCES{1'bx}} : mem[key_d[c*9 +: 9]];
                    end
                end
                assign row_all[c*SOURCES +: SOURCES] = row;
            end else begin : absent
                assign row_all[c*SOURCES +: SOURCES] = {SOURCES{1'b0}};
            end
        end
        for (c = 0; c < BUSES; c = c + 1) begin : bus
            reg  [SOURCES-1:0] old;
            integer i;
            always @* begin
                old = row_all[c*GROUP*SOURCES +: SOURCES];
                for (i = 1; i < GROUP; i = i + 1) begin
                    if (phase[i]) begin
                        old = row_all[(c*GROUP + i)*SOURCES +: SOURCES];
                    end
                end
            end
            assign new_row[c*SOURCES +: SOURCES] = bit_ ? old | which : old & ~which;
        end
    endgenerate

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end

    // One source and one key, any: is the source found by the key exactly when it is listed with it?
    localparam integer KEY = CHUNKS * 9;
    (* anyconst *) wire [31:0]    f_source;
    (* anyconst *) wire [KEY-1:0] f_key;
    (* anyconst *) wire [CHUNKS-1:0] f_ignorable;
    reg            f_listed = 1'b0;
    reg  [KEY-1:0] f_as;      // … the source, with this key
    reg  [KEY-1:0] f_read;    // the key that was read last, chunk by chunk
    reg  [CHUNKS-1:0] f_good; // … and nothing was written since
    reg  [KEY-1:0] f_key_q;
    reg  [SOURCES-1:0] f_which_q;
    reg            f_bit_q;

    // Bits of a key that count. Whether the ignorable chunks do is for the key's last bit to say.
    function [KEY-1:0] f_mask(input ignores);
        integer b;
        for (b = 0; b < KEY; b = b + 1) begin
            f_mask[b] = ~(ignores & ignorable[b / 9]);
        end
    endfunction
    wire [KEY-1:0] f_counts = f_mask(key_q[KEY-1]);
    wire           f_mine = which[f_source];
    // A write takes GROUP cycles from `write` on, whatever the circuit makes of it.
    reg  [GROUP-1:0] f_cycle_q = {GROUP{1'b0}};
    wire [GROUP-1:0] f_cycle = f_cycle_q | {{(GROUP - 1){1'b0}}, write};
    always @(posedge clk) begin
        f_cycle_q <= rst ? {GROUP{1'b0}} : f_cycle << 1;
    end
    wire           f_begins = write & ~busy;
    always @(posedge clk) begin
        f_key_q <= key_q;
        f_which_q <= which;
        f_bit_q <= bit_;
    end
    integer f_i;
    always @(posedge clk) begin
        for (f_i = 0; f_i < CHUNKS; f_i = f_i + 1) begin
            if (read[f_i]) begin
                f_read[f_i*9 +: 9] <= key_d[f_i*9 +: 9];
            end
        end
        f_good <= rst ? {CHUNKS{1'b0}} : (f_good | read) & ~{CHUNKS{write | busy}};
        if (f_cycle[GROUP-1] & f_mine) begin
            f_listed <= bit_;
            f_as <= key_q;
        end
    end
    always @* begin
        // Nothing is being written when the circuit starts; a later reset is followed by clearing all entries.
        assume ((rst == ~f_begun) & (f_begun | (~write & ~busy)));
        assume (f_source < SOURCES);
        assume ((ignorable == f_ignorable) & ~ignorable[CHUNKS-1]);
        assume (ignore == key_q[KEY-1]);
        if (write | busy) begin
            assume (read == {CHUNKS{1'b0}});
        end
        assume (~(write & busy));
        if (f_begins) begin
            // Who writes has read the key's rows, lists only what is not listed, and drops by the key it was listed with.
            assume (((f_read ^ key_q) & f_counts) == {KEY{1'b0}});
            for (f_i = 0; f_i < CHUNKS; f_i = f_i + 1) begin
                assume (f_good[f_i] | (ignorable[f_i] & ignore));
            end
            assume (~f_mine | (bit_ ? ~f_listed : (~f_listed | (((f_as ^ key_q) & f_counts) == {KEY{1'b0}}))));
        end
        if (busy) begin
            assume ((key_q == f_key_q) & (which == f_which_q) & (bit_ == f_bit_q));
        end
    end

    wire f_same = f_listed & (((f_as ^ f_key) & f_mask(f_key[KEY-1])) == {KEY{1'b0}});
    wire f_looked = (((f_read ^ f_key) & f_mask(f_key[KEY-1])) == {KEY{1'b0}}) & (f_good == {CHUNKS{1'b1}}) &
                    (key_q[KEY-1] == f_key[KEY-1]);
    always @(posedge clk) begin
        if (f_begun & ~busy & f_looked) begin
            assert (match[f_source] == f_same);
            cover (match[f_source] & f_key[KEY-1]);
            cover (match[f_source] & ~f_key[KEY-1]);
            cover (~match[f_source] & f_listed);
        end
    end

    // Induction, chunk by chunk: the source's bit in the row of the key, and in the row that was read.
    genvar f_c;
    generate
        for (f_c = 0; f_c < CHUNKS; f_c = f_c + 1) begin : f_rows
            wire [SOURCES-1:0] here = rows[f_c].there.mem[f_key[f_c*9 +: 9]];
            wire [SOURCES-1:0] seen_ = rows[f_c].there.mem[f_read[f_c*9 +: 9]];
            wire listed = f_listed & ~(ignorable[f_c] & f_as[KEY-1]);
            // In the middle of a write the chunks of its first cycle are ahead of the others.
            wire written = busy & f_mine & ~(ignorable[f_c] & ignore) & ((f_c % GROUP) == 0);
            wire [8:0] f_chunk = f_key[f_c*9 +: 9];
            always @(posedge clk) begin
                if (written & (key_q[f_c*9 +: 9] == f_chunk)) begin
                    assert (here[f_source] == bit_);
                end else begin
                    assert (here[f_source] == (listed & (f_as[f_c*9 +: 9] == f_chunk)));
                end
                if (f_begun) begin
                    if (f_good[f_c] | (busy & ((f_c % GROUP) != 0) & ~(ignorable[f_c] & ignore))) begin
                        assert (seen_ == rows[f_c].there.row);
                    end
                end
            end
        end
    endgenerate
    always @(posedge clk) begin
        assert (later_q == f_cycle_q);
        if (f_begun) begin
            if (busy) begin
                assert (f_good == {CHUNKS{1'b0}});
                assert (((f_read ^ key_q) & f_counts) == {KEY{1'b0}});
                assert (~f_mine | (bit_ ? ~f_listed : (~f_listed | (((f_as ^ key_q) & f_counts) == {KEY{1'b0}}))));
            end
            assert (((later_q & (later_q - 1'b1)) == {GROUP{1'b0}}) & ~later_q[0]);
        end
    end
`endif
endmodule

`default_nettype wire
