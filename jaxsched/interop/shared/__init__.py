"""What several libraries have in common."""
