"""The OTA protocol as pure code: no network, clock, randomness, threads, logging, environment or Airflow."""
