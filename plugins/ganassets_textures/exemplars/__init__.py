"""Materials from exemplars: endless variations and mixtures of a user's own materials."""
