"""A portal that is not ours under attack: `./wmbench attack portal NAME`."""
