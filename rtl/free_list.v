// SPDX-License-Identifier: BSD-2-Clause
//
// Which entries of the source table are in use, and one that is free.
//
// change inverts the entry in `which` (one bit). free_* follow two cycles later. Synchronous reset: all free.
`default_nettype none

module free_list #(
    parameter integer SOURCES = 32
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               change,
    input  wire [SOURCES-1:0] which,
    output reg  [SOURCES-1:0] used_q,
    output reg                there_q,
    output reg  [6:0]         index_q
);
    integer i;
    reg stale_q; // used_q changed: look for another one
    always @(posedge clk) begin
        stale_q <= rst | change;
        if (stale_q) begin
            index_q <= 7'd0;
            for (i = SOURCES - 1; i >= 0; i = i - 1) begin
                if (~used_q[i]) begin
                    index_q <= i[6:0];
                end
            end
        end
        if (rst) begin
            used_q <= {SOURCES{1'b0}};
            there_q <= 1'b0;
        end else begin
            if (change) begin
                used_q <= used_q ^ which;
            end
            if (stale_q) begin
                there_q <= (used_q != {SOURCES{1'b1}});
            end
        end
    end

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end

    (* anyconst *) wire [6:0] f_who;
    reg       f_used;
    reg [1:0] f_still; // cycles since a change, up to 2
    always @(posedge clk) begin
        f_used <= ~rst & (f_used ^ (change & which[f_who]));
        f_still <= (rst | change) ? 2'd0 : (f_still == 2'd2) ? 2'd2 : f_still + 2'd1;
    end
    always @* begin
        if (~f_begun) begin
            assume (rst);
        end
        assume ({25'd0, f_who} < SOURCES);
    end
    always @(posedge clk) begin
        if (f_begun) begin
            assert (used_q[f_who] == f_used);
            if (f_still != 2'd0) begin
                // An entry that is offered is free; none is offered only if all are in use.
                assert (there_q == (used_q != {SOURCES{1'b1}}));
                if (there_q) begin
                    assert ({25'd0, index_q} < SOURCES);
                    assert (~used_q[index_q]);
                end
            end
            assert ((stale_q == (f_still == 2'd0)) & (f_still != 2'd3)); // induction
            cover (there_q & f_used & (f_still == 2'd1));
            cover (~there_q & (f_still == 2'd1));
        end
    end
`endif
endmodule

`default_nettype wire
