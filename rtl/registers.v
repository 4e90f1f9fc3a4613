// SPDX-License-Identifier: BSD-2-Clause
//
// BAR 0: takes one access at a time, does what it asks or hands it on (counters, keeper), and refuses what it
// does not know. Reads have no side effect. What software can read and write is read back out of one memory,
// as it was written.
//
// valid stays until done. Synchronous reset; for 256 cycles after it (512 with windows) nothing is answered.
`default_nettype none
`include "relay_regs.vh"

module registers #(
    parameter integer PORTS = 4,
    parameter integer SOURCES = 32,
    parameter integer COUNTERS = 29, // that count; the others of the map read 0
    parameter [31:0]  CAPS = 32'd0,
    parameter [31:0]  SHAPE = 32'd0,
    parameter [31:0]  BUILD = 32'd0,
    parameter [31:0]  CLOCK_KHZ = 32'd0
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [63:0]        time_ns,
    input  wire [7:0]         bus,
    input  wire [4:0]         device,
    input  wire               bus_master,

    input  wire               valid,
    input  wire               write,
    input  wire [13:0]        index,
    input  wire [31:0]        wdata,
    output wire               done,
    output wire               refused,
    output reg  [31:0]        rdata,

    // What software sets.
    output reg                indicator_first_q,
    output reg                learn_q,
    output reg                trace_interrupts_q,
    output reg                trace_tlps_q,
    output wire [127:0]       window_base,
    output wire [127:0]       window_mask,
    output wire [1:0]         window_enable,
    output reg  [31:0]        trace_tail_q,
    output reg  [63:0]        ring_base_q,
    output reg  [63:0]        ring_status_q,
    output reg                ring_enable_q,
    output reg  [3:0]         ring_log2_q,
    output reg  [31:0]        ring_tail_q,
    output reg  [31:0]        edge_ns_q,
    output reg  [31:0]        on_ns_q,
    output reg  [31:0]        off_ns_q,
    output reg  [2:0]         learn_act_q,
    output reg                clear_counters_q,
    output reg                clear_trace_q,

    // What it sees.
    input  wire               table_full,
    input  wire               ring_busy,   // a ring register must not change now
    input  wire               ring_behind,
    input  wire [SOURCES-1:0] pending,
    input  wire [PORTS*4-1:0] wires,
    input  wire [3:0]         told,
    input  wire [PORTS-1:0]   open,
    input  wire [31:0]        trace_head,
    input  wire [31:0]        ring_head,
    input  wire [31:0]        ring_missed,

    output wire               counter_read,
    input  wire               counter_done,
    input  wire [31:0]        counter_value,

    input  wire [31:0]        trace_value, // of the word index, one cycle later

    output wire               guard_set,   // the word index of 0x500 to 0x7ff is written
    output wire               fault_clear,
    input  wire [31:0]        fault_value, // of the word index, one cycle later
    output wire               message_address_set, // of source message_index
    output wire               message_data_set,
    output wire [6:0]         message_index,
    input  wire               message_busy, // its words cannot be read now
    input  wire [31:0]        message_address, // one cycle later
    input  wire [31:0]        message_data,

    output wire               k_valid,
    output reg  [2:0]         k_kind,
    output reg  [6:0]         k_index,
    output reg  [3:0]         k_word,
    input  wire               k_done,
    input  wire               k_refused,
    input  wire [31:0]        k_rdata
);
    localparam [31:0] PORTS_BITS = PORTS;
    localparam [31:0] COUNTERS_BITS = COUNTERS;
    wire [31:0] offset = {16'd0, index, 2'b00};

    // ---- who answers ------------------------------------------------------------------------------------

    wire page0 = (index[13:10] == 4'd0);
    wire in_sources = (index[13:10] == 4'd1) | (index[13:10] == 4'd2);
    wire in_trace = (index[13:11] == 3'b100) & CAPS[`RELAY_CAPS_TRACE_LOW];
    wire in_ports = page0 & (index[9:6] == 4'b0100);
    wire in_counters = page0 & (index[9:5] == 5'b00100);
    wire in_windows = page0 & (index[9:3] == 7'b0001000);
    wire in_guard = page0 & (index[9:8] == 2'b01) & (index[7:6] != 2'b00) & CAPS[`RELAY_CAPS_DMA_WINDOWS_LOW];
    wire guard_window = in_guard & index[7] & (index[2:1] != 2'd3);
    wire guard_port = in_guard & ~index[7];
    wire in_fault = guard_port & (index[2:0] >= 3'd1) & (index[2:0] <= 3'd5);
    wire in_message = in_sources & (index[3:1] == 3'b111) & CAPS[`RELAY_CAPS_MSI_REWRITE_LOW];
    wire in_unlisted = page0 & (index[9:2] == 8'd7);
    wire is_inject = (offset == `RELAY_INJECT);
    wire is_rearm = (offset == `RELAY_REARM);
    wire is_command = (offset == `RELAY_COMMAND);
    wire forget = is_command & wdata[`RELAY_COMMAND_FORGET_LOW] & write;
    wire for_keeper = (in_sources & (index[3:0] <= 4'd13)) | (in_unlisted & ~write) |
                     ((is_inject | is_rearm) & write & CAPS[`RELAY_CAPS_INJECT_LOW]) | forget;
    wire for_counters = in_counters & ~write & ({27'd0, index[4:0]} < COUNTERS_BITS);

    // ---- read and written ---------------------------------------------------------------------------------

    reg         rw; // kept in the memory
    reg         ro;
    reg         wo;
    always @* begin
        rw = in_windows | guard_window | (guard_port & (index[2:0] == 3'd0));
        ro = in_ports | in_counters | in_trace | in_fault | in_message;
        wo = is_command | is_inject | is_rearm | (guard_port & (index[2:0] == 3'd6));
        case (offset)
            `RELAY_CTRL, `RELAY_SCRATCH, `RELAY_TRACE_TAIL, `RELAY_RING_BASE_LO, `RELAY_RING_BASE_HI,
            `RELAY_RING_STATUS_LO, `RELAY_RING_STATUS_HI, `RELAY_RING_CTRL, `RELAY_RING_TAIL,
            `RELAY_LIMIT_EDGE_NS, `RELAY_LIMIT_ON_NS, `RELAY_LIMIT_OFF_NS: rw = 1'b1;
            `RELAY_LEARN_ACT: rw = CAPS[`RELAY_CAPS_LEARN_ACT_LOW];
            `RELAY_ID, `RELAY_VERSION, `RELAY_CAPS, `RELAY_SHAPE, `RELAY_BUILD, `RELAY_CLOCK_KHZ,
            `RELAY_STATUS, `RELAY_TIME_LO, `RELAY_TIME_HI, `RELAY_BDF, `RELAY_PENDING,
            `RELAY_PENDING + 32'h4, `RELAY_PENDING + 32'h8, `RELAY_PENDING + 32'hc, `RELAY_WIRES_IN,
            `RELAY_WIRES_UP, `RELAY_TRACE_HEAD, `RELAY_RING_HEAD, `RELAY_RING_MISSED: ro = 1'b1;
            default: begin
            end
        endcase
    end

    localparam integer MEM = CAPS[`RELAY_CAPS_DMA_WINDOWS_LOW] ? 9 : 8; // address bits
    reg  [31:0] mem [0:(1<<MEM)-1];
    reg  [31:0] mem_read;
    reg  [MEM-1:0] init_q;
    reg         init_busy_q;
    reg  [31:0] init_value;
    wire [31:0] init_offset = {{(30 - MEM){1'b0}}, init_q, 2'b00};
    always @* begin
        case (init_offset)
            `RELAY_CTRL: init_value = `RELAY_CTRL_RESET;
            `RELAY_WINDOW_BASE_LO: init_value = `RELAY_WINDOW_BASE_LO_RESET;
            `RELAY_WINDOW_MASK_LO: init_value = `RELAY_WINDOW_MASK_LO_RESET;
            `RELAY_WINDOW_MASK_HI, `RELAY_WINDOW_MASK_HI + `RELAY_WINDOW_MASK_HI_STRIDE:
                init_value = `RELAY_WINDOW_MASK_HI_RESET;
            `RELAY_LIMIT_EDGE_NS: init_value = `RELAY_LIMIT_EDGE_NS_RESET;
            `RELAY_LIMIT_ON_NS: init_value = `RELAY_LIMIT_ON_NS_RESET;
            `RELAY_LIMIT_OFF_NS: init_value = `RELAY_LIMIT_OFF_NS_RESET;
            default: init_value = 32'd0;
        endcase
    end

    // Known from the second cycle of an access on: asked_q.
    reg  asked_q;
    reg  to_keeper, to_counters, reads_trace, reads_fault, reads_message, reads_memory, may_write, may_read, commands;
    always @(posedge clk) begin
        asked_q <= valid & ~done & ~rst;
        to_keeper <= for_keeper;
        to_counters <= for_counters;
        reads_trace <= in_trace;
        reads_fault <= in_fault;
        reads_message <= in_message;
        reads_memory <= rw;
        may_write <= rw | wo | (in_message & message_exists);
        may_read <= rw | ro | wo;
        commands <= is_command;
        k_kind <= in_sources | in_unlisted ? 3'd0 : is_inject ? 3'd1 : is_rearm ? 3'd2 : 3'd3;
        k_index <= in_sources ? {index[11], index[9:4]} : in_unlisted ? 7'd127 : wdata[6:0];
        k_word <= in_sources ? index[3:0] : {2'b00, index[1:0]};
    end

    // An access: look (state_q 0), then answer (state_q 1) or wait for who answers.
    reg  state_q;
    wire wait_ring = write & page0 & (index[9:4] == 6'b001101) & ring_busy;
    wire wait_message = in_message & message_busy;
    wire start = asked_q & ~state_q & ~init_busy_q & ~to_keeper & ~to_counters & ~wait_ring & ~wait_message;
    wire put = start & write & reads_memory;
    wire put_command = asked_q & write & commands & (forget ? k_done : state_q);
    wire [MEM-1:0] mem_index = init_busy_q ? init_q : index[MEM-1:0];
    localparam [31:0] SOURCES_BITS = SOURCES;
    wire message_exists = ({25'd0, message_index} < SOURCES_BITS);
    wire put_message = start & write & in_message & message_exists;
    assign guard_set = put & in_guard;
    assign fault_clear = start & write & guard_port & (index[2:0] == 3'd6) & wdata[`RELAY_DMA_CLEAR_FAULT_LOW];
    assign message_index = {index[11], index[9:4]};
    assign message_address_set = put_message & ~index[0];
    assign message_data_set = put_message & index[0];
    always @(posedge clk) begin
        if (init_busy_q | put) begin
            mem[mem_index] <= init_busy_q ? init_value : wdata;
        end
        mem_read <= (init_busy_q | put) ? 32'bx : mem[index[MEM-1:0]];
    end

    assign k_valid = asked_q & to_keeper & ~init_busy_q;
    assign counter_read = asked_q & to_counters & ~init_busy_q;
    assign done = state_q | (k_valid & k_done) | (counter_read & counter_done);
    reg  refused_q;
    assign refused = (state_q & refused_q) | (k_valid & k_done & k_refused);

    // ---- what is read -------------------------------------------------------------------------------------

    wire [2:0]  port = index[5:3];
    wire [7:0]  open_all = {{(7 - PORTS){1'b0}}, open, 1'b1};
    wire [31:0] wires_all = {{(28 - PORTS * 4){1'b0}}, wires, 4'd0};
    wire [127:0] pending_all = {{(128 - SOURCES){1'b0}}, pending};
    reg  [31:0] value;
    always @* begin
        value = 32'd0;
        if (in_ports) begin
            if ({29'd0, port} <= PORTS_BITS) begin
                if (index[2:0] == 3'd0) begin
                    value = {20'd0, wires_all[{port, 2'b00} +: 4], 7'd0, open_all[port]};
                end
                if (index[2:0] == 3'd1) begin
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
                `RELAY_CLOCK_KHZ: value = CLOCK_KHZ;
                `RELAY_STATUS: value = {29'd0, bus_master, ring_behind, table_full};
                `RELAY_TIME_LO: value = time_ns[31:0];
                `RELAY_TIME_HI: value = time_ns[63:32];
                `RELAY_BDF: value = {16'd0, bus, device, 3'd0};
                `RELAY_PENDING: value = pending_all[31:0];
                `RELAY_PENDING + 32'h4: value = pending_all[63:32];
                `RELAY_PENDING + 32'h8: value = pending_all[95:64];
                `RELAY_PENDING + 32'hc: value = pending_all[127:96];
                `RELAY_WIRES_IN: value = {4'd0, wires_all[31:4]};
                `RELAY_WIRES_UP: value = {28'd0, told};
                `RELAY_TRACE_HEAD: value = trace_head;
                `RELAY_RING_HEAD: value = ring_head;
                `RELAY_RING_MISSED: value = ring_missed;
                default: value = 32'd0;
            endcase
        end
    end
    reg  [31:0] value_q;
    always @* begin
        if (k_valid) begin
            rdata = k_rdata;
        end else if (counter_read) begin
            rdata = counter_value;
        end else if (reads_trace) begin
            rdata = trace_value;
        end else if (reads_fault) begin
            rdata = fault_value;
        end else if (reads_message) begin
            rdata = ~message_exists ? 32'd0 : index[0] ? message_data : message_address;
        end else if (reads_memory) begin
            rdata = mem_read;
        end else begin
            rdata = value_q;
        end
    end

    // ---- what is set --------------------------------------------------------------------------------------

    genvar g;
    generate
        for (g = 0; g < 2; g = g + 1) begin : window
            localparam [31:0] BASE_LO = (g == 0) ? `RELAY_WINDOW_BASE_LO_RESET : 32'd0;
            localparam [31:0] MASK_LO = (g == 0) ? `RELAY_WINDOW_MASK_LO_RESET : 32'd0;
            localparam [31:0] INDEX = g;
            wire       at = put & in_windows & (index[2] == INDEX[0]);
            reg [63:0] base;
            reg [63:0] mask;
            assign window_base[g*64 +: 64] = base;
            assign window_mask[g*64 +: 64] = mask;
            assign window_enable[g] = base[0];
            always @(posedge clk) begin
                if (rst) begin
                    base <= {32'd0, BASE_LO};
                    mask <= {`RELAY_WINDOW_MASK_HI_RESET, MASK_LO};
                end else if (at) begin
                    case (index[1:0])
                        2'd0: base[31:0] <= wdata;
                        2'd1: base[63:32] <= wdata;
                        2'd2: mask[31:0] <= wdata;
                        default: mask[63:32] <= wdata;
                    endcase
                end
            end
        end
    endgenerate
    always @(posedge clk) begin
        value_q <= value;
        refused_q <= ~(write ? may_write : may_read);
        clear_counters_q <= put_command & wdata[`RELAY_COMMAND_CLEAR_COUNTERS_LOW];
        clear_trace_q <= put_command & wdata[`RELAY_COMMAND_CLEAR_TRACE_LOW];
        if (put) begin
            case (offset)
                `RELAY_CTRL: {trace_tlps_q, trace_interrupts_q, learn_q, indicator_first_q} <= wdata[3:0];
                `RELAY_TRACE_TAIL: trace_tail_q <= wdata;
                `RELAY_RING_BASE_LO: ring_base_q[31:0] <= wdata;
                `RELAY_RING_BASE_HI: ring_base_q[63:32] <= wdata;
                `RELAY_RING_STATUS_LO: ring_status_q[31:0] <= wdata;
                `RELAY_RING_STATUS_HI: ring_status_q[63:32] <= wdata;
                `RELAY_RING_CTRL: begin
                    ring_enable_q <= wdata[`RELAY_RING_CTRL_ENABLE_LOW];
                    ring_log2_q <= wdata[`RELAY_RING_CTRL_LOG2_HIGH:`RELAY_RING_CTRL_LOG2_LOW];
                end
                `RELAY_RING_TAIL: ring_tail_q <= wdata;
                `RELAY_LIMIT_EDGE_NS: edge_ns_q <= wdata;
                `RELAY_LIMIT_ON_NS: on_ns_q <= wdata;
                `RELAY_LIMIT_OFF_NS: off_ns_q <= wdata;
                `RELAY_LEARN_ACT: learn_act_q <= wdata[2:0];
                default: begin
                end
            endcase
        end
        if (put_command & wdata[`RELAY_COMMAND_CLEAR_TRACE_LOW]) begin
            trace_tail_q <= 32'd0;
        end
        if (rst) begin
            init_q <= {MEM{1'b0}};
            init_busy_q <= 1'b1;
            state_q <= 1'b0;
            {trace_tlps_q, trace_interrupts_q, learn_q, indicator_first_q} <= 4'h3;
            trace_tail_q <= 32'd0;
            ring_base_q <= 64'd0;
            ring_status_q <= 64'd0;
            ring_enable_q <= 1'b0;
            ring_log2_q <= 4'd0;
            ring_tail_q <= 32'd0;
            edge_ns_q <= `RELAY_LIMIT_EDGE_NS_RESET;
            on_ns_q <= `RELAY_LIMIT_ON_NS_RESET;
            off_ns_q <= `RELAY_LIMIT_OFF_NS_RESET;
            learn_act_q <= 3'd0;
        end else begin
            init_q <= init_q + {{(MEM - 1){1'b0}}, 1'b1};
            init_busy_q <= init_busy_q & (init_q != {MEM{1'b1}});
            state_q <= start;
        end
    end
endmodule

`default_nettype wire
