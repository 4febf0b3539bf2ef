"""What stands on the screen before the first picture: in the splash, and in the board that takes its place.

The same words in both, so that nothing jumps when the board takes over. It imports nothing: the first paint waits
for it.
"""

NAME = "opsroom"
CONNECTING = "connecting to the worker"
EMPTY = "The rollouts appear here as soon as a worker answers."
OPENING = "opening the recording"
WAY_OUT = "ctrl+c leaves"
