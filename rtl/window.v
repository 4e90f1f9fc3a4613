// SPDX-License-Identifier: BSD-2-Clause
//
// DMA windows: what each port's function may ask of memory, and at which address it is asked there.
//
// Looks at each TLP of a port that enters the stream and says what becomes of it: one verdict each, in order, three
// cycles after the beat with its address at the soonest (two at 128 bit: when the TLP comes to the end of the line),
// until v_take. A verdict of the windows speaks of requests; whether a TLP is an interrupt is not known here.
// A TLP is judged by what is set in the cycle of its address and the one after.
// At most four TLPs that have entered wait for v_take: whoever delays them holds no more. Synchronous reset.
`default_nettype none

module window #(
    parameter integer WIDTH = 64
) (
    input  wire             clk,
    input  wire             rst,
    input  wire [7:0]       bus,
    input  wire [4:0]       device,

    input  wire             set,       // a register of 0x500 to 0x7ff is written:
    input  wire [8:0]       set_index, // the 32-bit word
    input  wire [31:0]      set_data,
    output reg  [7:0]       enable_q,  // [k]: port k is checked

    // The stream, without tokens.
    input  wire             beat_take,
    input  wire             beat_first,
    input  wire             beat_last,
    input  wire [WIDTH-1:0] beat_data,
    input  wire [5:0]       beat_class, // of tlp_class
    input  wire [2:0]       beat_port,  // 1 to 7

    output wire             v_valid,
    output wire             v_stop,
    output wire [1:0]       v_reason,
    output wire             v_change, // its address becomes, in bits 51:12,
    output wire [39:0]      v_page,
    output wire             v_four,   // … which needs four header DW
    input  wire             v_take
);
    localparam integer K = WIDTH / 32;
    // As DMA_FAULT.REASON.
    localparam [1:0] OUTSIDE = 2'd0;
    localparam [1:0] REQUESTER = 2'd1;
    localparam [1:0] KIND = 2'd2;

    // ---- what is set --------------------------------------------------------------------------------------

    wire        set_port = set & (set_index[8:6] == 3'b101) & (set_index[2:0] == 3'd0);
    wire        set_window = set & (set_index[8:7] == 2'b11);
    wire [2:0]  set_who = set_window ? set_index[6:4] : set_index[5:3];
    reg  [15:0] open_q; // [8w + k]: window w of port k
    integer i;
    always @(posedge clk) begin
        if (set_port) begin
            enable_q[set_who] <= set_data[0] & (set_who != 3'd0);
        end
        for (i = 0; i < 2; i = i + 1) begin
            if (set_window & (set_index[2:0] == 3'd0) & (set_index[3] == i[0])) begin
                open_q[{i[0], set_who}] <= set_data[0];
            end
        end
        if (rst) begin
            enable_q <= 8'd0;
            open_q <= 16'd0;
        end
    end

    // ---- the TLP, by its first DW -------------------------------------------------------------------------

    wire [31:0] dw0 = beat_data[31:0];
    wire [31:0] dw1 = beat_data[63:32];
    wire        memory = (dw0[28:24] == 5'd0);
    wire        message = (dw0[28:27] == 2'b10);
    wire        to_root = (dw0[26:24] == 3'd0) | (dw0[26:25] == 2'b10); // routed to the root, local, gathered
    wire        plain = (dw0[11:10] == 2'b00) & ~dw0[15];               // no translated address, no digest
    // Completions and INTx messages are none of ours: the latter stay in the relay.
    wire        free_d = beat_class[1] | beat_class[4];
    wire        wrong_d = (dw1[31:16] != {bus, device, beat_port});
    wire        kind_d = ~((memory & plain) | (message & to_root));

    wire        at_address; // the beat has the address, or is the last of a TLP that has none
    wire        is_free, is_wrong, is_kind, is_memory;
    wire [51:0] page;       // address 63:12
    generate
        if (K == 2) begin : narrow
            reg second_q, free_q, wrong_q, kind_q, memory_q, four_q;
            always @(posedge clk) begin
                if (rst) begin
                    second_q <= 1'b0;
                end else if (beat_take) begin
                    second_q <= beat_first & ~beat_last;
                end
                if (beat_take & beat_first) begin
                    free_q <= free_d;
                    wrong_q <= wrong_d;
                    kind_q <= kind_d;
                    memory_q <= memory;
                    four_q <= dw0[29];
                end
            end
            assign at_address = beat_first ? beat_last : second_q;
            assign {is_free, is_wrong, is_kind, is_memory} = {free_q, wrong_q, kind_q, memory_q};
            assign page = four_q ? {beat_data[31:0], beat_data[63:44]} : {32'd0, beat_data[31:12]};
        end else begin : wide
            assign at_address = beat_first;
            assign {is_free, is_wrong, is_kind, is_memory} = {free_d, wrong_d, kind_d, memory};
            assign page = dw0[29] ? {beat_data[95:64], beat_data[127:108]} : {32'd0, beat_data[95:76]};
            wire unused = &{1'b0, beat_last, beat_data[107:96], beat_data[75:64]};
        end
    endgenerate

    // ---- a: page and windows side by side -----------------------------------------------------------------

    reg         a_valid_q;
    reg  [2:0]  a_port_q;
    reg  [51:0] a_page_q;
    reg         a_stop_q; // whatever its address is
    reg  [1:0]  a_reason_q;
    reg         a_memory_q;
    wire        checked = enable_q[beat_port] & ~is_free;
    wire [1:0]  a_in;
    wire [79:0] a_offset;
    always @(posedge clk) begin
        a_port_q <= beat_port;
        a_page_q <= page;
        a_stop_q <= checked & (is_wrong | is_kind);
        a_reason_q <= is_wrong ? REQUESTER : is_kind ? KIND : OUTSIDE;
        a_memory_q <= checked & is_memory & ~is_wrong & ~is_kind;
        a_valid_q <= ~rst & beat_take & at_address;
    end

    genvar g;
    generate
        for (g = 0; g < 2; g = g + 1) begin : side
            localparam [31:0] INDEX = g;
            reg  [19:0] base_lo [0:7];
            reg  [19:0] base_hi [0:7];
            reg  [19:0] bound_lo [0:7];
            reg  [19:0] bound_hi [0:7];
            reg  [19:0] offset_lo [0:7];
            reg  [19:0] offset_hi [0:7];
            wire        at = set_window & (set_index[3] == INDEX[0]);
            reg  [39:0] base_q;
            reg  [39:0] bound_q;
            reg         open;
            integer n;
            initial begin
                for (n = 0; n < 8; n = n + 1) begin
                    {base_lo[n], base_hi[n], bound_lo[n], bound_hi[n], offset_lo[n], offset_hi[n]} = 120'd0;
                end
            end
            always @(posedge clk) begin
                if (at & (set_index[2:0] == 3'd0)) begin
                    base_lo[set_who] <= set_data[31:12];
                end
                if (at & (set_index[2:0] == 3'd1)) begin
                    base_hi[set_who] <= set_data[19:0];
                end
                if (at & (set_index[2:0] == 3'd2)) begin
                    bound_lo[set_who] <= set_data[31:12];
                end
                if (at & (set_index[2:0] == 3'd3)) begin
                    bound_hi[set_who] <= set_data[19:0];
                end
                if (at & (set_index[2:0] == 3'd4)) begin
                    offset_lo[set_who] <= set_data[31:12];
                end
                if (at & (set_index[2:0] == 3'd5)) begin
                    offset_hi[set_who] <= set_data[19:0];
                end
                base_q <= {base_hi[beat_port], base_lo[beat_port]};
                bound_q <= {bound_hi[beat_port], bound_lo[beat_port]};
                open <= open_q[{INDEX[0], beat_port}];
            end
            assign a_in[g] = open & (a_page_q[51:40] == 12'd0) & (a_page_q[39:0] >= base_q) & (a_page_q[39:0] < bound_q);
            assign a_offset[g*40 +: 40] = {offset_hi[a_port_q], offset_lo[a_port_q]};
        end
    endgenerate

    // ---- b: in which window -------------------------------------------------------------------------------

    reg         b_valid_q;
    reg  [39:0] b_page_q;
    reg  [1:0]  b_in_q;
    reg  [79:0] b_offset_q;
    reg         b_stop_q;
    reg  [1:0]  b_reason_q;
    reg         b_memory_q;
    always @(posedge clk) begin
        b_page_q <= a_page_q[39:0];
        b_in_q <= a_in;
        b_offset_q <= a_offset;
        b_stop_q <= a_stop_q;
        b_reason_q <= a_reason_q;
        b_memory_q <= a_memory_q;
        b_valid_q <= ~rst & a_valid_q;
    end

    // ---- the verdicts that wait ---------------------------------------------------------------------------

    wire        b_hit = (b_in_q != 2'b00);
    wire [39:0] b_sum = b_page_q + (b_in_q[0] ? b_offset_q[39:0] : b_offset_q[79:40]);
    wire        b_stop = b_stop_q | (b_memory_q & ~b_hit);
    reg  [44:0] mem [0:3];
    reg  [1:0]  wptr_q;
    reg  [1:0]  rptr_q;
    reg  [2:0]  count_q;
    assign v_valid = (count_q != 3'd0);
    assign {v_stop, v_reason, v_change, v_four, v_page} = mem[rptr_q];
    always @(posedge clk) begin
        if (b_valid_q) begin
            mem[wptr_q] <= {b_stop, b_reason_q, b_memory_q & b_hit, b_sum[39:20] != 20'd0, b_sum};
        end
        if (rst) begin
            wptr_q <= 2'd0;
            rptr_q <= 2'd0;
            count_q <= 3'd0;
        end else begin
            wptr_q <= wptr_q + {1'b0, b_valid_q};
            rptr_q <= rptr_q + {1'b0, v_take};
            count_q <= count_q + {2'd0, b_valid_q} - {2'd0, v_take};
        end
    end

    wire unused = &{1'b0, beat_class[5], beat_class[3:2], beat_class[0], set_data[11:1], dw0[31:30], dw0[23:16], dw0[14:12],
                    dw0[9:0], dw1[15:0]};
endmodule

`default_nettype wire
