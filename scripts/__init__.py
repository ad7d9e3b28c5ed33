"""Programs that make what the repository holds: styles, samples, the gallery, the images."""
