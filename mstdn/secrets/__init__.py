"""The secrets of the instance, which are made on the server, and those that the operator brings."""
