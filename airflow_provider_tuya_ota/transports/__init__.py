"""Where requests leave and answers arrive: the only twins of the package are the two transports and the two drivers."""
