"""What a programme did for those who started it, whether it paid, and what it takes to know better."""
