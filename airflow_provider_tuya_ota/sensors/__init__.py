"""What a Dag author puts into a Dag to wait for something."""
