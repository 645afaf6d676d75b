"""Who is about to be hit, and what braking can still do: shared by every function that brakes for it."""
