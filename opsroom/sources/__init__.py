"""How we learn what is true: the cluster's objects and the metrics of its pods, made into domain records and arrays.

It reads only, judges nothing and decides nothing. Foreign text is cleaned here, once.
"""
