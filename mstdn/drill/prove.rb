# Reads encrypted values of every model, with the keys that Mastodon was booted with here. With other keys than those that they
# were written with there is an error; where unencrypted values are allowed, the value comes back as it lies in the database.
read = unreadable = 0
Rails.application.eager_load!
ActiveRecord::Base.descendants.each do |model|
  next if model.abstract_class? || model.base_class != model || !model.table_exists?

  model.encrypted_attributes.to_a.each do |name|
    model.unscoped.where.not(name => nil).limit(500).each do |record|
      read += 1
      unreadable += 1 if record.public_send(name) == record.read_attribute_before_type_cast(name.to_s)
    rescue ActiveRecord::Encryption::Errors::Base
      unreadable += 1
    end
  end
end
puts "encrypted #{read}", "unreadable #{unreadable}"
