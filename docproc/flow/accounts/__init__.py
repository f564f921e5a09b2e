"""Officials and API keys: signing in, sessions, administration."""
