"""The emulator: a strict imitation of Tuya's OTA service for tests and demos.

It shares no code with the client, so that two readings of one document meet.
"""
