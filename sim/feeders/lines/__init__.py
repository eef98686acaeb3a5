"""Lines that a gateway is fed by, one file each (LINE): pseudo terminal, serial port, TCP, standard input, pipe, file."""
