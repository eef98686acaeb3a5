"""The radio layer (EN 13757-4), still sans I/O: frames as chips and back, chips as IQ samples."""
