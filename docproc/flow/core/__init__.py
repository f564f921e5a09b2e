"""What every unit of work needs: caller, context, idempotency, dual control, views."""
