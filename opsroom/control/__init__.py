"""What should be done: decisions and queue admission, as pure functions of (state, now).

It takes domain records and gives domain records, so that every rule can be tested in microseconds and replayed from
a recording. It must not know how a deed is carried out, how a fact was learned, or what time it is.
"""
