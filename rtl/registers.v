// SPDX-License-Identifier: BSD-2-Clause
//
// BAR 0: decodes one access at a time. Reads have no side effect. Synchronous reset.
`default_nettype none
`include "relay_regs.vh"

module registers #(
    parameter integer PORTS = 4,
    parameter integer WIDTH = 64,
    parameter integer SOURCES = 32,
    parameter integer BUMP = 0,
    parameter [31:0]  BUILD = 32'd0,
    parameter integer CLOCK_KHZ = 0
) (
    input  wire             clk,
    input  wire             rst,
    input  wire [63:0]      time_ns,
    input  wire [7:0]       bus,
    input  wire [4:0]       device,
    input  wire             bus_master,
    input  wire [PORTS-1:0] up,

    input  wire             valid,
    input  wire             write,
    input  wire [13:0]      index,
    input  wire [31:0]      wdata,
    output wire             done,
    output wire             refused,
    output reg  [31:0]      rdata
);
    localparam [31:0] PORTS_BITS = PORTS;
    localparam [31:0] DW_BITS = WIDTH / 32;
    localparam [31:0] SOURCES_BITS = SOURCES;
    localparam [31:0] CLOCK_BITS = CLOCK_KHZ;
    localparam [31:0] SHAPE = {12'd0, SOURCES_BITS[7:0], DW_BITS[7:0], PORTS_BITS[3:0]};
    localparam [31:0] CAPS = (32'd1 << `RELAY_CAPS_TAP_LOW) |
                             ((BUMP != 0) ? (32'd1 << `RELAY_CAPS_BUMP_LOW) : 32'd0);

    wire [31:0] offset = {16'd0, index, 2'b00};
    reg  [31:0] scratch_q;
    reg         wait_q; // read data are ready one cycle after the access begins

    wire [2:0]  port = index[5:3];
    wire [7:0]  up_all = {{(7 - PORTS){1'b0}}, up, 1'b1};
    reg  [31:0] value;
    always @* begin
        value = 32'd0;
        if (offset[15:8] == 8'h04) begin
            if ({29'd0, port} <= PORTS_BITS) begin
                if (offset[4:0] == 5'h00) begin
                    value = {31'd0, up_all[port]};
                end
                if (offset[4:0] == 5'h04) begin
                    value = {16'd0, bus, device, port};
                end
            end
        end else begin
            case (offset)
                `RELAY_ID: value = `RELAY_ID_RESET;
                `RELAY_VERSION: value = `RELAY_VERSION_RESET;
                `RELAY_CAPS: value = CAPS;
                `RELAY_SHAPE: value = SHAPE;
                `RELAY_BUILD: value = BUILD;
                `RELAY_CLOCK_KHZ: value = CLOCK_BITS;
                `RELAY_STATUS: value = {29'd0, bus_master, 2'd0};
                `RELAY_SCRATCH: value = scratch_q;
                `RELAY_TIME_LO: value = time_ns[31:0];
                `RELAY_TIME_HI: value = time_ns[63:32];
                `RELAY_BDF: value = {16'd0, bus, device, 3'd0};
                default: value = 32'd0;
            endcase
        end
    end

    assign done = wait_q;
    assign refused = 1'b0;
    always @(posedge clk) begin
        rdata <= value;
        if (rst) begin
            wait_q <= 1'b0;
            scratch_q <= 32'd0;
        end else begin
            wait_q <= valid & ~wait_q;
            if (wait_q & write & (offset == `RELAY_SCRATCH)) begin
                scratch_q <= wdata;
            end
        end
    end
endmodule

`default_nettype wire
