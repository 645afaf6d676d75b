"""Whether the car is in the country that its market file speaks of."""
