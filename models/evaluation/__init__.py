"""How good the models are, on months that came after everything they learned from; and the page that says so."""
