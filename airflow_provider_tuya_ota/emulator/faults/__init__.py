"""Faults on request: lost, late, damaged and strange answers."""
