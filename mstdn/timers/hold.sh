# Nothing but to take the server for this run, or to refuse while another works on it: what goes before does both. A unit waits instead.
:
