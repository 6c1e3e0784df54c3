"""A stand-in for the Claude API, as a program: it answers, and it breaks when it is told to."""
