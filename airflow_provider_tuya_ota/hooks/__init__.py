"""The Airflow hook: it reads a connection and builds the client."""
