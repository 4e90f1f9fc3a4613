// SPDX-License-Identifier: BSD-2-Clause
//
// A delay line: each beat takes DEPTH cycles, unless what is ahead of it waits. A stage moves when the next
// one is free or moves, so bubbles close up behind a beat that waits.
//
// One beat per cycle. Synchronous reset.
`default_nettype none

module line #(
    parameter integer BITS = 64,
    parameter integer DEPTH = 4
) (
    input  wire            clk,
    input  wire            rst,
    input  wire [BITS-1:0] s_data,
    input  wire            s_valid,
    output wire            s_ready,
    output wire [BITS-1:0] m_data,
    output wire            m_valid,
    input  wire            m_ready,
    output wire            empty
);
    wire [DEPTH:0]            valid; // [i]: a beat stands before stage i
    wire [DEPTH-1:0]          moves; // [i]: stage i takes what stands before it
    wire [(DEPTH+1)*BITS-1:0] data;

    assign valid[0] = s_valid;
    assign data[BITS-1:0] = s_data;
    assign s_ready = moves[0];
    assign m_valid = valid[DEPTH];
    assign m_data = data[DEPTH*BITS +: BITS];
    assign empty = (valid[DEPTH:1] == {DEPTH{1'b0}});

    genvar g;
    generate
        for (g = 0; g < DEPTH; g = g + 1) begin : stage
            reg            valid_q;
            reg [BITS-1:0] data_q;
            assign moves[g] = m_ready | (valid[DEPTH:g+1] != {(DEPTH - g){1'b1}});
            assign valid[g+1] = valid_q;
            assign data[(g+1)*BITS +: BITS] = data_q;
            always @(posedge clk) begin
                if (moves[g] & valid[g]) begin
                    data_q <= data[g*BITS +: BITS];
                end
                if (rst) begin
                    valid_q <= 1'b0;
                end else if (moves[g]) begin
                    valid_q <= valid[g];
                end
            end
        end
    endgenerate
endmodule

`default_nettype wire
