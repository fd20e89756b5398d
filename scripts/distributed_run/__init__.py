"""A distributed Airflow whose workers are killed, and whose database and broker restart."""
