"""What packets do in a lab: seen at every interface, joined into journeys, explained when they die."""
