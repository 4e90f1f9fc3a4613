// SPDX-License-Identifier: BSD-2-Clause
//
// The relay as it is simulated, or the module tap where TAP is defined: every input through a register, so that what
// depends on an input is looked at once a cycle by Verilator, not at each edge, and what depends on configuration and
// time only at the rising edge.
//
// The streams' inputs are taken at the falling edge: what is set before it is there at the rising edge that follows;
// nothing is delayed. Reset, time, and configuration where `configure` is set, are taken at the rising edge.
`default_nettype none

module model_top #(
    parameter integer PORTS = 4,
    parameter integer WIDTH = 64,
    parameter integer SOURCES = 32,
    parameter integer BUMP = 0
) (
    input  wire                            clk,
    input  wire                            configure,
    input  wire                            rst,
    input  wire [7:0]                      bus,
    input  wire [4:0]                      device,
    input  wire                            bus_master,
    input  wire                            own_bar_enable,
    input  wire [63:0]                     own_bar_base,
    input  wire [PORTS*2-1:0]              bar_enable,
    input  wire [PORTS*128-1:0]            bar_base,
    input  wire [PORTS*128-1:0]            bar_mask,
    input  wire [PORTS-1:0]                port_up,
    input  wire [63:0]                     time_ns,
    output wire                            deadline_there,
    output wire [43:0]                     deadline,
    output wire                            busy,
    input  wire [PORTS*WIDTH-1:0]          s_port_data,
    input  wire [PORTS*WIDTH/32-1:0]       s_port_keep,
    input  wire [PORTS-1:0]                s_port_last,
    input  wire [PORTS-1:0]                s_port_valid,
    output wire [PORTS-1:0]                s_port_ready,
    output wire                            s_port_np_ok,
    output wire [WIDTH-1:0]                m_root_data,
    output wire [WIDTH/32-1:0]             m_root_keep,
    output wire                            m_root_last,
    output wire                            m_root_bad,
    output wire                            m_root_valid,
    input  wire                            m_root_ready,
    input  wire                            m_root_np_ok,
    input  wire [WIDTH-1:0]                s_root_data,
    input  wire [WIDTH/32-1:0]             s_root_keep,
    input  wire                            s_root_last,
    input  wire                            s_root_valid,
    output wire                            s_root_ready,
    output wire                            s_root_np_ok,
    output wire [PORTS*WIDTH-1:0]          m_port_data,
    output wire [PORTS*WIDTH/32-1:0]       m_port_keep,
    output wire [PORTS-1:0]                m_port_last,
    output wire [PORTS-1:0]                m_port_bad,
    output wire [PORTS-1:0]                m_port_valid,
    input  wire [PORTS-1:0]                m_port_ready,
    input  wire [PORTS-1:0]                m_port_np_ok
);
    reg                             rst_q;
    reg  [7:0]                      bus_q;
    reg  [4:0]                      device_q;
    reg                             bus_master_q;
    reg                             own_bar_enable_q;
    reg  [63:0]                     own_bar_base_q;
    reg  [PORTS*2-1:0]              bar_enable_q;
    reg  [PORTS*128-1:0]            bar_base_q;
    reg  [PORTS*128-1:0]            bar_mask_q;
    reg  [PORTS-1:0]                port_up_q;
    reg  [63:0]                     time_ns_q;
    reg  [PORTS*WIDTH-1:0]          s_port_data_q;
    reg  [PORTS*WIDTH/32-1:0]       s_port_keep_q;
    reg  [PORTS-1:0]                s_port_last_q;
    reg  [PORTS-1:0]                s_port_valid_q;
    reg                             m_root_ready_q;
    reg                             m_root_np_ok_q;
    reg  [WIDTH-1:0]                s_root_data_q;
    reg  [WIDTH/32-1:0]             s_root_keep_q;
    reg                             s_root_last_q;
    reg                             s_root_valid_q;
    reg  [PORTS-1:0]                m_port_ready_q;
    reg  [PORTS-1:0]                m_port_np_ok_q;
    always @(posedge clk) begin
        rst_q <= rst;
        time_ns_q <= time_ns;
        if (configure) begin
            bus_q <= bus;
            device_q <= device;
            bus_master_q <= bus_master;
            own_bar_enable_q <= own_bar_enable;
            own_bar_base_q <= own_bar_base;
            bar_enable_q <= bar_enable;
            bar_base_q <= bar_base;
            bar_mask_q <= bar_mask;
        end
    end
    always @(negedge clk) begin
        port_up_q <= port_up;
        s_port_data_q <= s_port_data;
        s_port_keep_q <= s_port_keep;
        s_port_last_q <= s_port_last;
        s_port_valid_q <= s_port_valid;
        m_root_ready_q <= m_root_ready;
        m_root_np_ok_q <= m_root_np_ok;
        s_root_data_q <= s_root_data;
        s_root_keep_q <= s_root_keep;
        s_root_last_q <= s_root_last;
        s_root_valid_q <= s_root_valid;
        m_port_ready_q <= m_port_ready;
        m_port_np_ok_q <= m_port_np_ok;
    end

`ifdef TAP
    tap #(.SOURCES(SOURCES)) circuit (
`else
    relay #(.PORTS(PORTS), .WIDTH(WIDTH), .SOURCES(SOURCES), .BUMP(BUMP), .ISOLATION((BUMP == 0) ? 1 : 0)) circuit (
`endif
        .clk(clk),
        .rst(rst_q),
        .bus(bus_q),
        .device(device_q),
        .bus_master(bus_master_q),
        .own_bar_enable(own_bar_enable_q),
        .own_bar_base(own_bar_base_q),
        .bar_enable(bar_enable_q),
        .bar_base(bar_base_q),
        .bar_mask(bar_mask_q),
        .port_up(port_up_q),
        .time_ns(time_ns_q),
        .deadline_there(deadline_there),
        .deadline(deadline),
        .busy(busy),
        .s_port_data(s_port_data_q),
        .s_port_keep(s_port_keep_q),
        .s_port_last(s_port_last_q),
        .s_port_valid(s_port_valid_q),
        .s_port_ready(s_port_ready),
        .s_port_np_ok(s_port_np_ok),
        .m_root_data(m_root_data),
        .m_root_keep(m_root_keep),
        .m_root_last(m_root_last),
        .m_root_bad(m_root_bad),
        .m_root_valid(m_root_valid),
        .m_root_ready(m_root_ready_q),
        .m_root_np_ok(m_root_np_ok_q),
        .s_root_data(s_root_data_q),
        .s_root_keep(s_root_keep_q),
        .s_root_last(s_root_last_q),
        .s_root_valid(s_root_valid_q),
        .s_root_ready(s_root_ready),
        .s_root_np_ok(s_root_np_ok),
        .m_port_data(m_port_data),
        .m_port_keep(m_port_keep),
        .m_port_last(m_port_last),
        .m_port_bad(m_port_bad),
        .m_port_valid(m_port_valid),
        .m_port_ready(m_port_ready_q),
        .m_port_np_ok(m_port_np_ok_q)
    );
endmodule

`default_nettype wire
