"""Chapter 7's room: demand of a grocer by product, store and day, and the stock that is ordered for it."""
