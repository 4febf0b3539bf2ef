"""What happens in the simulated world: services, their releases, the pipelines that deploy them, and the truth.

It drives controllers and traffic once a second. The truth about a version leaves it only through `truth`.
"""
