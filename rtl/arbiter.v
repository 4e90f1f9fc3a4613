// SPDX-License-Identifier: BSD-2-Clause
//
// Round robin over N requesters, decided one cycle ahead so that the choice is a register.
//
// Each cycle in which `choose` is set, the next requester after the last one served whose request_d bit
// (its request in the next cycle) is set is chosen; with none, the choice stays. Synchronous reset.
`default_nettype none

module arbiter #(
    parameter integer N = 5,
    parameter integer BITS = 3 // of an index
) (
    input  wire            clk,
    input  wire            rst,
    input  wire [N-1:0]    request_d,
    input  wire            choose,
    input  wire            served, // the one chosen now begins a turn: it is last in line from here on
    output reg  [BITS-1:0] choice_q
);
    reg [N-1:0] after_q; // requesters after the one last served
    reg  [N-1:0] after_d;
    wire [N-1:0] after = served ? after_d : after_q;
    wire [N-1:0] beyond = request_d & after;
    wire [N-1:0] from = (beyond != {N{1'b0}}) ? beyond : request_d;

    integer i;
    reg [BITS-1:0] choice_d;
    always @* begin
        choice_d = choice_q;
        for (i = N - 1; i >= 0; i = i - 1) begin
            if (from[i]) begin
                choice_d = i[BITS-1:0];
            end
            after_d[i] = ({{(32 - BITS){1'b0}}, choice_q} < i);
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            choice_q <= {BITS{1'b0}};
            after_q <= {N{1'b1}};
        end else begin
            after_q <= after;
            if (choose) begin
                choice_q <= choice_d;
            end
        end
    end
endmodule

`default_nettype wire
