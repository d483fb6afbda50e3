#!/bin/bash
# The companion is the container's first process.
kill -USR1 1
