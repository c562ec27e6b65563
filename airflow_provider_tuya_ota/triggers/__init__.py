"""The triggers: waits that run in Airflow's triggerer."""
