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
        // What is decided may leave later: behind its event. A row stays as it was when its rewrite is taken back.
        if (set_address & set_value[0]) begin
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

`ifdef FORMAL
    // ---- proof --------------------------------------------------------------------------------------------

    reg f_begun = 1'b0;
    always @(posedge clk) begin
        f_begun <= 1'b1;
    end
    always @* begin
        if (~f_begun) begin
            assume (rst & ~set_address & ~set_data);
        end
        assume ((match & (match - 1'b1)) == {SOURCES{1'b0}}); // one entry, the one that index names
        assume ((match == {SOURCES{1'b0}}) | match[index[BITS-1:0]]);
        assume (index[BITS-1:0] < SOURCES);
    end

    // Any source, and what software has said of it.
    (* anyconst *) wire [6:0] f_who;
    reg         f_on;
    reg  [61:0] f_row; // as asked for last
    reg  [31:0] f_data; // as written last, to any
    reg         f_sent_q; // it was looked at a cycle ago
    reg  [62:0] f_was_q;
    wire        f_here = (f_who < SOURCES);
    always @(posedge clk) begin
        if (~f_begun) begin
            f_data <= {data_q[7:0], data_q[15:8], data_q[23:16], data_q[31:24]};
            f_row <= rows[f_who[BITS-1:0]];
        end else begin
            if (set_data) begin
                f_data <= set_value;
            end
            if (set_address & set_value[0] & (set_index[BITS-1:0] == f_who[BITS-1:0])) begin
                f_row <= {set_value[31:2], f_data[7:0], f_data[15:8], f_data[23:16], f_data[31:24]};
            end
        end
        if (rst | (f_here & ~used[f_who[BITS-1:0]])) begin
            f_on <= 1'b0;
        end else if (set_address & (set_index == f_who)) begin
            f_on <= set_value[0];
        end
        f_sent_q <= f_begun & ((send_busy ? send_index : set_index) == f_who);
        f_was_q <= {f_on & f_here, f_row};
    end
    always @* begin
        if (f_begun) begin
            assume (~(set_address & set_data));
            assume (~set_address | (set_index < SOURCES));
        end
    end

    always @(posedge clk) begin
        if (f_begun) begin
            // Software's reads are of set_index; the table's of send_index.
            assert (f_row == rows[f_who[BITS-1:0]] | ~f_here);
            assert (~f_here | (on_q[f_who[BITS-1:0]] == f_on));
            assert (f_data == {data_q[7:0], data_q[15:8], data_q[23:16], data_q[31:24]});
            if (f_sent_q & f_here) begin
                assert (send_hit_q == f_was_q[62]);
                assert ({send_address, send_data} == f_was_q[61:0]);
                assert (address_value == (f_was_q[62] ? {f_was_q[61:32], 2'b01} : 32'd0));
                assert (data_value == (f_was_q[62] ? {f_was_q[7:0], f_was_q[15:8], f_was_q[23:16], f_was_q[31:24]} : 32'd0));
            end
        end
        if (f_begun & ~rst & f_here) begin
            // A source's message is replaced exactly while software wants it, and by what software said of this source.
            if (match[f_who[BITS-1:0]]) begin
                assert (hit == f_on);
                assert (~hit | ({address, data} == f_row));
            end
            // Nobody's is not.
            assert (~hit | (match != {SOURCES{1'b0}}));
            cover (match[f_who[BITS-1:0]] & hit & (address != 30'd0));
            cover (f_sent_q & send_hit_q);
            cover (~f_on & $past(f_on));
        end
    end
`endif
endmodule

`default_nettype wire
