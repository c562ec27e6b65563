"""The demo: Airflow and the emulator together on one machine."""
