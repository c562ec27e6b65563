"""A strict stand-in of Tuya's OTA service.

It shares no code with the client, so that two readings of one document meet.
"""
