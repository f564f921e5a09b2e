"""What an operator runs: looking over machine and deployment, ingesting a folder, the demonstration."""
