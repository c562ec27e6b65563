"""Release device firmware safely from Apache Airflow through Tuya's OTA API."""

__version__ = "0.1.0"
