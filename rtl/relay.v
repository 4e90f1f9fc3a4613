// SPDX-License-Identifier: BSD-2-Clause
//
// The relay: N downstream ports, one upstream port, and the record of who asked for an interrupt.
//
// Streams carry raw TLPs, DW0 in the low lane, bits in specification order; keep has one bit per DW. `bad`
// on a last beat tells the receiver to drop the TLP (as a link does with EDB, and a hard block with its
// "source discontinue").
// np_ok inputs: a non-posted TLP is begun only while it is high; after it falls the receiver still takes
// what is offered already. np_ok outputs: after it falls the sender may still send what it has begun.
// Time is counted by whoever instantiates the relay. Synchronous reset, active high.
`default_nettype none

module relay #(
    parameter integer PORTS = 4,    // 1 to 7
    parameter integer WIDTH = 64,   // 64 or 128
    parameter integer SOURCES = 32, // 1 to 128
    parameter integer BUMP = 0,     // 1: one port between two links, INTx messages forwarded unchanged
    parameter [31:0]  BUILD = 32'd0,
    parameter integer CLOCK_KHZ = 0
) (
    input  wire                      clk,
    input  wire                      rst,

    // What configuration decides, outside.
    input  wire [7:0]                bus,
    input  wire [4:0]                device,
    input  wire                      bus_master,
    input  wire                      own_bar_enable,
    input  wire [63:0]               own_bar_base,
    input  wire [PORTS*2-1:0]        bar_enable, // two memory BARs a port
    input  wire [PORTS*128-1:0]      bar_base,
    input  wire [PORTS*128-1:0]      bar_mask,
    input  wire [PORTS-1:0]          port_up,    // low: the link is down or in reset

    input  wire [63:0]               time_ns,

    // From the ports, towards the root.
    input  wire [PORTS*WIDTH-1:0]    s_port_data,
    input  wire [PORTS*WIDTH/32-1:0] s_port_keep,
    input  wire [PORTS-1:0]          s_port_last,
    input  wire [PORTS-1:0]          s_port_valid,
    output wire [PORTS-1:0]          s_port_ready,
    output wire                      s_port_np_ok,
    output wire [WIDTH-1:0]          m_root_data,
    output wire [WIDTH/32-1:0]       m_root_keep,
    output wire                      m_root_last,
    output wire                      m_root_bad,
    output wire                      m_root_valid,
    input  wire                      m_root_ready,
    input  wire                      m_root_np_ok,

    // From the root, towards the ports.
    input  wire [WIDTH-1:0]          s_root_data,
    input  wire [WIDTH/32-1:0]       s_root_keep,
    input  wire                      s_root_last,
    input  wire                      s_root_valid,
    output wire                      s_root_ready,
    output wire                      s_root_np_ok,
    output wire [PORTS*WIDTH-1:0]    m_port_data,
    output wire [PORTS*WIDTH/32-1:0] m_port_keep,
    output wire [PORTS-1:0]          m_port_last,
    output wire [PORTS-1:0]          m_port_bad,
    output wire [PORTS-1:0]          m_port_valid,
    input  wire [PORTS-1:0]          m_port_ready,
    input  wire [PORTS-1:0]          m_port_np_ok
);
    generate
        if (PORTS < 1 || PORTS > 7) begin : check_ports
            $fatal(1, "relay: PORTS is 1 to 7");
        end
        if (WIDTH != 64 && WIDTH != 128) begin : check_width
            $fatal(1, "relay: WIDTH is 64 or 128");
        end
        if (SOURCES < 1 || SOURCES > 128) begin : check_sources
            $fatal(1, "relay: SOURCES is 1 to 128");
        end
        if (BUMP != 0 && PORTS != 1) begin : check_bump
            $fatal(1, "relay: a bump has one port");
        end
    endgenerate

    // No path leads from an input to an output within a cycle.
    reg  [PORTS-1:0] up_q;
    reg  [PORTS-1:0] port_np_ok_q;
    reg              root_np_ok_q;
    always @(posedge clk) begin
        up_q <= port_up;
        port_np_ok_q <= m_port_np_ok;
        root_np_ok_q <= m_root_np_ok;
        if (rst) begin
            up_q <= {PORTS{1'b0}};
        end
    end

    wire [WIDTH-1:0] l_data;
    wire             l_last, l_bad, l_refuse, l_first, l_nonposted, l_valid, l_ready, l_np_ok;
    wire             dn_posted, dn_nonposted, dn_completion, dn_malformed, dn_refused, dn_unrouted;
    wire             dn_unexpected, dn_down;
    downstream #(.WIDTH(WIDTH), .PORTS(PORTS), .BUMP(BUMP)) from_root (
        .clk(clk), .rst(rst),
        .s_data(s_root_data), .s_keep(s_root_keep), .s_last(s_root_last), .s_valid(s_root_valid),
        .s_ready(s_root_ready), .s_np_ok(s_root_np_ok),
        .m_data(m_port_data), .m_keep(m_port_keep), .m_last(m_port_last), .m_bad(m_port_bad),
        .m_valid(m_port_valid), .m_ready(m_port_ready), .m_np_ok(port_np_ok_q),
        .l_data(l_data), .l_last(l_last), .l_bad(l_bad), .l_refuse(l_refuse), .l_first(l_first),
        .l_nonposted(l_nonposted), .l_valid(l_valid), .l_ready(l_ready), .l_np_ok(l_np_ok),
        .bus(bus), .device(device), .up(up_q), .own_bar_enable(own_bar_enable),
        .own_bar_base(own_bar_base), .bar_enable(bar_enable), .bar_base(bar_base), .bar_mask(bar_mask),
        .count_posted(dn_posted), .count_nonposted(dn_nonposted), .count_completion(dn_completion),
        .count_malformed(dn_malformed), .count_refused(dn_refused), .count_unrouted(dn_unrouted),
        .count_unexpected(dn_unexpected), .count_down(dn_down)
    );

    wire        reg_valid, reg_write, reg_done, reg_refused;
    wire [13:0] reg_index;
    wire [31:0] reg_wdata, reg_rdata;
    wire        cpl_valid, cpl_has_data, cpl_taken, count_reg_refused;
    wire [31:0] cpl_dw0, cpl_dw1, cpl_dw2, cpl_dw3;
    completer #(.WIDTH(WIDTH)) answers (
        .clk(clk), .rst(rst), .bus(bus), .device(device),
        .l_data(l_data), .l_last(l_last), .l_bad(l_bad), .l_refuse(l_refuse), .l_first(l_first),
        .l_nonposted(l_nonposted), .l_valid(l_valid), .l_ready(l_ready), .l_np_ok(l_np_ok),
        .reg_valid_q(reg_valid), .reg_write_q(reg_write), .reg_index(reg_index), .reg_wdata(reg_wdata),
        .reg_done(reg_done), .reg_refused(reg_refused), .reg_rdata(reg_rdata),
        .cpl_valid_q(cpl_valid), .cpl_dw0(cpl_dw0), .cpl_dw1(cpl_dw1), .cpl_dw2(cpl_dw2),
        .cpl_dw3(cpl_dw3), .cpl_has_data(cpl_has_data), .cpl_taken(cpl_taken),
        .count_refused(count_reg_refused)
    );

    registers #(
        .PORTS(PORTS), .WIDTH(WIDTH), .SOURCES(SOURCES), .BUMP(BUMP), .BUILD(BUILD), .CLOCK_KHZ(CLOCK_KHZ)
    ) regs (
        .clk(clk), .rst(rst), .time_ns(time_ns), .bus(bus), .device(device), .bus_master(bus_master),
        .up(up_q), .valid(reg_valid), .write(reg_write), .index(reg_index), .wdata(reg_wdata),
        .done(reg_done), .refused(reg_refused), .rdata(reg_rdata)
    );

    wire up_posted, up_nonposted, up_completion, up_malformed;
    wire [PORTS-1:0] up_down;
    upstream #(.WIDTH(WIDTH), .PORTS(PORTS)) to_root (
        .clk(clk), .rst(rst), .up(up_q),
        .s_data(s_port_data), .s_keep(s_port_keep), .s_last(s_port_last), .s_valid(s_port_valid),
        .s_ready(s_port_ready), .s_np_ok(s_port_np_ok),
        .m_data(m_root_data), .m_keep(m_root_keep), .m_last(m_root_last), .m_bad(m_root_bad),
        .m_valid(m_root_valid), .m_ready(m_root_ready), .m_np_ok(root_np_ok_q),
        .cpl_valid(cpl_valid), .cpl_dw0(cpl_dw0), .cpl_dw1(cpl_dw1), .cpl_dw2(cpl_dw2), .cpl_dw3(cpl_dw3),
        .cpl_taken(cpl_taken),
        .count_posted(up_posted), .count_nonposted(up_nonposted), .count_completion(up_completion),
        .count_malformed(up_malformed), .count_down(up_down)
    );

    wire unused = &{1'b0, dn_posted, dn_nonposted, dn_completion, dn_malformed, dn_refused, dn_unrouted,
                    dn_unexpected, dn_down, up_posted, up_nonposted, up_completion, up_malformed, up_down,
                    cpl_has_data, count_reg_refused};
endmodule

`default_nettype wire
