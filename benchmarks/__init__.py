"""Long measurements, against the simulator's truth and against published figures; the Makefile runs them."""
