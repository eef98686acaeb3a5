"""./wmbench receiver: what there is (list, show), and a receiver program measured anew (measure).

receiver_command   the command line
trial              one recording, fed to the program; which of its telegrams came out
measuring          points of the curves, mode by mode; the profile that follows
"""
