"""Tools for operators: checks of the machine and the deployment, bulk ingest, and the demonstration."""
