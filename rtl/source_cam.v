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
    wire [SOURCES*CHUNKS-1:0]      seen; // per source, one bit per chunk

    genvar c;
    genvar s;
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
                for (s = 0; s < SOURCES; s = s + 1) begin : per_source
                    assign seen[s*CHUNKS + c] = row[s];
                end
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
        for (s = 0; s < SOURCES; s = s + 1) begin : result
            assign match[s] = ((seen[s*CHUNKS +: CHUNKS] | (ignorable & {CHUNKS{ignore}})) == {CHUNKS{1'b1}});
        end
    endgenerate
endmodule

`default_nettype wire
