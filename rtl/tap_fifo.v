// SPDX-License-Identifier: BSD-2-Clause
//
// Four beats between a side's entrance and what looks at them. A beat written is at the head in the next cycle; room
// is a register. Synchronous reset.
`default_nettype none

module tap_fifo #(
    parameter integer BITS = 67
) (
    input  wire            clk,
    input  wire            rst,
    input  wire            push, // only with room
    input  wire [BITS-1:0] in,
    output reg             room_q,
    output wire            valid,
    output wire [BITS-1:0] out,
    input  wire            pop,
    output reg  [2:0]      count_q
);
    reg  [BITS-1:0] mem [0:3];
    reg  [1:0] wptr_q;
    reg  [1:0] rptr_q;
    wire [2:0] count_d = count_q + {2'd0, push} - {2'd0, pop};
    assign valid = (count_q != 3'd0);
    assign out = mem[rptr_q];
    always @(posedge clk) begin
        if (push) begin
            mem[wptr_q] <= in;
        end
        if (rst) begin
            wptr_q <= 2'd0;
            rptr_q <= 2'd0;
            count_q <= 3'd0;
            room_q <= 1'b0;
        end else begin
            wptr_q <= wptr_q + {1'b0, push};
            rptr_q <= rptr_q + {1'b0, pop};
            count_q <= count_d;
            room_q <= ~count_d[2];
        end
    end
endmodule

`default_nettype wire
