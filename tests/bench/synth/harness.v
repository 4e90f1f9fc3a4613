// SPDX-License-Identifier: BSD-2-Clause
//
// The relay between shift registers, so that every path of it runs from register to register and the whole has
// three pins: what is measured is the relay's own clock, not that of pins. Nothing is known about the inputs,
// so nothing of the relay is optimised away.
`default_nettype none

module harness #(
    parameter integer PORTS = 4,
    parameter integer WIDTH = 64,
    parameter integer SOURCES = 32
) (
    input  wire clk,
    input  wire d,
    output reg  q
);
    localparam integer K = WIDTH / 32;
    localparam integer IN = 1 + 8 + 5 + 1 + 1 + 64 + PORTS * (2 + 128 + 128 + 1) + 64 + PORTS * (WIDTH + K + 2) + 2 +
                            WIDTH + K + 2 + PORTS * 2;
    localparam integer OUT = 1 + 44 + 1 + PORTS + 1 + WIDTH + K + 3 + 2 + PORTS * (WIDTH + K + 3);

    reg  [IN-1:0] in;
    always @(posedge clk) begin
        in <= {in[IN-2:0], d};
    end

    wire                 rst, bus_master, own_bar_enable, m_root_ready, m_root_np_ok, s_root_last, s_root_valid;
    wire [7:0]           bus;
    wire [4:0]           device;
    wire [63:0]          own_bar_base, time_ns;
    wire [PORTS*2-1:0]   bar_enable;
    wire [PORTS*128-1:0] bar_base, bar_mask;
    wire [PORTS-1:0]     port_up, s_port_last, s_port_valid, m_port_ready, m_port_np_ok;
    wire [PORTS*WIDTH-1:0] s_port_data;
    wire [PORTS*K-1:0]   s_port_keep;
    wire [WIDTH-1:0]     s_root_data;
    wire [K-1:0]         s_root_keep;
    assign {rst, bus, device, bus_master, own_bar_enable, own_bar_base, bar_enable, bar_base, bar_mask, port_up,
            time_ns, s_port_data, s_port_keep, s_port_last, s_port_valid, m_root_ready, m_root_np_ok, s_root_data,
            s_root_keep, s_root_last, s_root_valid, m_port_ready, m_port_np_ok} = in;

    wire [OUT-1:0] out;
    relay #(.PORTS(PORTS), .WIDTH(WIDTH), .SOURCES(SOURCES)) dut (
        .clk(clk), .rst(rst), .bus(bus), .device(device), .bus_master(bus_master), .own_bar_enable(own_bar_enable),
        .own_bar_base(own_bar_base), .bar_enable(bar_enable), .bar_base(bar_base), .bar_mask(bar_mask),
        .port_up(port_up), .time_ns(time_ns), .deadline_there(out[0]), .deadline(out[44:1]), .busy(out[45]),
        .s_port_data(s_port_data), .s_port_keep(s_port_keep), .s_port_last(s_port_last), .s_port_valid(s_port_valid),
        .s_port_ready(out[46 +: PORTS]), .s_port_np_ok(out[46 + PORTS]),
        .m_root_data(out[47 + PORTS +: WIDTH]), .m_root_keep(out[47 + PORTS + WIDTH +: K]),
        .m_root_last(out[47 + PORTS + WIDTH + K]), .m_root_bad(out[48 + PORTS + WIDTH + K]),
        .m_root_valid(out[49 + PORTS + WIDTH + K]), .m_root_ready(m_root_ready), .m_root_np_ok(m_root_np_ok),
        .s_root_data(s_root_data), .s_root_keep(s_root_keep), .s_root_last(s_root_last), .s_root_valid(s_root_valid),
        .s_root_ready(out[50 + PORTS + WIDTH + K]), .s_root_np_ok(out[51 + PORTS + WIDTH + K]),
        .m_port_data(out[52 + PORTS + WIDTH + K +: PORTS*WIDTH]),
        .m_port_keep(out[52 + PORTS + WIDTH + K + PORTS*WIDTH +: PORTS*K]),
        .m_port_last(out[OUT-2*PORTS-1 -: PORTS]), .m_port_bad(out[OUT-PORTS-1 -: PORTS]),
        .m_port_valid(out[OUT-1 -: PORTS]), .m_port_ready(m_port_ready), .m_port_np_ok(m_port_np_ok)
    );

    // All outputs become one bit, four at a time, a register behind each step.
    localparam integer N1 = (OUT + 3) / 4;
    localparam integer N2 = (N1 + 3) / 4;
    localparam integer N3 = (N2 + 3) / 4;
    localparam integer N4 = (N3 + 3) / 4;
    reg  [OUT-1:0]  out_q;
    reg  [N1-1:0]   x1;
    reg  [N2-1:0]   x2;
    reg  [N3-1:0]   x3;
    reg  [N4-1:0]   x4;
    wire [N1*4-1:0] w1 = {{(N1 * 4 - OUT){1'b0}}, out_q};
    wire [N2*4-1:0] w2 = {{(N2 * 4 - N1){1'b0}}, x1};
    wire [N3*4-1:0] w3 = {{(N3 * 4 - N2){1'b0}}, x2};
    wire [N4*4-1:0] w4 = {{(N4 * 4 - N3){1'b0}}, x3};
    integer i;
    always @(posedge clk) begin
        out_q <= out;
        for (i = 0; i < N1; i = i + 1) begin
            x1[i] <= ^w1[i*4 +: 4];
        end
        for (i = 0; i < N2; i = i + 1) begin
            x2[i] <= ^w2[i*4 +: 4];
        end
        for (i = 0; i < N3; i = i + 1) begin
            x3[i] <= ^w3[i*4 +: 4];
        end
        for (i = 0; i < N4; i = i + 1) begin
            x4[i] <= ^w4[i*4 +: 4];
        end
        q <= ^x4;
    end
endmodule

`default_nettype wire
