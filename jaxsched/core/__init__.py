"""What a schedule is, and the arithmetic its formulas share."""
