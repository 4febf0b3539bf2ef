"""The worker: one headless process that ties sources, judge, decider, deliverer and feed together.

It keeps nothing that it cannot learn again: kill it at any instant and the next one goes on without acting twice.
What is true, what is thought of it and what is done are other rooms'; here is only the order in which they are asked.
"""
