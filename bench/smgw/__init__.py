"""`smgw`: parts of the smart meter gateway by themselves: tariffs, frames of meters, sealed content, certificates.

smgw_command   the verbs
tariff_door    rules and readings -> what leaves
frame_doors    SML and HDLC -> objects
content_doors  content security, and the lint of certificates
row_lines      a line of JSON in, a line out
wan_program    a party of the WAN as a program of its own
"""
