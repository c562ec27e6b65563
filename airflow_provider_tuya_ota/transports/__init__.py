"""The two transports, requests and aiohttp, and the drivers that run a flow on them."""
