// SPDX-License-Identifier: BSD-2-Clause
//
// For proofs of what asks the router: any answer that `router` is proven to give to somebody.
`default_nettype none

module router #(
    parameter integer PORTS = 4,
    parameter integer BUMP = 0
) (
    input  wire [31:0]         dw0,
    input  wire [31:0]         dw2,
    input  wire [31:0]         dw3,
    input  wire [5:0]          tlp_class,
    input  wire [7:0]          bus,
    input  wire [4:0]          device,
    input  wire [PORTS-1:0]    up,
    input  wire                own_bar_enable,
    input  wire [63:0]         own_bar_base,
    input  wire [PORTS*2-1:0]  bar_enable,
    input  wire [PORTS*128-1:0] bar_base,
    input  wire [PORTS*128-1:0] bar_mask,
    output wire [PORTS-1:0]    to_port,
    output wire                to_local,
    output wire                refuse,
    output wire                down,
    output wire                unmatched
);
    (* anyseq *) wire             any_own;
    (* anyseq *) wire             any_down;
    (* anyseq *) wire [PORTS-1:0] any_port;
    assign to_port = any_own ? {PORTS{1'b0}} : any_port & up;
    wire   found = any_own | (to_port != {PORTS{1'b0}});
    assign to_local = any_own | (~found & tlp_class[0]);
    assign refuse = ~any_own;
    assign down = ~found & any_down;
    assign unmatched = ~found;
endmodule

`default_nettype wire
