"""What goes over the wire: frames, the server's side, the client, recording and replay.

The worker publishes a picture of the room; viewers get the first picture whole and afterwards what changed. A slow
viewer never slows anybody: it is given the newest state when it can take it, and nothing is queued for it. The feed
must not know how a fact was learned or how it reads; it imports the domain only, and ``client`` and what it needs
stay free of heavy packages, because the terminal's process imports them before its first paint.
"""
