"""``atelier batch``: many photographs in one style, the result in the form that they came in."""
