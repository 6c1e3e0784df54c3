"""What a release promises about data: identities of what holds it, formats and recorded rows."""
