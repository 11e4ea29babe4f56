"""What people may say about items, and what follows from it: rules without a store and without a screen."""
