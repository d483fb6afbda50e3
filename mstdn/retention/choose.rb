# Sets each NAME=DAYS of the arguments where nobody has chosen yet. A row is somebody's choice, an empty one too: the administration
# pages write one for each field.
ARGV.each do |pair|
  name, days = pair.split("=")
  if Setting.where(var: name).exists?
    puts "kept #{name}"
  else
    Setting.public_send("#{name}=", Integer(days))
    puts "chosen #{name} #{days}"
  end
end
