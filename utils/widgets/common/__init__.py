"""What all interactive figures share."""
