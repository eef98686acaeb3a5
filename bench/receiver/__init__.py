"""./wmbench receiver: what there is (list, show), and a receiver program measured anew (measure)."""
