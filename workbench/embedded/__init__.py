"""How the embedded models were made: conversions, reference programs, training."""
