// SPDX-License-Identifier: BSD-2-Clause
//
// For the proof of the tap's streams: a record that takes its time, as `tap_record` may.
`default_nettype none

module tap_record #(
    parameter integer SOURCES = 32,
    parameter [31:0]  BUILD = 32'd0,
    parameter [31:0]  CLOCK_KHZ = 32'd0
) (
    input  wire        clk,
    input  wire        rst,
    input  wire [63:0] time_ns,
    input  wire [7:0]  bus,
    input  wire [4:0]  device,
    input  wire        bus_master,
    input  wire        up,
    input  wire        beat_valid,
    input  wire        beat_take,
    input  wire        beat_first,
    input  wire        beat_last,
    input  wire        beat_bad,
    input  wire [63:0] beat_data,
    input  wire [1:0]  beat_keep,
    input  wire        beat_candidate,
    input  wire        beat_intx,
    output reg         ready,
    input  wire        valid,
    input  wire        write,
    input  wire [13:0] index,
    input  wire [31:0] wdata,
    output wire        done,
    output wire        refused,
    output wire [31:0] rdata,
    output wire        busy
);
    (* anyseq *) wire        any_ready;
    (* anyseq *) wire [34:0] any_answer;
    assign {done, refused, busy, rdata} = any_answer;
    wire waits = beat_valid & beat_first & beat_candidate;
    always @(posedge clk) begin
        ready <= (waits & ready) ? ~beat_take : any_ready;
        assert (~beat_take | ~waits | ready);
        if (rst) begin
            ready <= 1'b0;
        end
    end
endmodule

`default_nettype wire
