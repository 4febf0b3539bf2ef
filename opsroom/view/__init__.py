"""How it reads: domain records become words, cells and lines; colours are roles.

Everything a person reads is made here, by pure functions of the records and ``now``. It must not know Textual, a
terminal, a file or a clock, so every sentence and every column is a table test.
"""
