"""`smgw`: parts of the smart meter gateway by themselves: tariffs, frames of meters, sealed content, certificates."""
