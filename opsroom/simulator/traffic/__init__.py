"""How services behave: requests, latency, errors, CPU and memory of every simulated pod, second by second.

The hidden quality of a version lives in here and leaves only as behaviour.
"""
