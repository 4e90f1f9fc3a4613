// SPDX-License-Identifier: BSD-2-Clause
//
// For the proof of who looks sources up: `match` is 0, or the chunks that were read last, those that are ignored as 0,
// so that it can be told which key was looked up. Writes take as long as those of `source_cam`.
`default_nettype none

module source_cam #(
    parameter integer SOURCES = 117, // CHUNKS * 9
    parameter integer CHUNKS = 13,
    parameter integer GROUP = 2
) (
    input  wire                clk,
    input  wire                rst,
    input  wire [CHUNKS*9-1:0] key_d,
    input  wire [CHUNKS*9-1:0] key_q,
    input  wire [CHUNKS-1:0]   read,
    input  wire [CHUNKS-1:0]   ignorable,
    input  wire                ignore,
    output wire [SOURCES-1:0]  match,
    input  wire                write,
    input  wire [SOURCES-1:0]  which,
    input  wire                bit_,
    output reg                 busy
);
    (* anyseq *) wire any_known;
    reg  [CHUNKS*9-1:0] seen_q;
    wire [CHUNKS*9-1:0] counts;
    reg  [CHUNKS*9-1:0] written_q;
    reg  [SOURCES:0]    which_q;
    genvar c;
    generate
        for (c = 0; c < CHUNKS; c = c + 1) begin : chunk
            assign counts[c*9 +: 9] = {9{~(ignore & ignorable[c])}};
            always @(posedge clk) begin
                if (read[c]) begin
                    seen_q[c*9 +: 9] <= key_d[c*9 +: 9];
                end
            end
        end
    endgenerate
    assign match = any_known ? seen_q & counts : {SOURCES{1'b0}};
    always @(posedge clk) begin
        busy <= write & ~rst;
        written_q <= key_q & counts;
        which_q <= {bit_, which};
        if (~rst) begin
            // While it is written nothing is read, and what is written stays.
            assert (~(write | busy) | (read == {CHUNKS{1'b0}}));
            assert (~busy | ((written_q == (key_q & counts)) & (which_q == {bit_, which}) & ~write));
        end
    end
endmodule

`default_nettype wire
