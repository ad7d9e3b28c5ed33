"""The front of the house: HTTP, the page and the command line. It never loads TensorFlow."""
