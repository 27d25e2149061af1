"""What runs when, in order. One flow a file."""
