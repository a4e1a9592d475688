"""Card fraud at an issuer: events as its authorisation sees them, labels as they come, and a fraudster who learns."""
