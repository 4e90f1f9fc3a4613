// SPDX-License-Identifier: BSD-2-Clause
//
// For proofs of what has a completer: answers what it likes when it likes, as `completer` may.
`default_nettype none

module completer #(
    parameter integer WIDTH = 64
) (
    input  wire             clk,
    input  wire             rst,
    input  wire [7:0]       bus,
    input  wire [4:0]       device,
    input  wire [WIDTH-1:0] l_data,
    input  wire             l_last,
    input  wire             l_bad,
    input  wire             l_refuse,
    input  wire             l_first,
    input  wire             l_nonposted,
    input  wire             l_valid,
    output wire             l_ready,
    output wire             l_np_ok,
    output wire             reg_valid_q,
    output wire             reg_write_q,
    output wire [13:0]      reg_index,
    output wire [31:0]      reg_wdata,
    input  wire             reg_done,
    input  wire             reg_refused,
    input  wire [31:0]      reg_rdata,
    output reg              cpl_valid_q,
    output reg  [31:0]      cpl_dw0,
    output reg  [31:0]      cpl_dw1,
    output reg  [31:0]      cpl_dw2,
    output reg  [31:0]      cpl_dw3,
    output reg              cpl_has_data,
    input  wire             cpl_taken,
    output wire             count_refused
);
    (* anyseq *) wire         any_ready;
    (* anyseq *) wire         any_valid;
    (* anyseq *) wire [128:0] any_completion;
    (* anyseq *) wire [48:0]  any_access;
    assign l_ready = any_ready;
    assign l_np_ok = ~cpl_valid_q & any_access[48];
    assign {reg_valid_q, reg_write_q, reg_index, reg_wdata} = any_access[47:0];
    assign count_refused = 1'b0;
    always @(posedge clk) begin
        if (~cpl_valid_q) begin
            {cpl_has_data, cpl_dw3, cpl_dw2, cpl_dw1, cpl_dw0} <= any_completion;
        end
        cpl_valid_q <= ~rst & (cpl_valid_q ? ~cpl_taken : any_valid);
        assert (rst | ~cpl_taken | cpl_valid_q);
    end
endmodule

`default_nettype wire
