"""What a Dag author puts into a Dag to make something happen."""
