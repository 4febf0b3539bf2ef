"""The judge: what we think of a canary, from aligned arrays of both arms to a verdict a person can check.

Pure: arrays in, verdicts out. It must not know where the samples came from, what will be done about a verdict, or
how it reads on a screen.
"""
