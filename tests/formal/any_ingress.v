// SPDX-License-Identifier: BSD-2-Clause
//
// For proofs of what has an entrance: beats, any, each at the head until it is popped, as `ingress` is proven to show
// them. A class is one that tlp_class may give: of a non-posted TLP no longer than the room kept for it.
`default_nettype none

module ingress #(
    parameter integer WIDTH = 64,
    parameter integer UPSTREAM = 1
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                up,
    input  wire [WIDTH-1:0]    s_data,
    input  wire [WIDTH/32-1:0] s_keep,
    input  wire                s_last,
    input  wire                s_valid,
    output wire                s_ready,
    output reg                 h_valid,
    output reg  [WIDTH-1:0]    h_data,
    output reg  [WIDTH/32-1:0] h_keep,
    output reg                 h_last,
    output wire [5:0]          h_class,
    output wire                h_more,
    input  wire                h_pop,
    input  wire                h_drain,
    input  wire                snap,
    output wire                snap_done,
    output wire                drained,
    input  wire                discard,
    output wire                dropped
);
    (* anyseq *) wire                any_ready;
    (* anyseq *) wire                any_valid;
    (* anyseq *) wire                any_last;
    (* anyseq *) wire [WIDTH-1:0]    any_data;
    (* anyseq *) wire [WIDTH/32-1:0] any_keep;
    (* anyseq *) wire [5:0]          any_class;
    (* anyseq *) wire [3:0]          any_state;
    reg [5:0] class_q;
    always @(posedge clk) begin
        if (~h_valid | h_pop) begin
            h_valid <= any_valid;
            h_data <= any_data;
            h_keep <= any_keep;
            h_last <= any_last;
            class_q <= any_class;
        end
        if (rst) begin
            h_valid <= 1'b0;
        end
    end
    wire [11:0] length = (h_data[9:0] == 10'd0) ? 12'd1024 : {2'd0, h_data[9:0]};
    wire [11:0] whole = 12'd3 + {11'd0, h_data[29]} + {11'd0, h_data[15]} + (h_data[30] ? length : 12'd0);
    assign h_class = {class_q[5:1], class_q[0] & ~class_q[1] & (whole <= (class_q[2] ? 12'd13 : 12'd5))};
    assign s_ready = any_ready;
    assign {h_more, snap_done, drained, dropped} = any_state;
endmodule

`default_nettype wire
