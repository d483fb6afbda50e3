# frozen_string_literal: true

threads ENV.fetch('MAX_THREADS', 5).to_i, ENV.fetch('MAX_THREADS', 5).to_i
bind "tcp://#{ENV.fetch('BIND', '127.0.0.1')}:#{ENV.fetch('PORT', 3000)}"
workers ENV.fetch('WEB_CONCURRENCY', 2).to_i
preload_app!
@PUMA@
