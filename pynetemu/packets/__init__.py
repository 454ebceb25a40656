"""What is in a frame: headers, applications, encapsulation, and what makes it the same packet elsewhere."""
