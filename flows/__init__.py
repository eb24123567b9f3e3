"""The only room that knows Prefect and MLflow: it opens the doors in order and keeps the books."""
