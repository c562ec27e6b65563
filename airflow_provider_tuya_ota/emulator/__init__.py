"""The emulator: a strict imitation of Tuya's OTA service for tests and demos.

It shares no code with the client, so that a misreading of the documents shows as a difference between the two.
"""
