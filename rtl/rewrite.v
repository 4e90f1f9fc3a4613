// SPDX-License-Identifier: BSD-2-Clause
//
// MSI rewrite: for each source the message that leaves in place of its own.
//
// The record's answer (hit, address, data) is combinational. The answer for the source whose message is sent from the
// table comes one cycle after send_index; the same way serves software's reads while send_busy is low.
// Synchronous reset.
`default_nettype none

module rewrite #(
    parameter integer SOURCES = 32
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [SOURCES-1:0] used, // entries in use; a rewrite ends with its entry

    input  wire               set_address, // SRC_MSG_ADDR of set_index is written
    input  wire               set_data,    // SRC_MSG_DATA
    input  wire [6:0]         set_index,
    input  wire [31:0]        set_value,
    output wire [31:0]        address_value, // what software reads of set_index
    output wire [31:0]        data_value,

    input  wire [SOURCES-1:0] match, // the record's entry
    input  wire [6:0]         index,
    output wire               hit,
    output wire [29:0]        address, // 31:2
    output wire [31:0]        data,    // as on the wire

    input  wire               send_busy,
    input  wire [6:0]         send_index,
    output reg                send_hit_q,
    output wire [29:0]        send_address,
    output wire [31:0]        send_data,

    output reg                any_q // a source is rewritten
);
    localparam integer BITS = (SOURCES > 1) ? $clog2(SOURCES) : 1;

    function [31:0] swap(input [31:0] dw);
        swap = {dw[7:0], dw[15:8], dw[23:16], dw[31:24]};
    endfunction

    reg  [31:0]        data_q; // waits for its address
    reg  [SOURCES-1:0] on_q;
    reg  [61:0]        rows [0:(1<<BITS)-1];
    reg  [61:0]        row_q;
    wire [6:0]         look = send_busy ? send_index : set_index;
    wire [127:0]       on_all = {{(128 - SOURCES){1'b0}}, on_q};

    assign hit = ((match & on_q) != {SOURCES{1'b0}});
    assign {address, data} = rows[index[BITS-1:0]];
    assign {send_address, send_data} = row_q;
    assign address_value = send_hit_q ? {row_q[61:32], 2'b01} : 32'd0;
    assign data_value = send_hit_q ? swap(row_q[31:0]) : 32'd0;

    integer i;
    initial begin
        for (i = 0; i < (1 << BITS); i = i + 1) begin
            rows[i] = 62'd0;
        end
    end
    always @(posedge clk) begin
        if (set_data) begin
            data_q <= swap(set_value);
        end
        if (set_address) begin
            rows[set_index[BITS-1:0]] <= {set_value[31:2], data_q};
        end
        row_q <= rows[look[BITS-1:0]];
        send_hit_q <= on_all[look];
        on_q <= on_q & used;
        if (set_address) begin
            for (i = 0; i < SOURCES; i = i + 1) begin
                if (set_index == i[6:0]) begin
                    on_q[i] <= set_value[0] & used[i];
                end
            end
        end
        any_q <= (on_q != {SOURCES{1'b0}});
        if (rst) begin
            on_q <= {SOURCES{1'b0}};
            any_q <= 1'b0;
        end
    end

    wire unused = &{1'b0, index, set_value[1]};
endmodule

`default_nettype wire
