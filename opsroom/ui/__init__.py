"""Where it stands on the screen and what a key does: the only room that knows Textual.

Screens draw lines that ``view`` has made of the feed's records; a key starts ``opsroom act``. Nothing here computes a
fact, asks a cluster or waits for a network, so nothing can make a key slow.
"""
