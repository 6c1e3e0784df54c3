"""How right the routing is: labelled questions in, figures out."""
