"""Small controllers that behave as the real ones do: Deployments, ReplicaSets, the kubelet, Argo Rollouts, Flagger.

Each is a pure function from objects to changes; `loop` feeds them from the store and applies what they
say. They know nothing of traffic, faults or schedules.
"""
