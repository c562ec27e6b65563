"""Airflow and emulator together on one machine, to see a release run and to try things out."""
