"""What a person may set: settings, policy file, keymap, secrets, and where each lies on disk.

Configuration is read once, at the start of a process, and handed on as frozen records. Every error names the file,
the line and the key. This room must not know who uses a setting.
"""
