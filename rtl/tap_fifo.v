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
`ifdef FORMAL
    output wire [4*BITS-1:0] f_beats, // the head first
`endif
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

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        assume (~push | room_q);
        assume (~pop | valid);
    end
    wire [1:0] f_second = rptr_q + 2'd1;
    wire [1:0] f_third = rptr_q + 2'd2;
    wire [1:0] f_fourth = rptr_q + 2'd3;
    assign f_beats = {mem[f_fourth], mem[f_third], mem[f_second], mem[rptr_q]};

    // One beat, any, is followed through.
    (* anyseq *) wire f_pick;
    reg            f_tag;
    reg [BITS-1:0] f_beat;
    reg [2:0]      f_ahead;
    always @(posedge clk) begin
        if (rst | (f_tag & pop & (f_ahead == 3'd0))) begin
            f_tag <= 1'b0;
        end else if (f_tag) begin
            f_ahead <= f_ahead - {2'd0, pop};
        end else if (push & f_pick) begin
            f_tag <= 1'b1;
            f_beat <= in;
            f_ahead <= count_q - {2'd0, pop};
        end
    end
    wire [1:0] f_slot = rptr_q + f_ahead[1:0];
    always @(posedge clk) begin
        if (f_begun) begin
            // A beat leaves in its turn, as it came, once.
            assert (~f_tag | (f_ahead != 3'd0) | (valid & (out == f_beat)));
            assert (room_q == (count_q < 3'd4) | ~room_q & (count_q == 3'd0));

            // Induction.
            assert (count_q <= 3'd4);
            assert (wptr_q == rptr_q + count_q[1:0]);
            assert (~f_tag | ((f_ahead < count_q) & (mem[f_slot] == f_beat)));
            cover (f_tag & pop & (f_ahead == 3'd3));
        end
    end
`endif
endmodule

`default_nettype wire
