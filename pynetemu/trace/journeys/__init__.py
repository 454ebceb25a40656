"""How sightings join into the journey of one packet."""
