"""Everything a person looks at.  Floor 7: it may import from anywhere below, and nothing imports it but the CLI."""
