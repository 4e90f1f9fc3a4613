// SPDX-License-Identifier: BSD-2-Clause
//
// For proofs of what has an exit: takes what it likes and lets go what it likes, as `egress` may, and asks of the writer
// what `egress` asks.
`default_nettype none

module egress #(
    parameter integer WIDTH = 64,
    parameter integer USER = 1
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                up,
    input  wire [WIDTH-1:0]    s_data,
    input  wire [WIDTH/32-1:0] s_keep,
    input  wire [USER-1:0]     s_user,
    input  wire                s_last,
    input  wire                s_nonposted,
    input  wire                s_valid,
    output wire                s_ready,
    output wire [WIDTH-1:0]    m_data,
    output wire [WIDTH/32-1:0] m_keep,
    output wire [USER-1:0]     m_user,
    output wire                m_last,
    output wire                m_valid,
    input  wire                m_ready,
    input  wire                np_ok,
    output wire                np_pop,
    output reg  [4:0]          np_count,
    output wire                p_half,
    output wire                m_first,
    output wire                m_nonposted,
    output wire                dropped
);
    (* anyseq *) wire                any_ready;
    (* anyseq *) wire                any_pop;
    (* anyseq *) wire [WIDTH-1:0]    any_data;
    (* anyseq *) wire [WIDTH/32-1:0] any_keep;
    (* anyseq *) wire [USER-1:0]     any_user;
    (* anyseq *) wire [5:0]          any_state;
    assign s_ready = any_ready;
    assign np_pop = any_pop & (np_count != 5'd0);
    assign {m_data, m_keep, m_user} = {any_data, any_keep, any_user};
    assign {m_last, m_valid, p_half, m_first, m_nonposted, dropped} = any_state;

    wire fire = s_valid & s_ready;
    always @(posedge clk) begin
        np_count <= (rst | ~up) ? 5'd0 : np_count + {4'd0, fire & s_nonposted} - {4'd0, np_pop};
        // There is room for what is non-posted.
        if (~rst & fire & s_nonposted) begin
            assert (np_count < 5'd24);
        end
    end
endmodule

`default_nettype wire
