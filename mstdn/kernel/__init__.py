"""Settings of the server's kernel that a program of the instance asks for."""
