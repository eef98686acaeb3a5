"""One file an attack, found by folder. An attack knows only what its place in the world gives it.

attack      the record of an attack, its capabilities, the outcome it reports
reach       the handle an attack is given: exactly the methods its capabilities allow
parts/      what several attacks share
sniff       read telegrams out of the air
habits      learn which flat heats when from what no mode encrypts
clear_tail  read what stands in clear behind the encrypted blocks
iv_reuse    compare ciphertext under the same access number
leaked_key  try one meter's key on the others
replay      send a captured telegram again
holdback    keep telegrams from the gateway and deliver them later
wormhole    deliver them to another gateway
alter       deliver them changed
downgrade   send in clear in the name of an encrypted meter
poison      make genuine telegrams look old
ghosts      telegrams of meters that do not exist
jam         transmit over others
mitm        stand between gateway and broker
keystream   compare what the link layer encrypted with the same bytes
chosen_bits turn bits over under AES-CTR
clock_command set the clock of a meter that listens
drain       make it answer until its battery is empty
announce    announce a known meter as another
restored    replay to a portal that was restored from a backup
key_twin    speak in a meter's name with its key
quiet_clone use a gateway's stolen certificate once
late_bill   bill with telegrams that are refused as late
clone       use a gateway's stolen certificate
system_topics  read what a broker tells of itself
flash_key   use the key that a gateway's flash memory holds
factory_copy  use the key that its factory kept
cloud_reader  read all that the cloud sees and keeps
"""
