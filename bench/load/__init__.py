"""./wmbench load: what a broker and the portal behind it carry before a sentence about readings breaks."""
