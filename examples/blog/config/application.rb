require "rails"
require "active_record/railtie"
require "action_controller/railtie"
require "action_view/railtie"
require "rails/test_unit/railtie"
require "mysql2"

module Blog
  class Application < Rails::Application
    config.load_defaults 6.1
    config.time_zone = "UTC"

    # everything goes to standard output, where `kubectl logs` finds it
    logger = ActiveSupport::Logger.new($stdout)
    logger.formatter = ::Logger::Formatter.new
    config.logger = ActiveSupport::TaggedLogging.new(logger)
    config.log_tags = [:request_id]

    # the container's file system is read-only
    config.cache_store = :memory_store
    config.active_record.dump_schema_after_migration = false

    # which release answers: the commit of the image and the pod
    config.x.revision = ENV.fetch("REVISION", "unknown")
    config.x.pod = ENV.fetch("POD_NAME", Socket.gethostname)
  end
end
