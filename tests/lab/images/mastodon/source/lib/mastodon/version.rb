# frozen_string_literal: true

module Mastodon
  module Version
    module_function

    def major
      @MAJOR@
    end

    def minor
      @MINOR@
    end

    def patch
      @PATCH@
    end
  end
end
