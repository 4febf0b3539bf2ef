"""How it is done: the only room that writes to the world.

A deed is one intent carried out on a fresh look at its target, with preconditions, between two journal lines, and
believed only when the cluster shows it. It must not know scores, thresholds or screens.
"""
