// SPDX-License-Identifier: BSD-2-Clause
//
// From the ports to the root.
//
// Latency 2 cycles, one beat per cycle. Synchronous reset.
`default_nettype none

module upstream #(
    parameter integer WIDTH = 64,
    parameter integer PORTS = 4
) (
    input  wire                      clk,
    input  wire                      rst,
    input  wire [PORTS-1:0]          up,

    input  wire [PORTS*WIDTH-1:0]    s_data,
    input  wire [PORTS*WIDTH/32-1:0] s_keep,
    input  wire [PORTS-1:0]          s_last,
    input  wire [PORTS-1:0]          s_valid,
    output wire [PORTS-1:0]          s_ready,
    output reg                       s_np_ok,

    output wire [WIDTH-1:0]          m_data,
    output wire [WIDTH/32-1:0]       m_keep,
    output wire                      m_last,
    output wire                      m_bad,
    output wire                      m_valid,
    input  wire                      m_ready,
    input  wire                      m_np_ok,

    // A completion of the relay's own. It passes no posted TLP that was accepted before it was ready.
    input  wire                      cpl_valid,
    input  wire [31:0]               cpl_dw0,
    input  wire [31:0]               cpl_dw1,
    input  wire [31:0]               cpl_dw2,
    input  wire [31:0]               cpl_dw3,
    output wire                      cpl_taken,

    output reg                       count_posted,
    output reg                       count_nonposted,
    output reg                       count_completion,
    output reg                       count_malformed,
    output reg  [PORTS-1:0]          count_down
);
    localparam integer K = WIDTH / 32;

    wire [PORTS*WIDTH-1:0] h_data;
    wire [PORTS*K-1:0]     h_keep;
    wire [PORTS-1:0]       h_last;
    wire [PORTS*6-1:0]     h_class;
    wire [PORTS-1:0]       h_valid;
    wire [PORTS-1:0]       h_valid_d;
    wire [PORTS-1:0]       h_pop;
    wire                   h_drain;
    wire                   snap;
    wire [PORTS-1:0]       snap_done;
    wire [PORTS-1:0]       dropped;

    genvar g;
    generate
        for (g = 0; g < PORTS; g = g + 1) begin : port
            ingress #(.WIDTH(WIDTH), .UPSTREAM(1)) entrance (
                .clk(clk), .rst(rst), .up(up[g]),
                .s_data(s_data[g*WIDTH +: WIDTH]), .s_keep(s_keep[g*K +: K]), .s_last(s_last[g]),
                .s_valid(s_valid[g]), .s_ready(s_ready[g]),
                .h_valid(h_valid[g]), .h_data(h_data[g*WIDTH +: WIDTH]), .h_keep(h_keep[g*K +: K]),
                .h_last(h_last[g]), .h_class(h_class[g*6 +: 6]), .h_valid_d(h_valid_d[g]),
                .h_pop(h_pop[g]), .h_drain(h_drain),
                .snap(snap), .snap_done(snap_done[g]), .dropped(dropped[g])
            );
        end
    endgenerate

    // What was accepted before a completion became ready goes first.
    reg  cpl_seen_q;
    assign snap = cpl_valid & ~cpl_seen_q;
    wire token_valid = cpl_seen_q & (snap_done == {PORTS{1'b1}});

    wire [WIDTH-1:0] g_data;
    wire [K-1:0]     g_keep;
    wire             g_first, g_last, g_bad, g_token, g_valid, g_ready;
    wire [5:0]       g_class;
    wire [2:0]       g_port;
    wire             token_taken, np_pop, np_room, malformed, malformed_first;
    merge #(.WIDTH(WIDTH), .PORTS(PORTS)) merging (
        .clk(clk), .rst(rst), .hold(1'b0),
        .h_data(h_data), .h_keep(h_keep), .h_last(h_last), .h_class(h_class), .h_valid(h_valid),
        .h_valid_d(h_valid_d), .h_pop(h_pop), .h_drain(h_drain),
        .token_valid(token_valid), .token_taken(token_taken),
        .m_data(g_data), .m_keep(g_keep), .m_first(g_first), .m_last(g_last), .m_bad(g_bad),
        .m_class(g_class), .m_port(g_port), .m_token(g_token), .m_valid(g_valid), .m_ready(g_ready),
        .np_pop(np_pop), .np_room(np_room), .malformed(malformed), .malformed_first(malformed_first)
    );

    wire [WIDTH-1:0] l_data;
    wire [K-1:0]     l_keep;
    wire             l_last, l_take;
    local_tlp #(.WIDTH(WIDTH)) own (
        .clk(clk), .rst(rst), .h0(cpl_dw0), .h1(cpl_dw1), .h2(32'd0), .h3(cpl_dw2),
        .words({224'd0, cpl_dw3}), .take(l_take), .data(l_data), .keep(l_keep), .last(l_last)
    );

    wire [WIDTH-1:0] e_data = g_token ? l_data : g_data;
    wire [K-1:0]     e_keep = g_token ? l_keep : g_keep;
    wire             e_last = g_token ? l_last : g_last;
    wire             e_ready;
    wire             e_fire = g_valid & e_ready;
    assign l_take = e_fire & g_token;
    assign g_ready = e_ready & (~g_token | l_last);
    assign cpl_taken = token_taken;

    wire [4:0] unused_np_count;
    wire       unused_first, unused_nonposted, unused_dropped;
    egress #(.WIDTH(WIDTH), .USER(1)) exit (
        .clk(clk), .rst(rst), .up(1'b1),
        .s_data(e_data), .s_keep(e_keep), .s_user(g_bad), .s_last(e_last),
        .s_nonposted(g_class[0] & ~g_token), .s_valid(g_valid), .s_ready(e_ready),
        .m_data(m_data), .m_keep(m_keep), .m_user(m_bad), .m_last(m_last), .m_valid(m_valid),
        .m_ready(m_ready), .np_ok(m_np_ok), .np_pop(np_pop), .np_count(unused_np_count),
        .m_first(unused_first), .m_nonposted(unused_nonposted), .dropped(unused_dropped)
    );

    wire ends = g_valid & g_ready & g_last & ~g_bad & ~g_token;
    always @(posedge clk) begin
        s_np_ok <= np_room & ~rst;
        count_posted <= ends & ~g_class[0] & ~g_class[1];
        count_nonposted <= ends & g_class[0];
        count_completion <= ends & g_class[1];
        count_malformed <= malformed;
        count_down <= dropped;
        if (rst) begin
            cpl_seen_q <= 1'b0;
            count_posted <= 1'b0;
            count_nonposted <= 1'b0;
            count_completion <= 1'b0;
            count_malformed <= 1'b0;
            count_down <= {PORTS{1'b0}};
        end else begin
            cpl_seen_q <= cpl_valid & ~cpl_taken;
        end
    end

    wire unused = &{1'b0, g_first, g_port, malformed_first, unused_np_count, unused_first,
                    unused_nonposted, unused_dropped, g_class[5:2]};
endmodule

`default_nettype wire
