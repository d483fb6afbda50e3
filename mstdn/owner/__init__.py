"""The owner of the instance: the first account, and the way back in for one that is locked out."""
