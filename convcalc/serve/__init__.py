"""What is served: a page that follows the files it is made of, and the answers of the playground."""
