"""What is true: the words of progressive delivery as frozen records and pure rules.

Everything that travels between rooms, over the feed or into the journal is one of these records, so there is one
spelling of a rollout from the cluster watch to the cell on the screen. The domain must not know how a fact was
learned, what is thought of it, or how it reads: no I/O, no clock (``now`` is an argument), no numpy, no sentences.
"""
