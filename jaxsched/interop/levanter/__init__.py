"""The configurations of Levanter and Marin."""
