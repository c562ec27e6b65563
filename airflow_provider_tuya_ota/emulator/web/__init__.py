"""The emulator on a socket: the HTTP server, its certificates, and answers sent byte by byte."""
