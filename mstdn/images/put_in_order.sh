# Goes before images/pull and images/build, after timers/ended. The engine itself gives up what nobody waits for: there is nothing to be
# put in order.
if has_ended "Nothing was stopped." deploy.py; then exit 0; fi
