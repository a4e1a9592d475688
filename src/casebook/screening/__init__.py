"""Chapter 3's room: a desk that screens cases, the policies it may follow, and what each costs."""
